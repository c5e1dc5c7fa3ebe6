#!/usr/bin/env bats
# The exit fence as a room of its own (exit_fence.bats has it within the plugin): what leaves the node
# past the guards, it stops. Most of it is sent by a stand-in for an eBPF dataplane, which redirects the pods' packets past the FORWARD hook.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/fence.bash
. "$BATS_TEST_DIRNAME/lib/fence.bash"
# shellcheck source=lib/frames.bash
. "$BATS_TEST_DIRNAME/lib/frames.bash"

setup_file() {
    world_start
}

setup() {
    node_new
    fence_is_possible
}

# What ADD would hand over for the pod, as words of the fixture.
words_of() { # POD drop|pass
    local link address
    for link in $(host_links "$1"); do
        echo "link=$link,$2"
    done
    for address in $(pod_addresses "$1"); do
        echo "address=$address"
    done
}

fence_add() { # POD [drop|pass]
    # shellcheck disable=SC2046 # words
    fence add $(words_of "$1" "${2:-drop}")
}

# --- past the FORWARD hook -------------------------------------------------------------------------

@test "what a dataplane redirects arrives without the fence, and does not with it: every shape of pod" {
    local shape program
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist "$shape"
        pod_add a
        pod_add b
        assert_imds_silent a || return 1
        for program in fib neigh; do
            dataplane a $program
            assert_leaks a || fail "$shape, $program" || return 1
        done
        fence_add a
        for program in fib neigh; do
            dataplane a $program
            assert_nothing_arrives a || fail "$shape, $program" || return 1
        done
        no_dataplane a # which does no translation, for one
        assert_rest_answers a b || fail "$shape" || return 1
        assert_node_reaches_imds || return 1
    done
}

@test "the fence before the dataplane" {
    conflist regular
    pod_add a
    fence_add a
    dataplane a neigh
    assert_nothing_arrives a
    [ "$(stopped_at eth0)" -gt 2 ]
    # Judged by the link that they came in through.
    fence list | grep -E "^incoming $(index_of "$(host_links a)") drop [1-9][0-9]* 0$"
}

@test "IMDS answers over IPv4 and IPv6 without the fence" {
    for shape in regular branch-ipv6; do
        node_new
        conflist $shape
        pod_add a
        dataplane a neigh
        assert_imds_answers a
        fence_add a
        assert_nothing_arrives a
    done
}

@test "a Service that the dataplane translates to IMDS" {
    conflist regular
    pod_add a
    dataplane a service
    before=$(arrived)
    attack a 192.0.2.80 >/dev/null
    [ "$(arrived)" -gt "$before" ]
    fence_add a
    before=$(arrived)
    attack a 192.0.2.80 >/dev/null
    [ "$(arrived)" = "$before" ]

    node_new
    conflist branch-ipv6
    pod_add a
    dataplane a service
    before=$(arrived)
    attack a 2001:db8:80::80 >/dev/null
    [ "$(arrived)" -gt "$before" ]
    fence_add a
    before=$(arrived)
    attack a 2001:db8:80::80 >/dev/null
    [ "$(arrived)" = "$before" ]
}

@test "a pod's guard is gone, or was never there" {
    conflist_plain ipv4-with-ipv6-egress
    pod_add a
    assert_leaks a
    fence add
    assert_nothing_arrives a
    # One that the node knows nothing about is counted as well.
    fence list | grep -E "^incoming $(index_of "$(host_links a | head -n 1)") - [1-9]"
    on_node nft flush ruleset
    assert_nothing_arrives a
}

@test "options, fragments, extension headers, odd sources, redirected or not" {
    local line program sent=0
    conflist_plain ipv4-with-ipv6-egress
    pod_add a
    frames_of a
    mapfile -t lines < <(packets_to_imds)
    for program in fib neigh; do
        dataplane a $program
        for line in "${lines[@]}"; do
            # shellcheck disable=SC2086 # words
            assert_arrives a $line || return 1
        done
    done
    fence_add a
    for program in fib neigh; do
        dataplane a $program
        for line in "${lines[@]}"; do
            # shellcheck disable=SC2086 # words
            [ "$(how_many_arrive a $line)" -eq 0 ] || fail "$program: arrives: $line" || return 1
            sent=$((sent + 1))
        done
    done
    wait_until 5 eval "[ \"\$(stopped_at eth0)\" -ge $sent ]"
    [ "$(stopped_at eth0)" -eq $sent ]
}

