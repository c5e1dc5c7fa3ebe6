#!/bin/bash
# The exit fence: a dataplane that redirects past FORWARD, pods on links that are no veths, and IPVS on the
# iptables backend; and a kernel without tcx, where `auto` does without and `require` starts no pod.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"
# shellcheck source=ipvs.bash
. "$(dirname "$0")/ipvs.bash"
# shellcheck source=../../lib/fence.bash
. "$BATS_TEST_DIRNAME/lib/fence.bash"

export EXIT_FENCE=auto
DATAPLANE=/imds-guard/dataplane.o

no_tcx() {
    kernel_is_before 6.6
}

# --- without tcx ----------------------------------------------------------------------------------

auto_does_without() {
    node_new
    conflist regular
    pod_add a
    assert_guards a drop
    assert_imds_silent a
    CNI_VERSION=1.1.0 plugin STATUS a 2>/run/status
    grep 'without an exit fence: .*Linux 6\.6' /run/status
    assert_quiet plugin CHECK a
    on_node "$IMDS_GUARD" sync >/run/sync
    grep '^no exit fence: .*Linux 6\.6' /run/sync
    on_node "$IMDS_GUARD" status >/run/status
    grep '^no exit fence: .*Linux 6\.6' /run/status
    assert_quiet plugin DEL a
    assert_no_guards
}

require_starts_no_pod() {
    local command
    node_new
    conflist_plain regular
    pod_add a
    conflist regular '.exitFence = "require"'
    assert_fails 101 'Linux 6.6' plugin ADD a
    assert_says require
    assert_no_guards
    CNI_VERSION=1.1.0 assert_fails 50 'Linux 6.6' plugin STATUS a
    for command in sync status; do
        ! on_node "$IMDS_GUARD" "$command" >"/run/$command" 2>&1 || fail "$command succeeds"
        grep 'Linux 6\.6' "/run/$command"
    done
}

# --- with tcx -------------------------------------------------------------------------------------

redirected() { # SHAPE
    local program
    [ -s "$DATAPLANE" ] || lacks 'a dataplane (no compiler for BPF)'
    case $1 in branch-*) needs_module 8021q ;; esac
    node_new
    conflist "$1" '.exitFence = "off"'
    pod_add a
    dataplane a neigh
    assert_leaks a
    conflist "$1" '.exitFence = "require"'
    plugin ADD a
    CNI_VERSION=1.1.0 assert_quiet plugin STATUS a
    for program in fib neigh; do
        dataplane a $program
        assert_nothing_arrives a
    done
    assert_node_reaches_imds
    assert_quiet plugin CHECK a
    on_node "$IMDS_GUARD" sync
    on_node "$IMDS_GUARD" status >/run/status
    grep '^exit fence on [^ ]*: first[,;]' /run/status
    # What no ruleset keeps any more.
    flush_rules
    assert_nothing_arrives a
    assert_quiet plugin DEL a
}

# A pod of somebody else's on the node's uplink: nothing of it is forwarded. The fence, which an ADD of
# ours brings, knows its socket.
on_uplink() { # ipvlan|macvlan MODE
    local gateway='via 10.0.0.1'
    [[ $2 != l3* ]] || gateway=
    node_new
    conflist regular
    pod_new m
    on_node ip link add pod0 link eth0 type "$1" mode "$2" || lacks "$1 $2"
    on_node ip link set pod0 netns m
    ip -n m address add 10.0.0.77/24 dev pod0
    ip -n m link set pod0 up
    # shellcheck disable=SC2086 # words
    ip -n m route add default $gateway dev pod0
    # In these modes a link answers no ARP.
    [[ $2 != l3* ]] || ip -n aws neighbour replace 10.0.0.77 dev nic0 nud permanent \
        lladdr "$(ip -n node -json link show dev eth0 | jq -r '.[0].address')"
    if [ "$1" = macvlan ]; then
        ip -n m address add 2600:1f14:abc:d00::77/64 dev pod0 nodad
        ip -n m route add default via 2600:1f14:abc:d00::1
        reaches m "$imds6"
    fi
    reaches m "$imds4"
    pod_add a
    if kernel_is_before 6.13; then
        on_node "$IMDS_GUARD" status | grep '^exit fence .*blind to macvlan and ipvlan'
        reaches m "$imds4" || fail "it is held, where the fence is said to be blind"
        lacks 'tc programs that may ask whose a socket is (6.13)'
    fi
    nothing_arrives_from m
    reaches m 203.0.113.10
    assert_node_reaches_imds
}

# One on a pair that is no veth: the guards' verdict for others holds it, and the fence when they are gone.
on_netkit() {
    node_new
    conflist regular
    pod_new m
    on_node ip link add eni0 type netkit peer name pod0 || lacks netkit
    on_node ip link set pod0 netns m
    on_node ip link set eni0 up
    on_node ip route add 10.0.12.77 dev eni0
    ip -n m address add 10.0.12.77/32 dev pod0
    ip -n m link set pod0 up
    ip -n m route add default dev pod0
    reaches m "$imds4"
    pod_add a
    nothing_arrives_from m
    flush_rules
    nothing_arrives_from m
    reaches m 203.0.113.10
}

nothing_arrives_from() { # POD
    local before address
    before=$(arrived)
    for address in "$imds4" "$imds6"; do
        [ -z "$(attack "$1" "$address")" ] || fail "$address answers $1"
    done
    [ "$(arrived)" = "$before" ] || fail "packets of $1 arrive"
}

# iptables has no match for what IPVS sends on.
ipvs_is_stopped() { # SHAPE
    node_new
    ipvs_services
    conflist_plain "$1"
    pod_add a
    services_lead_to_imds
    conflist "$1" '.exitFence = "off"'
    plugin ADD a
    services_lead_to_imds
    conflist "$1"
    plugin ADD a
    services_are_closed
    assert_nothing_arrives a
}

world_start
load_legacy
if no_tcx; then
    each_backend holds fence-auto auto_does_without
    each_backend holds fence-require require_starts_no_pod
else
    for shape in regular branch-standard ipv6-with-ipv4-egress; do
        each_backend holds "fence-$shape" redirected "$shape"
    done
    for kind in 'macvlan bridge' 'ipvlan l2' 'ipvlan l3' 'ipvlan l3s'; do
        # shellcheck disable=SC2086 # words
        BACKEND=nftables holds "fence-${kind// /-}" on_uplink $kind
    done
    each_backend holds fence-netkit on_netkit
    BACKEND=iptables
    for shape in regular ipv6-with-ipv4-egress; do
        holds "fence-ipvs-$shape" ipvs_is_stopped "$shape"
    done
fi
ended
