#!/usr/bin/env bats
# Packets that no ordinary program sends. A tenant with CAP_NET_RAW, which containers have by default
# in many places, can send any frame out of its own interface.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/frames.bash
. "$BATS_TEST_DIRNAME/lib/frames.bash"

setup() {
    node_new
    conflist_plain ipv4-with-ipv6-egress
    pod_add a
    frames_of a
}

# The entry comes into the chain, and ADD is replayed: the same pod, now with its guards.
guard_pods() { # POD...
    local pod
    conflist ipv4-with-ipv6-egress "${ENTRY_FILTER:-.}"
    for pod; do
        plugin ADD "$pod" >/dev/null || return 1
    done
}

assert_does_not() { # POD LAYER...
    [ "$(how_many_arrive "$@")" -eq 0 ] || fail "arrives: $*"
}

# What goes to the node itself, or nowhere, and would have to be turned into something for IMDS there.
packets_for_the_node() {
    cat <<END
ip4,$self4,$node4,83070400000000${imds4_hex}00 tcp,80
ip4,$self4,$node4,830704${imds4_hex}00 tcp,80
ip4,$self4,$node4,890704${imds4_hex}00 tcp,80
ip4,$self4,$node4 ip4,$self4,$imds4 tcp,80
ip4,$self4,$node4 gre ip4,$self4,$imds4 tcp,80
ip4,$self4,$node4 vxlan ip4,$self4,$imds4 tcp,80
ip4,$self4,$node4 ip6,$self6,$imds6 tcp,80
ip4,$node4,$imds4 udp,80
ip4,$self4,255.255.255.255 udp,80
ip4,$self4,224.0.0.1 udp,80
vlan,5 ip4,$self4,$imds4 tcp,80
vlan,0 vlan,5 ip4,$self4,$imds4 tcp,80
ip6,$self6,$node6 routing,0,$imds6 tcp,80
ip6,$self6,$node6 routing,2,$imds6 tcp,80
ip6,$self6,$node6 routing,4,$imds6 tcp,80
ip6,$self6,$node6 ip6,$self6,$imds6 tcp,80
ip6,$self6,$node6 ip4,$self4,$imds4 tcp,80
ip6,$self6,$node6 vxlan ip6,$self6,$imds6 tcp,80
ip6,$self6,::ffff:$imds4 tcp,80
ip6,$self6,64:ff9b::$imds4 tcp,80
ip6,$self6,2002:a9fe:a9fe::1 tcp,80
ip6,$self6,::$imds4 tcp,80
ip6,$self6,ff02::1 udp,80
END
}

@test "options, fragments, extension headers, odd sources: what would arrive is dropped" {
    local line sent=0
    while read -ra line; do
        assert_arrives a "${line[@]}" || return 1
        sent=$((sent + 1))
    done < <(packets_to_imds)

    guard_pods a
    while read -ra line; do
        assert_does_not a "${line[@]}" || return 1
    done < <(packets_to_imds)
    wait_until 5 has_hits a drop $sent
    [ "$(guard_hits a drop)" -eq $sent ]
}

@test "what the node would have to unwrap, translate or route for the pod, it does not" {
    local line
    while read -ra line; do
        assert_does_not a "${line[@]}" || return 1
    done < <(packets_for_the_node)
    guard_pods a
    while read -ra line; do
        assert_does_not a "${line[@]}" || return 1
    done < <(packets_for_the_node)
}

@test "frames for everybody are not forwarded" {
    for MAC in ff:ff:ff:ff:ff:ff 01:00:5e:7e:a9:fe 33:33:00:00:02:54 02:00:00:00:00:01; do
        assert_does_not a "ip4,$self4,$imds4" tcp,80
        assert_does_not a "ip6,$self6,$imds6" tcp,80
    done
}

@test "segment routing through the node, where it is on" {
    local link
    link=$(jq -r '.interfaces[3].name' "$(result_file a)")
    for link in all "$link"; do
        on_node sysctl -q -w "net.ipv6.conf.$link.seg6_enabled=1" ||
            unavailable "the kernel has no segment routing"
    done
    assert_arrives a "ip6,$self6,$node6" "routing,4,$imds6" tcp,80
    guard_pods a
    assert_does_not a "ip6,$self6,$node6" "routing,4,$imds6" tcp,80
    wait_until 5 has_hits a drop 1
    [ "$(guard_hits a drop)" -eq 1 ]
}

@test "large packets that are sent in fragments" {
    conflist ipv4-with-ipv6-egress
    guard_pods a
    before=$(arrived)
    run ! in_pod a ping -n -q -c 1 -s 9000 -M dont -W 0.2 "$imds4"
    run ! in_pod a ping -n -q -c 1 -s 9000 -M dont -W 0.2 "$imds6"
    run ! in_pod a ping -n -q -c 1 -s 1 -R -W 0.2 "$imds4"
    run ! in_pod a ping -n -q -c 1 -T tsandaddr -W 0.2 "$imds4"
    settle a
    [ "$(arrived)" = "$before" ]
    [ "$(guard_hits a drop)" -gt 3 ]
    # The same with somebody's connection tracking, which puts fragments together.
    on_node nft 'add table inet track; add chain inet track c { type filter hook prerouting priority 0; }
        add rule inet track c ct state invalid counter'
    run ! in_pod a ping -n -q -c 1 -s 9000 -M dont -W 0.2 "$imds4"
    run ! in_pod a ping -n -q -c 1 -s 9000 -M dont -W 0.2 "$imds6"
    settle a
    [ "$(arrived)" = "$before" ]
    in_pod a ping -n -q -c 1 -s 9000 -M dont -W 30 169.254.169.253 >/dev/null
}