@test "a renamed link, and source routing that root has turned on" {
    conflist regular
    pod_add a
    fence_add a
    link=$(host_links a)
    on_node ip link set "$link" down
    on_node ip link set "$link" name other
    on_node ip link set other up
    on_node ip route replace "$(pod_addresses a)" dev other
    assert_nothing_arrives a

    on_node sysctl -q -w net.ipv4.conf.all.accept_source_route=1
    before=$(arrived)
    in_pod a "$PACKET" eth0 "$(ip -n node -json link show dev other | jq -r '.[0].address')" \
        "ip4,$(pod_addresses a),10.0.0.10,830704a9fea9fe00" tcp,80
    in_pod a ping -n -q -c 1 -W 30 169.254.169.253
    [ "$(arrived)" = "$before" ]
    [ "$(stopped_at eth0)" -gt 0 ]
}

# --- sockets of other network namespaces -----------------------------------------------------------

@test "a macvlan pod on the node's uplink" {
    macvlan_pod m
    reaches m "$imds4"
    reaches m "$imds6"
    fence add
    before=$(arrived)
    [ -z "$(attack m "$imds4")$(attack m "$imds6")" ]
    [ "$(arrived)" = "$before" ]
    reaches m 203.0.113.10
    reaches m 2001:db8:1::10
    assert_node_reaches_imds
    fence list | grep -E '^incoming 0 - [1-9]'
}

@test "an ipvlan pod on the node's uplink, in each mode" {
    local mode
    for mode in l2 l3; do
        node_new
        fence remove >/dev/null
        pod_new m
        # Not a failure in CI: few kernels that tests run on have it, and nodes that lack it have no such pod.
        on_node ip link add iv0 link eth0 type ipvlan mode $mode 2>/dev/null || skip "the kernel has no ipvlan"
        on_node ip link set iv0 netns m
        ip -n m -batch - <<'END'
address add 10.0.0.77/24 dev iv0
link set iv0 up
route add default dev iv0
END
        [ $mode = l3 ] || ip -n m route replace default via 10.0.0.1
        before=$(arrived)
        attack m "$imds4" >/dev/null
        [ "$(arrived)" -gt "$before" ] || fail "$mode: nothing arrives: this proves nothing" || return 1
        fence add
        before=$(arrived)
        attack m "$imds4" >/dev/null
        [ "$(arrived)" = "$before" ] || fail "$mode" || return 1
        fence list | grep -E '^incoming 0 - [1-9]' || return 1
        ip netns delete m
    done
}

