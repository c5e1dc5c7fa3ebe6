#!/usr/bin/env bats
# 200 pods come and go at once, and the kernel holds what it should all the while. Half a minute of
# such storms; STORM_SEED=N chooses the first. (storm_long.bats is this file: ten minutes of them, in
# the build with sanitizers.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/storm.bash
. "$BATS_TEST_DIRNAME/lib/storm.bash"

one_storm() { # SEED
    local seconds=$SECONDS
    node_new
    conflist regular
    storm 200 "$1"
    echo "# storm $1: 200 pods in $((SECONDS - seconds)) s, $(wc -l </run/storm/model) stay," \
        "$(wc -l </run/storm/sync) times sync, $(wc -l </run/storm/gc) times GC," \
        "$(cat /run/storm/write_* | wc -l) rules of others" >&3
    sleep 0.3
    storm_probes_stop
    { assert_storm_guards && run -0 on_node "$IMDS_GUARD" sync && assert_storm_right; } ||
        { echo "repeat it with STORM_SEED=$1"; return 1; }
    assert_storm_has_blown
    guard_says_all_is_right
}

# The probes that are still there do send, or nothing was proved.
assert_storm_has_blown() {
    local hits
    hits=$(guards | awk '{ packets += $6 } END { print packets + 0 }')
    [ "$hits" -ge "$(wc -l </run/storm/model)" ] || fail "the probes have sent next to nothing: $hits"
    [ -s /run/storm/sync ] && [ -s /run/storm/gc ] && [ -s /run/storm/write_nft ] &&
        [ -s /run/storm/write_iptables ]
}

guard_says_all_is_right() {
    run -0 on_node "$IMDS_GUARD" sync
    [ "${lines[*]}" = "attachments: $(wc -l </run/storm/model) right already, 0 guarded, 0 skipped, 0 failed; guards: 0 removed" ] ||
        fail "sync says: $output"
}

storm_probes_stop() {
    xargs kill -KILL </run/storm/probes
}

# Without a guard, a probe gets through: it is the guards that keep them out.
@test "a probe reaches IMDS where no guard stands" {
    local worker=0 number=65000 pod=control link=eni-control
    mkdir -p /run/storm
    storm_listen
    storm_wire
    storm_probe control 3>&- 4>&-
    disown "$probe" # or bash says that it was killed
    wait_until 5 two_have_arrived
    kill -KILL "$probe"
}

two_have_arrived() {
    [ "$(arrived_from | wc -l)" -eq 2 ]
}

@test "storms" {
    local seed=${STORM_SEED:-$((RANDOM * 10 + 1))} seconds=20 start=$SECONDS
    case $BATS_TEST_FILENAME in
    *_long.bats) seconds=600 ;;
    *) prefer_release ;;
    esac
    while [ $((SECONDS - start)) -lt $seconds ]; do
        one_storm "$seed"
        seed=$((seed + 1))
    done
}
