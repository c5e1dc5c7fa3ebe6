#!/usr/bin/env bats
# Version 0.1.0 and this one after the other on one node, forwards and back, and beside each other, with
# pods that run and send: the binaries themselves. (What 0.1.0 writes is also kept as text, in
# damage_nftables.bats and iptables.bats, for whoever has not its history at hand.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/stranger.bash
. "$BATS_TEST_DIRNAME/lib/stranger.bash"
# shellcheck source=lib/streams.bash
. "$BATS_TEST_DIRNAME/lib/streams.bash"
# shellcheck source=lib/former.bash
. "$BATS_TEST_DIRNAME/lib/former.bash"

setup_file() {
    world_start
    former_path "$world_root/build" >/run/former || true
}

setup() {
    node_new
    prefer_release
    former=$(cat /run/former)
    [ -x "$former" ] || unavailable "neither here nor at origin is version 0.1.0 in the history"
    ours=$IMDS_GUARD
    mkdir -p /var/lib/cni/results
}

# Which one the runtime calls, and a person.
node_runs() { # BINARY
    IMDS_GUARD=$1
    ln -sf "$1" /opt/cni/bin/imds-guard
}

# A node of 0.1.0's, of which nobody was exempt but free/free; the stranger is nobody's there.
former_node() { # SHAPE
    node_runs "$former"
    conflist "$1" '.exempt = [{namespace: "free"}]'
    pod_add kept
    pod_add free free/free
    stranger_by_veth stranger
}

everybody_sends() {
    streams_listen
    closed=()
    keeps_out kept
    for pod in free stranger; do
        stream_start $pod "$(address_of $pod)"
    done
    stream_talk free "$(address_of free)"
    streams_go_on 20 free kept stranger
}

# It sends, and of it nothing arrives, now and to the end.
keeps_out() { # POD
    stream_start "$1" "$(address_of "$1")"
    closed+=("$1")
    streams_go_on 20 "$1"
    assert_kept_out
}

assert_kept_out() {
    local pod
    for pod in "${closed[@]}"; do
        [ "$(stream_arrived "$pod")" -eq 0 ] || fail "$(stream_arrived "$pod") packets of $pod arrived" || return 1
    done
}

address_of() { # POD: its first, which is not translated
    if [ "$1" = stranger ]; then
        echo "$stranger4"
    else
        pod_addresses "$1" | head -n 1
    fi
}

# All through, nothing of who is kept out has arrived, and all of the exempt one's has.
end_well() {
    streams_stop
    assert_kept_out
    assert_stream_whole free
    assert_never_cut free
}

command_of() { # BINARY COMMAND [OPTION...]
    on_node timeout 1200 "$@"
}

# What only this version has, where 0.1.0's guards stand. First the chain is emptied: for a packet that is
# under way in it when the table goes, the kernel takes the map for empty, and who is exempt would lose it.
ours_go_by_hand() {
    if [ "$BACKEND" = nftables ]; then
        on_node nft flush chain inet imds_guard judge
        on_node nft delete table inet imds_guard
    else
        on_node iptables-legacy -w -t mangle -D IMDS-GUARD -j DROP
        on_node ip6tables-legacy -w -t mangle -D IMDS-GUARD -j DROP
    fi
}

# Packets that 0.1.0 has denied the pod, wherever it counts.
former_hits() { # POD
    {
        on_node nft -j list ruleset | jq -r --arg tag "/$(pod_container "$1")/" '
            [.nftables[].map | select(. and .table == "imds-guard" and .name == "in")][].elem // [] | .[][0].elem
            | select(.comment | contains($tag)).counter.packets'
        guards_of "$1" | awk '$5 == "drop" { print $6 }'
    } | awk '{ sum += $1 } END { print sum + 0 }'
}

nothing_of_former_is_left() {
    run ! on_node nft list table inet imds-guard
    [[ $(on_node iptables-legacy-save -t mangle; on_node ip6tables-legacy-save -t mangle) != *GUARD-OUT* ]]
}

# 0.1.0 opens the node for whom it does not know, and the new one closes it.
closes_for_stranger() {
    local before
    streams_go_on 50 stranger # behind what had been let through and is on its way
    before=$(stream_arrived stranger)
    [ "$before" -gt 0 ] || fail "the stranger has never sent" || return 1
    streams_go_on 100 stranger
    [ "$(stream_arrived stranger)" -eq "$before" ] || fail "the stranger is not kept out"
}

forwards() { # SHAPE COMMAND...
    local hits
    former_node "$1"
    everybody_sends
    hits=$(former_hits kept)
    [ "$hits" -gt 0 ]
    node_runs "$ours"
    "${@:2}"
    nothing_of_former_is_left
    [ "$(guard_hits kept drop)" -ge "$hits" ] || fail "kept's counter was lost" || return 1
    closes_for_stranger
    end_well
    plugin CHECK kept
    plugin CHECK free free/free
    assert_guards free pass
    pod_del kept
    assert_no_guards kept
}