@test "frames of a macvlan pod that say they were something else" {
    local frame mac
    macvlan_pod m
    mac=$(ip -n aws -json link show dev nic0 | jq -r '.[0].address')
    frames=(
        "mv0 $mac ip4,10.0.0.77,$imds4 tcp,80"
        "mv0,0x0800 $mac ip4,10.0.0.77,$imds4 tcp,80"
        "mv0,0x1234 $mac ip4,10.0.0.77,$imds4 tcp,80"
        "mv0,0x86dd $mac ip4,10.0.0.77,$imds4 tcp,80"
        "mv0,0x8100 $mac ip4,10.0.0.77,$imds4 tcp,80"
        "mv0 $mac ip4,10.0.0.77,$imds4 bytes,1"
        "mv0,0x0003 $mac ip4,10.0.0.77,$imds4,01010101 udp,80"
        "mv0,0x0806 $mac ip6,2600:1f14:abc:d00::77,$imds6 tcp,80"
        "mv0 $mac ip6,2600:1f14:abc:d00::77,$imds6 bytes,1"
        "mv0 $mac ip6,2600:1f14:abc:d00::77,$imds6 hop-by-hop tcp,80"
        "mv0 $mac vlan,0 ip4,10.0.0.77,$imds4 tcp,80"
        "mv0,0x0800 $mac vlan,0 ip4,10.0.0.77,$imds4 tcp,80"
        "mv0 $mac vlan,0 ip6,2600:1f14:abc:d00::77,$imds6 tcp,80"
    )
    for frame in "${frames[@]}"; do
        before=$(arrived)
        # shellcheck disable=SC2086 # words
        in_pod m "$PACKET" $frame
        wait_until 5 has_arrived $((before + 1)) || fail "does not arrive even without a fence: $frame"
        in_pod m ping -n -q -c 2 -i 0.01 -W 30 169.254.169.253 >/dev/null
    done
    fence add
    before=$(arrived)
    for frame in "${frames[@]}"; do
        # shellcheck disable=SC2086 # words
        in_pod m "$PACKET" $frame 2>/dev/null || true # the drop is told as ENOBUFS
    done
    in_pod m ping -n -q -c 2 -i 0.01 -W 30 169.254.169.253 >/dev/null
    [ "$(arrived)" = "$before" ]
    [ "$(stopped_at eth0)" -eq ${#frames[@]} ]
}

@test "a copy that a macvlan pod's own rules make has no socket" {
    macvlan_pod m
    in_pod m nft "table ip t { chain c { type filter hook output priority 0;
        ip daddr $imds4 dup to 10.0.0.1 device mv0; ip daddr $imds4 meta skuid 0 drop; }; }" ||
        unavailable "the kernel makes no copies"
    before=$(arrived)
    attack m "$imds4" >/dev/null
    [ "$(arrived)" -gt "$before" ] || fail "no copy arrives: this proves nothing"
    fence add
    before=$(arrived)
    attack m "$imds4" >/dev/null
    [ "$(arrived)" = "$before" ]
}

# --- what is not stopped ---------------------------------------------------------------------------

@test "who may, may: an exempt link" {
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add a kube-system/a
    pod_add b
    fence_add a pass
    fence_add b
    for program in fib neigh; do
        dataplane a $program
        dataplane b $program
        assert_nothing_arrives b
        assert_imds_answers a
    done
    fence list | grep -E "^incoming $(index_of "$(host_links a)") pass 0 [1-9]"
}

@test "others pass, and whoever has a verdict of his own has that" {
    conflist_plain regular
    pod_add a
    pod_add b
    fence add others=pass link="$(host_links b)",drop
    assert_imds_answers a
    assert_nothing_arrives b
    fence list | grep -E "^incoming $(index_of "$(host_links a)") - 0 [1-9]"
    # An ADD with stricter terms: from now on they do not.
    fence add
    assert_nothing_arrives a
    # A laxer one changes nothing, sync does.
    fence add others=pass
    assert_nothing_arrives a
    fence sync others=pass
    assert_imds_answers a
}

@test "other endpoints, and CIDRs" {
    conflist_plain regular
    pod_add a
    fence add endpoint=203.0.113.0/24
    packets_patience=1 run ! reaches a 203.0.113.10
    assert_imds_answers a
    fence add
    assert_nothing_arrives a
    packets_patience=1 run ! reaches a 203.0.113.10
    fence sync
    reaches a 203.0.113.10
    assert_nothing_arrives a
    [ "$(fence list | grep -c '^endpoint')" -eq 2 ]
}

@test "an agent on the node that pods' requests are redirected to" {
    conflist_plain regular
    pod_add a
    fence_add a
    nsenter --net=/run/netns/node -- socat TCP4-LISTEN:8181,fork,reuseaddr "TCP4:$imds4:80" \
        </dev/null >/dev/null 2>&1 3>&- &
    background+=($!)
    on_node nft "table ip agent { chain c { type nat hook prerouting priority -100;
        ip daddr $imds4 tcp dport 80 dnat to 10.0.0.10:8181; }; }"
    wait_until 5 reaches a "$imds4"
    # A connection that is cut off here would be the next node's to answer.
    wait_until 10 eval '[ -z "$(in_aws ss --no-header --tcp --numeric state established)" ]'
}

