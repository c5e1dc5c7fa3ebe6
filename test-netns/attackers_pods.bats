#!/usr/bin/env bats
# A pod that is root in its own network namespace and does with its interfaces what it likes. After
# each trick the guard has to hold, and sync has to find the pod again when its guard was flushed.

# A variable that a test sets is the test's own.
# shellcheck disable=SC2030,SC2031

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
    pod_add a
    host=$(pod_host_links a)
    gateway=$(ip -n node -json link show dev "$host" | jq -r '.[0].address')
    address=$(pod_addresses a)
}

# One packet of each family, from whatever namespace and link lead to the node now: how many arrive.
# Those that should are waited for: the node may have to find its neighbour first.
how_many_arrive() { # NAMESPACE LINK [EXPECTED]
    local before
    before=$(arrived)
    ip -n "$1" link set "$2" up || return 1
    in_pod "$1" "$PACKET" "$2" "$gateway" "ip4,$address,$imds4" tcp,80 || return 1
    in_pod "$1" "$PACKET" "$2" "$gateway" "ip6,2001:db8::5,$imds6" tcp,80 || return 1
    sleep 0.1
    wait_until 4 has_arrived $((before + ${3:-0})) 2>/dev/null || true
    echo $(($(arrived) - before))
}

# The way out works, but for the guard: with the rules gone both packets arrive, and then sync puts
# the guard back, whatever it has to say about the pod.
holds_and_comes_back() { # NAMESPACE LINK
    [ "$(how_many_arrive "$@")" -eq 0 ] || fail "gets past the guard" || return 1
    flush_rules
    [ "$(how_many_arrive "$@" 2)" -eq 2 ] || fail "this is no way out, guard or not" || return 1
    on_node timeout 300 "$IMDS_GUARD" sync || true
    assert_guards a drop || return 1
    [ "$(how_many_arrive "$@")" -eq 0 ] || fail "gets past the guard that sync has put back"
}

@test "another address, another MAC address" {
    ip -n a address flush dev eth0
    ip -n a address add 169.254.169.253/16 dev eth0
    ip -n a link set eth0 address 02:00:00:00:00:99
    address=169.254.169.253
    holds_and_comes_back a eth0
}

@test "renames its interface" {
    ip -n a link set eth0 down
    ip -n a link set eth0 name other
    holds_and_comes_back a other
}

@test "renames its interface and makes another one of that name" {
    ip -n a link set eth0 down
    ip -n a link set eth0 name other
    for kind in "type bridge" "link other type macvlan" "type veth peer name far"; do
        # shellcheck disable=SC2086 # words
        ip -n a link add name eth0 $kind || unavailable "the kernel has no such link: $kind"
        holds_and_comes_back a other
        ip -n a link delete eth0
    done
}

@test "moves its interface into a namespace of its own" {
    ip netns add nested
    ip -n a link set eth0 netns nested
    holds_and_comes_back nested eth0
}

@test "moves its interface away, and puts a veth to there in its place" {
    ip netns add nested
    ip -n a link set eth0 netns nested name up0
    ip -n a link add eth0 type veth peer name down0 netns nested
    holds_and_comes_back nested up0
    # As a router: what comes in at one end goes out at the other.
    world_tune nested
    ip -n nested link set down0 up
    ip -n nested address add 192.0.2.1/30 dev down0
    ip -n nested address add "$address/32" dev up0
    ip -n nested route add 169.254.1.1 dev up0
    ip -n nested route add default via 169.254.1.1 dev up0
    ip -n nested neighbour add 169.254.1.1 lladdr "$gateway" dev up0 nud permanent
    ip -n a address add 192.0.2.2/30 dev eth0
    ip -n a link set eth0 up
    ip -n a route add default via 192.0.2.1
    in_pod a ping -n -q -c 1 -W 0.3 "$imds4" || true
    before=$(arrived)
    run ! in_pod a ping -n -q -c 2 -i 0.05 -W 0.3 "$imds4"
    [ "$(arrived)" = "$before" ]
}

@test "gives its interface more names than fit a message" {
    local i
    for i in {1..450}; do
        echo "link property add dev eth0 altname $(printf 'x%.0s' {1..120})$i"
    done | ip -n a -force -batch - 2>/dev/null || true
    [ "$(ip -n a -json link show dev eth0 | jq '.[0].altnames | length')" -gt 300 ] ||
        unavailable "the kernel has no alternative names"
    holds_and_comes_back a eth0
    assert_quiet plugin CHECK a
}

@test "macvlan on top of its interface" {
    ip -n a link add other link eth0 type macvlan mode bridge || unavailable "the kernel has no macvlan"
    ip -n a link set eth0 up
    holds_and_comes_back a other
}

@test "the interface behind a bridge or a VRF of the pod's own" {
    ip -n a link add br0 type bridge || unavailable "the kernel has no bridge"
    ip -n a link set eth0 master br0
    ip -n a link set eth0 up
    holds_and_comes_back a br0
}

@test "IMDS as a neighbour on the link, and a node that answers for others" {
    on_node sysctl -q -w "net.ipv4.conf.$host.proxy_arp=1" "net.ipv6.conf.$host.proxy_ndp=1" \
        "net.ipv4.neigh.$host.proxy_delay=0" "net.ipv6.neigh.$host.proxy_delay=0"
    on_node ip neighbour add proxy "$imds6" dev "$host"
    ip -n a route add "$imds4" dev eth0 scope link
    ip -n a route add "$imds6" dev eth0
    ip -n a address add 2001:db8::5/128 dev eth0 nodad
    ip -n node route add 2001:db8::5 dev "$host"
    before=$(arrived)
    run ! in_pod a ping -n -q -c 1 -W 0.5 "$imds4"
    run ! in_pod a ping -n -q -c 1 -W 0.5 "$imds6"
    # It was the guard that dropped them: the neighbour is there.
    wait_until 5 eval 'ip -n a neighbour show "$imds4" | grep lladdr'
    wait_until 5 eval 'ip -n a neighbour show "$imds6" | grep lladdr'
    wait_until 5 has_hits a drop 2
    [ "$(arrived)" = "$before" ]
    [ "$(guard_hits a drop)" -eq 2 ]
}

@test "takes the address of a pod that may reach IMDS" {
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add b kube-system/b
    assert_imds_answers b
    ip -n a address flush dev eth0
    ip -n a address add "$(pod_addresses b)/32" dev eth0
    ip -n a link set eth0 address "$(ip -n b -json link show dev eth0 | jq -r '.[0].address')"
    address=$(pod_addresses b)
    [ "$(how_many_arrive a eth0)" -eq 0 ]
}

@test "destroys its interface: nothing is left to guard, and DEL and ADD go on" {
    ip -n a link delete eth0
    pod_del a
    assert_no_guards
    pod_add b
    assert_imds_silent b
}
