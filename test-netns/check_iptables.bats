#!/usr/bin/env bats
# CHECK of what only iptables has: families apart, and jumps that have to be first.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist branch-strict
    pod_add a
    link=$(pod_host_links a | head -n 1)
}

@test "a guard is missing in one family" {
    remove_guard_on "$link" 6
    check_fails "$link" IPv6
    add_repairs
    remove_guard_on "$link" 4
    check_fails "$link" IPv4
    add_repairs
}

@test "a jump is gone" {
    for tool in iptables-legacy ip6tables-legacy; do
        for chain in FORWARD POSTROUTING; do
            on_node $tool -t mangle -F $chain
            check_fails $chain
            add_repairs
        done
    done
}

@test "a jump is not first any more" {
    for tool in iptables-legacy ip6tables-legacy; do
        for chain in FORWARD POSTROUTING; do
            on_node $tool -t mangle -I $chain 1 -j ACCEPT
            check_fails $chain
            add_repairs
            # Somebody else's rule is still theirs.
            on_node $tool -t mangle -C $chain -j ACCEPT
        done
    done
}
