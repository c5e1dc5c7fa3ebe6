#!/usr/bin/env bats
# Somebody is stopped in the middle of something, at each of the calls by which rules are looked at and
# written, while others go on; and one of them is a sync that moves all guards to the other backend.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/streams.bash
. "$BATS_TEST_DIRNAME/lib/streams.bash"

calls=(flock sendmsg setsockopt)

setup() {
    node_new
    prefer_release
    other=iptables
    # shellcheck disable=SC2153 # suite.bash
    [ "$BACKEND" = nftables ] || other=nftables
    from_lock=0
    configured "$BACKEND"
    entry_of_before=$(jq '.plugins[-1]' /etc/cni/net.d/10-aws.conflist)
    pod_add free free/free
    pod_add kept
    pod_add guest
    pod_add late free/late
    streams_listen
    for pod in free kept; do
        stream_start $pod "$(pod_addresses $pod | grep -v :)"
    done
    mv "$(cached_result guest)" /run/guest
    rm "$(cached_result late)"
    stream_talk free "$(pod_addresses free | grep -v :)"
    streams_go_on 20 free kept
}

cached_result() { # POD
    echo "/var/lib/cni/results/aws-cni-$(pod_container "$1")-eth0"
}

configured() { # BACKEND
    BACKEND=$1 conflist regular '.exempt = [{namespace: "free"}] | .lockTimeoutSeconds = 120'
}

guard_sync() {
    on_node timeout 300 "$IMDS_GUARD" sync >/run/sync.log 2>&1 || fail "sync: $(cat /run/sync.log)"
}

# As it was before: everything in $BACKEND, a guard for `guest`, or none, and none for `late`.
from_the_start() { # ADD|DEL
    configured "$BACKEND"
    guard_sync
    plugin "$1" guest >/dev/null
    plugin DEL late
    assert_all_in "$BACKEND"
}

assert_all_in() { # BACKEND
    [ "$(guards | cut -d ' ' -f 1 | sort -u)" = "$1" ] || fail "not all in $1: $(guards)" || return 1
    [ "$(skeletons)" = "$1" ] || fail "what stands is not $1: $(skeletons)"
}

skeletons() {
    if on_node nft list table inet imds_guard >/dev/null 2>&1; then echo nftables; fi
    if on_node grep -qsx mangle /proc/net/ip_tables_names &&
        on_node iptables-legacy -t mangle -S | grep -q IMDS-GUARD; then
        echo iptables
    fi
}

# COMMAND is stopped at one of its calls while `meanwhile` is done, and goes on; so for each call.
stopped_at_each() { # PREPARE MEANWHILE AFTERWARDS COMMAND...
    local prepare=$1 meanwhile=$2 afterwards=$3 call number delay finished=0
    shift 3
    for call in "${calls[@]}"; do
        $prepare
        traced -e "trace=flock,$call" -- "$@" >/dev/null
        delay=2000
        for number in $(numbers_of "$call"); do
            $prepare
            rm "$BATS_TEST_TMPDIR/trace"
            traced -e "trace=$call" -e "inject=$call:delay_enter=${delay}ms:when=$number" -- "$@" \
                >/run/stopped.log 2>&1 3>&- 4>&- &
            stopped=$!
            wait_until 10 reached "$call" "$number"
            $meanwhile
            [ ! -e "/proc/$stopped" ] || finished=$((finished + 1))
            # What is enough on most machines, once it is known that this is one.
            [ "$finished" -gt 0 ] && delay=300 || delay=10000
            wait "$stopped" || fail "$(cat /run/stopped.log)" || return 1
            $afterwards || fail "stopped at $call, number $number" || return 1
        done
    done
    [ "$finished" -gt 0 ] # that it was stopped for long enough
}

# Of those calls in the last trace that come when the lock is asked for the $from_lock-th time, or later.
numbers_of() { # CALL
    awk -v call="$1" -v from="$from_lock" '/^flock/ { locks++ }
        index($0, call "(") == 1 { number++; if (locks >= from) print number }' "$BATS_TEST_TMPDIR/trace"
}

reached() { # CALL NUMBER
    [ -e "$BATS_TEST_TMPDIR/trace" ] && [ "$(grep -c "^$1" "$BATS_TEST_TMPDIR/trace")" -ge "$2" ]
}

end_well() {
    streams_stop
    [ "$(stream_arrived kept)" = 0 ] || fail "$(stream_arrived kept) packets of a guarded pod arrived" || return 1
    assert_stream_whole free
}

move() {
    configured "$other"
    guard_sync
}

# --- ADD, DEL ---------------------------------------------------------------------------------------

guest_is_guarded_there() {
    assert_all_in "$other" && assert_guards guest drop
}

# It has read the conflist before the switch.
@test "an ADD of before the switch, while sync moves all guards" {
    add() { CONFIG=$entry_of_before plugin ADD guest; }
    stopped_at_each "from_the_start DEL" move guest_is_guarded_there add
    end_well
}

guest_is_gone() {
    assert_all_in "$other" && assert_no_guards guest
}

@test "a DEL, while sync moves all guards" {
    stopped_at_each "from_the_start ADD" move guest_is_gone plugin DEL guest
    end_well
}

# --- sync -------------------------------------------------------------------------------------------

# Its first lock is its turn among syncs; from the second on it has read what there is.
to_move() { # ADD|DEL
    from_the_start "$1"
    configured "$other"
}


@test "a sync that moves all guards, while ADDs of before the switch come" {
    from_lock=2
    stopped_at_each "to_move DEL" two_come two_are_right guard_sync
    end_well
}

# The one is exempt, and may pass as soon as it is there.
two_come() {
    CONFIG=$entry_of_before plugin ADD guest >/dev/null
    CONFIG=$entry_of_before plugin ADD late free/late >/dev/null
    in_pod late ping -n -q -c 1 -W "$packets_patience" "$imds4" >/dev/null || fail "nothing answers who is exempt"
}

two_are_right() {
    guest_is_guarded_there && assert_guards late pass
}

# Of a pod that the sync knows of: its file is still there.
@test "a sync that moves all guards, while a DEL comes" {
    from_lock=2
    cp /run/guest "$(cached_result guest)"
    stopped_at_each "to_move ADD" "plugin DEL guest" guest_is_gone guard_sync
    end_well
}
