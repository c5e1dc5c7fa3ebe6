#!/usr/bin/env bats
# The configuration is switched while pods send, and others come and go: who is exempt all the time is
# at no moment cut off, and of nobody else a packet arrives unless it may. (switching_long.bats is this
# file: minutes of it, in the build with sanitizers.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/stranger.bash
. "$BATS_TEST_DIRNAME/lib/stranger.bash"
# shellcheck source=lib/streams.bash
. "$BATS_TEST_DIRNAME/lib/streams.bash"

list=/etc/cni/net.d/10-aws.conflist

setup() {
    node_new
    other=iptables
    [ "$BACKEND" = nftables ] || other=nftables
    rounds=1
    case $BATS_TEST_FILENAME in
    *_long.bats) rounds=15 ;;
    *) prefer_release ;;
    esac
}

# free/free is exempt, default/kept is not, and the stranger has no guard.
everybody_sends() { # SHAPE FAMILY
    local pod
    conflist_plain "$1"
    cp $list /run/plain
    for pod in guest0 guest1 guest2 kept; do
        pod_add "$pod"
    done
    pod_add free free/free
    stranger_by_veth stranger
    put .
    guard_sync
    streams_listen
    for pod in free kept stranger; do
        stream_start $pod "$(address_of $pod "$2")"
    done
    stream_talk free "$(address_of free "$2")"
    declare -gA closed_at=()
    streams_go_on 20 free kept stranger
    are_closed kept stranger
}

address_of() { # POD FAMILY
    case $1$2 in
    stranger4) echo "$stranger4" ;;
    stranger6) echo "$stranger6" ;;
    *4) pod_addresses "$1" | grep -v : ;;
    *6) pod_addresses "$1" | grep : ;;
    esac
}

entry_with() { # FILTER
    entry ".exempt = [{namespace: \"free\"}] | $1"
}

# As every new version of the conflist gets there: whole.
put() { # FILTER
    jq --argjson entry "$(entry_with "$1")" '.plugins += [$entry]' /run/plain >$list.tmp
    mv $list.tmp $list
}

# shellcheck disable=SC2120
guard_sync() { # OPTION...
    local said
    said=$(on_node timeout 300 "$IMDS_GUARD" sync "$@" 2>&1) || fail "sync: $said"
}

# --- who is at work beside ------------------------------------------------------------------------

beside_begin() {
    rm -f /run/stop /run/complaints
    touch /run/complaints
    besides=()
}

# Over and over.
beside() { # COMMAND...
    while [ ! -e /run/stop ]; do
        "$@" || break
    done >/dev/null 2>>/run/complaints 3>&- 4>&- &
    besides+=($!)
    background+=($!)
}

comes_and_goes() { # POD
    { plugin ADD "$1" && plugin DEL "$1"; } >"/run/said-$1" || cat "/run/said-$1" >&2
}

beside_end() {
    touch /run/stop
    wait "${besides[@]}"
    [ ! -s /run/complaints ] || fail "$(cat /run/complaints)"
}

# --- who may ---------------------------------------------------------------------------------------

# From now on nothing of these arrives.
are_closed() { # WHO...
    local who
    for who; do
        closed_at[$who]=${closed_at[$who]:-$(stream_arrived "$who")}
    done
}

assert_closed() { # TEXT
    local who now
    for who in "${!closed_at[@]}"; do
        now=$(stream_arrived "$who")
        [ "$now" = "${closed_at[$who]}" ] ||
            fail "$((now - closed_at[$who])) packets of $who arrived: $1" || return 1
    done
}

# What is switched to, and who may reach IMDS then. Who may not does not from the moment on that it is
# in force; nor before, if he might not.
phase() { # FILTER WHO_MAY...
    local who before closed=()
    for who in kept stranger; do
        [[ " ${*:2} " == *" $who "* ]] || closed+=("$who")
    done
    assert_closed "before $1" || return 1
    for who in "${@:2}"; do
        unset "closed_at[$who]"
    done
    put "$1"
    "$in_force"
    streams_go_on 50 "${closed[@]}" # behind what had been let through and is on its way
    are_closed "${closed[@]}"
    for who in "${@:2}"; do
        before=$(stream_arrived "$who")
        wait_until 10 eval "[ \"\$(stream_arrived $who)\" -gt $before ]"
    done
    streams_go_on 100 "${closed[@]}"
    assert_closed "$1"
}

every_switch() {
    local i
    for ((i = 0; i < rounds; i++)); do
        phase '.mode = "audit"' kept stranger
        phase .
        phase '.others = "pass"' stranger
        phase '.exempt += [{namespace: "default", pod: "kept"}]' kept
        phase ".backend = \"$other\""
        phase '.backend = "auto"'
        phase .
        # Which iptables does not know, and so it is a switch of backends there.
        phase '.backend = "auto" | .deny = "reject"'
        phase .
    done
}

end_well() {
    beside_end
    streams_stop
    assert_closed "at the end"
    assert_never_cut free
}

@test "sync, beside sync, ADD and DEL" {
    everybody_sends regular 4
    in_force=guard_sync
    beside_begin
    for guest in guest0 guest1 guest2; do
        beside comes_and_goes $guest
    done
    beside guard_sync
    every_switch
    end_well
    assert_stream_whole free
}

@test "watch, beside ADD and DEL" {
    everybody_sends ipv6-with-ipv4-egress 6
    in_force=watch_is_done
    nsenter --net=/run/netns/node -- env ASAN_OPTIONS=detect_leaks=0 "$IMDS_GUARD" watch --interval 600 \
        </dev/null >/dev/null 2>/run/watch.log 3>&- 4>&- &
    background+=($!)
    beside_begin
    for guest in guest0 guest1; do
        beside comes_and_goes $guest
    done
    every_switch
    end_well
    assert_stream_whole free
}

watch_is_done() {
    wait_until 20 nothing_is_left_to_do
}

nothing_is_left_to_do() {
    [[ $(on_node "$IMDS_GUARD" sync --dry-run) == "attachments: "* ]]
}

# As where somebody has read the conflist, and is at work still when it asks for another backend.
@test "one backend and the other at once" {
    everybody_sends regular 4
    entry_with . >/run/here.json
    BACKEND=$other entry_with . >/run/there.json
    beside_begin
    for where in here there; do
        beside guard_sync --config /run/$where.json
    done
    CONFIG=$(</run/here.json) beside comes_and_goes guest0
    CONFIG=$(</run/there.json) beside comes_and_goes guest1
    sleep $((rounds * 5))
    end_well
    assert_stream_whole free
    guard_sync
    [ "$(guards | cut -d ' ' -f 1 | sort -u)" = "$BACKEND" ]
}