sync_is_done() {
    command_of "$ours" sync >/run/said
    cat /run/said
    [[ $(command_of "$ours" sync | tail -n 1) == *" 0 guarded, 0 skipped, 0 failed; guards: 0 removed" ]]
}

@test "forwards: the first ADD of the new binary" {
    forwards regular pod_add guest
}

@test "forwards: sync" {
    forwards regular sync_is_done
}

@test "forwards: an IPv6 cluster" {
    forwards ipv6-with-ipv4-egress sync_is_done
}

# For a packet that is under way in a chain when that goes, the kernel takes its maps for empty.
@test "forwards: in a flood of packets, many times over" {
    node_runs "$former"
    conflist regular
    pod_add kept
    streams_listen
    closed=()
    keeps_out kept
    stream kept ping -f -q "$imds4"
    stream kept bash -c 'exec 3<>"/dev/udp/$0/80"; while :; do printf x >&3; done' "$imds4"
    for _ in {1..30}; do
        command_of "$ours" sync >/dev/null
        command_of "$former" sync >/dev/null
        ours_go_by_hand
    done
    streams_stop
    [ "$(stream_sent kept)" -gt 10000 ]
    assert_kept_out
}

@test "forwards: branch ENIs, whose packets 0.1.0 judged on both ways" {
    forwards branch-strict sync_is_done
    grep -F "took over what version 0.1.0 has made ($BACKEND)" /run/said
}

# 0.1.0 knows nothing of who has no guard. Its guards stand before ours go.
back() { # SHAPE
    node_runs "$ours"
    conflist "$1" '.exempt = [{namespace: "free"}]'
    command_of "$ours" sync
    pod_add kept
    pod_add free free/free
    stranger_by_veth stranger
    everybody_sends
    node_runs "$former"
    command_of "$former" sync
    ours_go_by_hand
    wait_until 5 eval '[ "$(stream_arrived stranger)" -gt 0 ]'
    streams_go_on 100 kept
    pod_add guest
    keeps_out guest
    plugin CHECK kept
    end_well
    pod_del guest
    pod_del kept
    [ "$(command_of "$former" status --json | jq -c '[.attachments[]?.pod]')" = '["free"]' ]
}

@test "back, by hand, to 0.1.0" {
    back regular
}

@test "back, by hand, with branch ENIs" {
    back branch-strict
}

# During a rollout, the runtime may call the one or the other for any pod.
@test "beside each other: ADD and DEL by either of what the other one has set" {
    local by
    former_node regular
    everybody_sends
    for by in 1 2; do
        node_runs "$ours"
        pod_add "ours$by"
        keeps_out "ours$by"
        node_runs "$former"
        pod_add "theirs$by"
        keeps_out "theirs$by"
    done
    # From here on a pod that is deleted has no wire, and sends nothing any more.
    pod_del ours1 # by 0.1.0
    node_runs "$ours"
    pod_del theirs1
    streams_go_on 50 ours2 theirs2
    assert_kept_out
    sync_is_done
    nothing_of_former_is_left
    for pod in ours1 theirs1; do
        assert_no_guards $pod
    done
    for pod in ours2 theirs2; do
        assert_guards $pod drop
    done
    end_well
}

@test "beside each other: sync by either, one after the other" {
    former_node regular
    everybody_sends
    for _ in 1 2 3 4 5; do
        command_of "$ours" sync
        command_of "$former" sync
    done
    node_runs "$ours"
    sync_is_done
    nothing_of_former_is_left
    closes_for_stranger
    end_well
    plugin CHECK kept
}

watch_of() { # BINARY LOG
    nsenter --net=/run/netns/node -- env ASAN_OPTIONS=detect_leaks=0 "$1" watch --interval 600 \
        </dev/null >/dev/null 2>"$2" 3>&- 4>&- &
    watching+=($!)
    background+=($!)
}

# Each repairs what the other has done, and gives it up in time: 0.1.0 pauses from its 256th repair in a row
# on, for twice as long each time.
@test "beside each other: both watch" {
    former_node regular
    everybody_sends
    watching=()
    watch_of "$former" /run/theirs.log
    watch_of "$ours" /run/ours.log
    wait_until 10 grep -F "watching" /run/theirs.log
    wait_until 10 grep -F "watching" /run/ours.log
    sleep 6
    kill "${watching[@]}"
    wait "${watching[@]}" || true
    [ "$(grep -c 'guarded again' /run/theirs.log)" -le 280 ] || fail "0.1.0 repairs all the time" || return 1
    [ "$(wc -l </run/ours.log)" -le 300 ] || fail "we repair all the time" || return 1
    node_runs "$ours"
    sync_is_done
    nothing_of_former_is_left
    closes_for_stranger
    end_well
}
