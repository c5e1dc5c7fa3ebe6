#!/usr/bin/env bats
# Who has no guard of its own: packets of whatever our chain did not see are dropped, and the rule for
# others counts them; with "others": "pass" they are as without us.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/stranger.bash
. "$BATS_TEST_DIRNAME/lib/stranger.bash"

# IMDS answers over IPv4 and IPv6 from that namespace.
answers() { # NAMESPACE
    reaches "$1" "$imds4" "$stranger4" && reaches "$1" "$imds6" "$stranger6"
}

internet_of() { # ADDRESS
    case $1 in
    *:*) echo 2001:db8:1::10 ;;
    *) echo 203.0.113.10 ;;
    esac
}

# The packets of the namespace do not arrive, the rule for others counts them, and the rest answers.
is_stopped() { # NAMESPACE ADDRESS...
    local before hits address
    before=$(arrived)
    hits=$(others_hits)
    for address in "${@:2}"; do
        [ -z "$(attack "$1" "$(imds_of "$address")" "$address")" ] ||
            fail "IMDS answers $1 at $address" || return 1
    done
    [ "$(arrived)" = "$before" ] || fail "packets of $1 arrive" || return 1
    [ "$(others_hits)" -gt "$hits" ] || fail "nothing counts the packets of $1" || return 1
    for address in "${@:2}"; do
        reaches "$1" "$(internet_of "$address")" "$address" ||
            fail "$1 at $address has lost more than IMDS" || return 1
    done
}

stranger_is_stopped() {
    is_stopped stranger "$stranger4" "$stranger6"
}

# The node is in force, and then `others` pass.
in_force() { # [FILTER]
    mkdir -p /var/lib/cni/results
    conflist regular "${1:-.}"
    on_node "$IMDS_GUARD" sync >/dev/null
}

closed_then_open() { # COMMAND...
    "$@" || return 1
    in_force '.others = "pass"'
    answers stranger || fail "with others: pass it should be as without us" || return 1
    [ "$(others_hits)" -gt 0 ] || fail "nothing counts who passes"
}

@test "a container on a plain bridge of the node's" {
    in_force
    ip netns add stranger
    ip -n node link add docker0 type bridge
    ip -n node link add port0 type veth peer name eth0 netns stranger
    ip -n node link set port0 master docker0 up
    wire_stranger stranger eth0 docker0
    closed_then_open stranger_is_stopped
}

@test "a veth that is put into the node" {
    in_force
    stranger_by_veth stranger
    closed_then_open stranger_is_stopped
}

@test "a VXLAN that root ends on the node" {
    in_force
    pod_add a
    ip netns add stranger
    ip -n node link add under type veth peer name eth0 netns stranger
    ip -n node address add 192.0.2.1/24 dev under
    ip -n stranger address add 192.0.2.2/24 dev eth0
    ip -n node link set under up
    ip -n stranger link set eth0 up
    ip -n node link add tunnel type vxlan id 7 dstport 4789 local 192.0.2.1 remote 192.0.2.2 dev under ||
        unavailable "the kernel has no VXLAN"
    ip -n stranger link add tunnel type vxlan id 7 dstport 4789 local 192.0.2.2 remote 192.0.2.1 dev eth0
    wire_stranger stranger tunnel tunnel
    closed_then_open stranger_is_stopped
}

@test "a pod from before the installation, of every shape" {
    local shape address
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist_plain "$shape"
        pod_add a
        assert_imds_answers a
        # Nothing but the verdict for others: another pod's ADD makes it.
        conflist "$shape"
        pod_add b
        assert_no_guards a
        # shellcheck disable=SC2046 # words
        is_stopped a $(pod_addresses a)
        assert_imds_silent b
    done
}

@test "with others: pass, a pod from before the installation, and one that has lost its guard, of every shape" {
    local shape link
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist_plain "$shape"
        pod_add a
        conflist "$shape" '.others = "pass"'
        pod_add b
        assert_no_guards a
        assert_imds_silent b
        assert_imds_answers a
        for link in $(pod_host_links b); do
            remove_guard_on "$link"
        done
        assert_imds_answers b
        [ "$(others_hits)" -gt 0 ] || fail "nothing counts who passes" || return 1
    done
}