@test "forms of the address that mean another one" {
    local form
    guard_pods a
    before=$(arrived)
    for form in '[::ffff:169.254.169.254]' '[64:ff9b::a9fe:a9fe]' '[2002:a9fe:a9fe::1]' \
        '[fe80::a9fe:a9fe%25v6if0]' '[fd00:ec2::254%25v6if0]' '[ff02::1%25v6if0]' 2852039166 \
        0xa9fea9fe 0251.0376.0251.0376 169.254.43518; do
        run ! in_pod a curl --silent --globoff --max-time 0.2 "http://$form/"
    done
    [ "$(arrived)" = "$before" ]
}

@test "a second hop through another pod" {
    pod_add b
    pod_add c
    for pod in b c; do
        world_tune $pod
    done
    # a's packets take the way through b: to the node, to b, and back into the node.
    hop_through_b() {
        local verb=$1 host
        host=$(jq -r '.interfaces[0].name' "$(result_file b)")
        on_node ip route "$verb" "$imds4" via \
            "$(ip -n b -4 -json address show dev eth0 | jq -r '.[].addr_info[0].local')" \
            dev "$host" onlink table 77
        on_node ip rule "$verb" pref 1 iif "$(jq -r '.interfaces[0].name' "$(result_file a)")" table 77
    }
    hop_through_b add
    assert_arrives a "ip4,$self4,$imds4" tcp,80
    # Neither end of the way has to be b's doing, nor a's first hop be stopped.
    ENTRY_FILTER='.others = "pass"' guard_pods b
    assert_does_not a "ip4,$self4,$imds4" tcp,80
    wait_until 5 has_hits b drop 1
    hop_through_b delete

    # A tunnel between two pods: whichever of them lets it out is guarded.
    guard_pods a b c
    local end_a end_c
    end_a=$self4 end_c=$(ip -n c -4 -json address show dev eth0 | jq -r '.[].addr_info[0].local')
    ip -n a link add tunnel type vxlan id 1 local "$end_a" remote "$end_c" dstport 4789 ||
        unavailable "the kernel has no vxlan"
    ip -n c link add tunnel type vxlan id 1 local "$end_c" remote "$end_a" dstport 4789
    ip -n a address add 192.0.2.1/30 dev tunnel
    ip -n c address add 192.0.2.2/30 dev tunnel
    ip -n a link set tunnel up
    ip -n c link set tunnel up
    in_pod a ping -n -q -c 1 -W 30 192.0.2.2 >/dev/null
    ip -n a route add "$imds4" via 192.0.2.2
    before=$(arrived)
    run ! in_pod a curl --silent --max-time 0.4 "http://$imds4/"
    [ "$(arrived)" = "$before" ]
    [ "$(guard_hits c drop)" -gt 0 ]
}

@test "another pod answers to IMDS, because a packet has IMDS for its source" {
    pod_add b
    world_tune b
    local address_b
    address_b=$(ip -n b -4 -json address show dev eth0 | jq -r '.[].addr_info[0].local')
    assert_arrives a "ip4,$imds4,$address_b" udp,9
    guard_pods a b
    assert_does_not a "ip4,$imds4,$address_b" udp,9
    wait_until 5 has_hits b drop 1
    [ "$(guard_hits b drop)" -eq 1 ]
}

# --- what a guard cannot hold (SECURITY.md says why) ------------------------------------------------

@test "limit: source routing, where root has turned it on for the whole node" {
    guard_pods a
    assert_does_not a "ip4,$self4,$node4,830704${imds4_hex}00" tcp,80
    on_node sysctl -q -w net.ipv4.conf.all.accept_source_route=1
    assert_arrives a "ip4,$self4,$node4,830704${imds4_hex}00" tcp,80
}

@test "limit: the node's own answer to a packet that has IMDS for its source" {
    guard_pods a
    assert_arrives a "ip4,$imds4,$node4" udp,9
    # What nodes usually have.
    on_node sysctl -q -w net.ipv4.conf.all.rp_filter=1
    assert_does_not a "ip4,$imds4,$node4" udp,9
}

# What comes out of it comes by an interface that is no pod's.
@test "a tunnel that ends on the node" {
    ENTRY_FILTER='.others = "pass"' guard_pods a
    assert_does_not a "ip4,$self4,$node4" vxlan "ip4,$self4,$imds4" tcp,80
    on_node ip link add tunnel type vxlan id 1 local "$node4" dstport 4789 ||
        unavailable "the kernel has no vxlan"
    on_node ip link set tunnel up address "$(ip -n node -json link show dev \
        "$(jq -r '.interfaces[0].name' "$(result_file a)")" | jq -r '.[0].address')"
    assert_arrives a "ip4,$self4,$node4" vxlan "ip4,$self4,$imds4" tcp,80
    guard_pods a
    before=$(others_hits)
    assert_does_not a "ip4,$self4,$node4" vxlan "ip4,$self4,$imds4" tcp,80
    wait_until 5 eval '[ "$(others_hits)" -gt "$before" ]'
}