# --- where it stands -------------------------------------------------------------------------------

@test "sync: every link that leads out, and no pod's" {
    conflist regular
    pod_add a
    on_node ip link add bridge0 type bridge
    on_node ip tuntap add dev tun0 mode tun
    on_node ip link add ifb7 type ifb || true
    [ "$(fence sync)" -gt 0 ]
    [ "$(fence list | awk '$1 == "uplink" && $3 == 1 { print $2 }' | sort | tr '\n' ' ')" = \
        "bridge0 eth0 tun0 " ]
    [ "$(fence sync)" -eq 0 ]
    # One that comes, and one that goes.
    on_node ip link add bridge1 type bridge
    on_node ip link delete bridge0
    [ "$(fence sync)" -gt 0 ]
    [ "$(place_at bridge1)" -eq 1 ]
    [ "$(fence remove)" -eq 3 ]
    [ -z "$(fence list | awk '$1 == "uplink" && $3 > 0')" ]
}

@test "a link whose frames start with the IP header" {
    conflist_plain ipv4-with-ipv6-egress
    pod_add a
    on_node nft delete table ip6 nat
    on_node ip tuntap add dev tun0 mode tun
    on_node ip link set tun0 up
    on_node ip route add "$imds4" dev tun0
    on_node ip route add "$imds6" dev tun0
    fence add
    attack a "$imds4" >/dev/null
    attack a "$imds6" >/dev/null
    [ "$(stopped_at tun0)" -gt 3 ]
    [ "$(place_at eth0)" = "" ] || [ "$(place_at eth0)" -eq 0 ]
}

@test "the uplink of a pod's second interface, and of a branch ENI" {
    conflist multi-nic
    pod_add a
    fence_add a
    [ "$(place_at eth0)" -eq 1 ]
    fence list | grep '^uplink eth1 1 current'

    node_new
    conflist branch-strict
    pod_add a
    fence_add a
    fence list | grep -E '^uplink vlan\.eth\.[0-9]+ 1 current'
}

@test "an uplink that goes takes the fence along, and the next ADD makes it anew" {
    conflist regular
    pod_add a
    fence_add a pass
    on_node ip link delete eth0
    fence prune
    fence list
    node_new
    conflist regular
    pod_add a
    fence_add a
    dataplane a neigh
    assert_nothing_arrives a
}

@test "links that are gone are forgotten" {
    conflist regular
    pod_add a
    pod_add b
    fence_add a pass
    fence_add b
    dataplane b neigh
    assert_nothing_arrives b
    gone=$(index_of "$(host_links b)")
    fence list | grep "^incoming $gone "
    pod_gone b
    wait_until 5 eval '! on_node ip link show dev "$(host_links b)" 2>/dev/null'
    fence prune
    left=$(fence list)
    [ "$(grep -c "^incoming $gone " <<<"$left")" -eq 0 ]
    grep "^incoming $(index_of "$(host_links a)") pass" <<<"$left"
    fence prune
    assert_same "$left" "$(fence list)"
}

# --- first place -----------------------------------------------------------------------------------

@test "another's program before it, which lets everything out" {
    conflist regular
    pod_add a
    fence_add a
    dataplane a neigh
    fence rival eth0
    assert_leaks a
    run ! fence check
    [[ $output == *"another program stands before its own"* ]]
    [ "$(place_at eth0)" -eq 2 ]
    fence add
    assert_nothing_arrives a
    [ "$(place_at eth0)" -eq 1 ]
    fence rival eth0
    [ "$(fence sync)" -gt 0 ]
    assert_nothing_arrives a
    fence check
}