@test "a guard that is taken away by hand, of every shape" {
    local shape link
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist "$shape"
        pod_add a
        for link in $(pod_host_links a); do
            remove_guard_on "$link"
        done
        assert_no_guards a
        # shellcheck disable=SC2046 # words
        is_stopped a $(pod_addresses a)
    done
}

egress_behind_us() { # POD [FILTER]
    conflist ipv6-with-ipv4-egress "${2:-.}"
    jq '.plugins |= [.[0], .[-1], .[1:-1][]]' /etc/cni/net.d/10-aws.conflist >/run/list
    mv /run/list /etc/cni/net.d/10-aws.conflist
    pod_add "$1"
}

@test "an interface that is made after ADD, by an egress plugin behind us" {
    local address
    egress_behind_us a
    address=$(pod_addresses a | grep -v :)
    is_stopped a "$address"
    pod_del a
    on_node "$IMDS_GUARD" flush --yes
    egress_behind_us b '.others = "pass"'
    address=$(pod_addresses b | grep -v :)
    reaches b "$imds4" "$address" || fail "with others: pass it should be as without us" || return 1
    [ "$(others_hits)" -gt 0 ]
}

rename() { # POD
    local host
    host=$(pod_host_links "$1")
    ip -n node link set "$host" down
    ip -n node link set "$host" name renamed
    ip -n node link set renamed up
    ip -n node route replace "$(pod_addresses "$1")" dev renamed
}

bridge_renamed() { # POD
    ip -n node link add br0 type bridge
    ip -n node link set br0 address "$(ip -n node -json link show renamed | jq -r '.[0].address')" up
    ip -n node link set renamed master br0
    ip -n node route replace "$(pod_addresses "$1")" dev br0
    echo 1 | on_node tee /proc/sys/net/ipv4/conf/br0/proxy_arp >/dev/null
}

@test "a pod's veth that is renamed, and one that becomes a port of a bridge" {
    local step
    in_force
    pod_add a
    for step in rename bridge_renamed; do
        $step a
        # shellcheck disable=SC2046 # words
        is_stopped a $(pod_addresses a)
    done
    node_new
    in_force '.others = "pass"'
    pod_add a
    assert_imds_silent a
    for step in rename bridge_renamed; do
        $step a
        assert_imds_answers a
    done
    [ "$(others_hits)" -gt 0 ]
}

@test "the node's own packets and those for an agent on it are nobody's" {
    in_force
    pod_add a
    # As aws-node has it for each further ENI.
    ip -n node rule add from 10.0.1.10 table 102
    ip -n node -6 rule add from 2600:1f14:abc:d11::10 table 102
    for address in 10.0.0.10 10.0.1.10 2600:1f14:abc:d00::10 2600:1f14:abc:d11::10; do
        on_node curl --silent --fail --max-time 30 --interface $address "$(url "$(imds_of $address)")" \
            >/dev/null || fail "the node does not reach IMDS from $address" || return 1
    done
    # kube2iam's way: a port of the node's is IMDS.
    on_node socat "TCP4-LISTEN:8181,fork,reuseaddr" "EXEC:$world_root/test-netns/fixtures/http" \
        </dev/null >/dev/null 2>&1 3>&- &
    background+=($!)
    on_node nft -f - <<END
table ip agent {
    chain prerouting {
        type nat hook prerouting priority dstnat
        ip daddr $imds4 tcp dport 80 dnat to 10.0.0.10:8181
    }
}
END
    wait_until 5 reaches a "$imds4"
    [ "$(others_hits)" -eq 0 ]
}

@test "an ADD only tightens what stands for others, and sync makes it what is configured" {
    conflist regular
    pod_add a
    stranger_by_veth stranger
    stranger_is_stopped
    # An entry that only looks does not open the node.
    conflist regular '.mode = "audit"'
    pod_add b
    stranger_is_stopped
    assert_imds_answers b
    on_node "$IMDS_GUARD" sync >/dev/null
    answers stranger
    assert_imds_answers a
    conflist regular
    pod_add c
    stranger_is_stopped
    assert_imds_silent c
}
