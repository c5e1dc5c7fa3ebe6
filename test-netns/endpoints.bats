#!/usr/bin/env bats
# The endpoints are the node's, and attachments may be configured differently: of several networks, of
# two entries of ours in one chain, from before and after an edit of the conflist.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

imds='"169.254.169.254", "fd00:ec2::254"'
more='"203.0.113.0/24", "2001:db8:1::/48"'

setup() {
    node_new
    conflist ipv4-with-ipv6-egress ".endpoints = [$imds, $more]"
    pod_add a
}

is_kept_from_more() { # POD
    run ! in_pod "$1" curl --silent --max-time 0.3 http://203.0.113.10/
    run ! in_pod "$1" curl --silent --max-time 0.3 "http://[2001:db8:1::10]/"
}

reaches_more() { # POD
    reaches "$1" 203.0.113.10 && reaches "$1" 2001:db8:1::10
}

# A pod of another network, which is guarded as this says.
add_of_other_network() { # POD FILTER
    CONFIG=$(entry "$2") NETWORK=other plugin ADD "$1" >/dev/null
}

other_pod() {
    conflist_plain regular
    pod_add b
    rm "/var/lib/cni/results/aws-cni-$(pod_container b)-eth0"
}

@test "another network's ADD takes no endpoint away" {
    other_pod
    conflist ipv4-with-ipv6-egress ".endpoints = [$imds, $more]"
    add_of_other_network b .
    is_kept_from_more a
    assert_imds_silent a
    assert_quiet plugin CHECK a
    CONFIG=$(entry) NETWORK=other assert_quiet plugin CHECK b
}

@test "an endpoint beside EC2's own ranges, where all were in them before" {
    conflist ipv4-with-ipv6-egress
    on_node "$IMDS_GUARD" sync >/dev/null
    reaches_more a
    assert_imds_silent a
    conflist ipv4-with-ipv6-egress ".endpoints = [$imds, $more]"
    plugin ADD a >/dev/null
    is_kept_from_more a
    assert_imds_silent a
    assert_quiet plugin CHECK a
}

@test "the second entry of a chain takes no endpoint of the first away" {
    conflist ipv4-with-ipv6-egress ".endpoints = [$imds]"
    plugin ADD a >/dev/null
    is_kept_from_more a
    assert_imds_silent a
    assert_quiet plugin CHECK a
    CONFIG=$(entry ".endpoints = [$more]") assert_quiet plugin CHECK a
}

@test "endpoints that overlap" {
    local wider='.endpoints = ["203.0.0.0/16", "2001:db8::/32"]'
    local narrower='.endpoints = ["203.0.113.10", "2001:db8:1::10"]'
    CONFIG=$(entry "$narrower") plugin ADD a >/dev/null
    is_kept_from_more a
    assert_quiet plugin CHECK a
    CONFIG=$(entry "$narrower") assert_quiet plugin CHECK a
    CONFIG=$(entry "$wider") assert_error 102 plugin CHECK a
    CONFIG=$(entry "$wider") plugin ADD a >/dev/null
    for config in "$wider" "$narrower" ".endpoints = [$imds, $more]"; do
        CONFIG=$(entry "$config") assert_quiet plugin CHECK a
    done
    is_kept_from_more a
    assert_imds_silent a
}

@test "ADDs at once, each with endpoints of its own" {
    local i
    for i in {1..8}; do
        add_of_other_network a ".endpoints = [\"198.51.100.$i\", \"2001:db8:$i::/48\"]" &
    done
    wait
    for i in {1..8}; do
        CONFIG=$(entry ".endpoints = [\"198.51.100.$i\", \"2001:db8:$i::/48\"]") NETWORK=other \
            assert_quiet plugin CHECK a
    done
}

@test "what the conflist no longer names, sync takes away" {
    conflist ipv4-with-ipv6-egress
    plugin ADD a >/dev/null
    is_kept_from_more a
    on_node "$IMDS_GUARD" status | tee /dev/stderr | grep 'note: .*203.0.113.0/24'
    on_node "$IMDS_GUARD" sync --dry-run | grep 'would .*203.0.113.0/24'
    is_kept_from_more a
    on_node "$IMDS_GUARD" sync | tee /dev/stderr | grep '203.0.113.0/24'
    reaches_more a
    assert_imds_silent a
    run ! grep -F 203.0.113 <(on_node "$IMDS_GUARD" status; on_node "$IMDS_GUARD" sync)
}

# Which endpoints those are, an ADD of theirs says again.
@test "sync makes it what the conflist says, whatever another network's attachment has wanted" {
    other_pod
    add_of_other_network b ".endpoints = [$more]"
    conflist ipv4-with-ipv6-egress
    on_node "$IMDS_GUARD" sync | tee /dev/stderr | grep 'took .*203.0.113.0/24'
    reaches_more a
    assert_imds_silent a
    CONFIG=$(entry ".endpoints = [$more]") NETWORK=other assert_error 102 plugin CHECK b
    add_of_other_network b ".endpoints = [$more]"
    CONFIG=$(entry ".endpoints = [$more]") NETWORK=other assert_quiet plugin CHECK b
    is_kept_from_more a
    assert_imds_silent a
}