@test "another version is replaced without a gap, and keeps what it knows" {
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add a
    pod_add b kube-system/b
    fence_add a
    fence_add b pass
    dataplane a neigh
    dataplane b neigh
    before=$(arrived)
    pings_start a "$imds4"
    for _ in $(seq 20); do
        fence age eth0
        fence list | grep '^uplink eth0 1 old'
        fence add
        fence list | grep '^uplink eth0 1 current'
    done
    wait_until 10 eval '[ "$(stopped_at eth0)" -gt 20 ]'
    kill "$pinging"
    [ "$(arrived)" = "$before" ]
    assert_imds_answers b
}

@test "thirty that are the first at once" {
    for i in $(seq 30); do
        fence add link="$((1000 + i))",pass >"$BATS_TEST_TMPDIR/add$i" 2>&1 3>&- &
        adds+=($!)
    done
    for add in "${adds[@]}"; do
        wait "$add"
    done
    fence list | grep '^uplink eth0 1 current'
    [ "$(fence list | grep -c '^incoming 10.. pass')" -eq 30 ]
    [ "$(fence remove)" -eq 1 ]
    [ "$(place_at eth0)" -eq 0 ]
}

# --- whatever fails --------------------------------------------------------------------------------

# The process fails, or is killed, at one of its bpf(2) calls. What stood before stands, and whoever
# comes next makes everything right.
at_each_call() { # COMMAND...
    local number fault
    local -x ASAN_OPTIONS=detect_leaks=0 # which are looked for where nothing fails
    for number in $(seq 40); do
        for fault in signal=KILL error=EPERM error=ENOMEM; do
            prepare || return 1
            on_node strace -qq -f -o "$BATS_TEST_TMPDIR/trace" -e trace=bpf \
                -e "inject=bpf:$fault:when=$number" "$FENCE" "$@" >/dev/null 2>&1 3>&- || true
            look || fail "$fault at call $number of $*" || return 1
        done
        grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || grep -q 'killed by' "$BATS_TEST_TMPDIR/trace" ||
            break
    done
    [ "$number" -gt 10 ]
}

@test "killed, or refused, at every call of the first ADD" {
    prepare() {
        fence remove >/dev/null
    }
    look() {
        fence add && fence check && fence list | grep -q '^uplink eth0 1 current'
    }
    at_each_call add
}

@test "killed, or refused, at every call that puts it first again" {
    conflist regular
    pod_add a
    dataplane a neigh
    prepare() {
        fence remove >/dev/null && fence add && fence rival eth0
    }
    look() {
        fence list | grep -q '^uplink eth0 [12] current' && fence add && fence check &&
            [ "$(place_at eth0)" -eq 1 ]
    }
    at_each_call add
    assert_nothing_arrives a
}

@test "killed, or refused, at every call of a sync that finds another version" {
    conflist regular
    pod_add a
    dataplane a neigh
    fence_add a
    # The pod's own packets: the node may have an old connection to answer.
    in_aws nft "table ip pods { chain c { type filter hook prerouting priority raw;
        ip saddr $(pod_addresses a) ip daddr $imds4 counter; }; }"
    prepare() {
        fence age eth0
    }
    look() {
        in_pod a ping -n -q -c 1 -W 0.01 "$imds4" >/dev/null
        in_aws nft list table ip pods | grep -q 'counter packets 0 ' || fail "packets arrive" || return 1
        fence add && fence check
    }
    at_each_call sync
    in_aws nft delete table ip pods
}

@test "what it needs: CAP_SYS_ADMIN, or for the first time CAP_NET_ADMIN and CAP_BPF" {
    limited() { # CAPABILITIES COMMAND...
        local capabilities=$1
        shift
        on_node setpriv --inh-caps=-all --bounding-set="-all,$capabilities" "$FENCE" "$@"
    }
    limited +net_admin,+bpf add
    limited +sys_admin add link=999,pass
    limited +sys_admin check
    limited +sys_admin sync
    limited +sys_admin probe
    run ! limited +net_admin,+bpf add
    [[ $output == *"Operation not permitted"* ]]
    run ! limited +net_admin probe
    [[ $output == *CAP_SYS_ADMIN* ]]
    limited +sys_admin remove
}
