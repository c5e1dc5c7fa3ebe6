#!/usr/bin/env bats
# CHECK names each thing that is wrong, and says nothing when nothing is.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist branch-strict
    pod_add a
    link=$(pod_host_links a | head -n 1)
}

@test "nothing wrong" {
    assert_guards a drop
    assert_quiet plugin CHECK a
    assert_quiet pod_check a
}

@test "a guard is missing" {
    remove_guard_on "$link"
    assert_nothing_arrives a
    check_fails "$link" "no guard of its own"
    add_repairs
}

@test "a guard has the wrong verdict" {
    conflist branch-strict '.mode = "audit"'
    plugin ADD a >/dev/null
    conflist branch-strict
    check_fails "$link" drop "packets pass that should be denied"
    add_repairs
}

@test "a guard has another owner" {
    CNI_CONTAINERID=somebody-else plugin ADD a >/dev/null
    check_fails "$link" "its guard belongs to another attachment"
}

@test "the guards are for other endpoints than configured" {
    conflist branch-strict '.endpoints = ["169.254.169.254", "fd00:ec2::254", "203.0.113.0/24"]'
    assert_error 102 plugin CHECK a
    plugin ADD a >/dev/null
    assert_quiet plugin CHECK a
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    assert_imds_silent a
}

@test "the table or a chain is flushed" {
    assert_guards a drop
    if [ "$BACKEND" = nftables ]; then
        for chain in $(nft_base_chains); do
            on_node nft flush chain inet imds_guard "$chain"
            check_fails "$chain"
            add_repairs
        done
    else
        for tool in iptables-legacy ip6tables-legacy; do
            on_node $tool -t mangle -F IMDS-GUARD
            check_fails "$link"
            add_repairs
        done
    fi
}

@test "all rules are flushed" {
    flush_rules
    assert_error 102 plugin CHECK a
    add_repairs
}

@test "an ADD of another pod puts the skeleton right for all" {
    if [ "$BACKEND" = nftables ]; then
        for chain in $(nft_base_chains); do
            on_node nft flush chain inet imds_guard "$chain"
        done
    else
        on_node iptables-legacy -t mangle -I FORWARD 1 -j ACCEPT
        on_node ip6tables-legacy -t mangle -F FORWARD
    fi
    assert_error 102 plugin CHECK a
    pod_add b
    assert_quiet plugin CHECK a
    assert_imds_silent a
}

@test "no prevResult" {
    PREV_RESULT='' assert_error 7 plugin CHECK a
    assert_says "after"
}
