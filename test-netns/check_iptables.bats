#!/usr/bin/env bats
# CHECK of what only iptables has: families apart, and rules that have to be at their place.

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
    check_fails "$link" 'one address family'
    add_repairs
    remove_guard_on "$link" 4
    check_fails "$link" 'one address family'
    add_repairs
}

@test "a jump is gone" {
    for tool in iptables ip6tables; do
        on_node $tool-legacy -t mangle -F FORWARD
        check_fails "$tool: FORWARD" 'no jump'
        add_repairs
    done
}

@test "a jump is not first any more" {
    for tool in iptables ip6tables; do
        on_node $tool-legacy -t mangle -I FORWARD 1 -j ACCEPT
        check_fails "$tool: rule 1 of FORWARD"
        add_repairs
        # Somebody else's rule is still theirs.
        on_node $tool-legacy -t mangle -C FORWARD -j ACCEPT
    done
}

@test "the rule for others is gone, or not behind the guards" {
    for tool in iptables ip6tables; do
        on_node $tool-legacy -t mangle -D IMDS-GUARD -j DROP
        check_fails "$tool: IMDS-GUARD"
        add_repairs
        on_node $tool-legacy -t mangle -D IMDS-GUARD -j DROP
        on_node $tool-legacy -t mangle -I IMDS-GUARD 1 -j DROP
        check_fails "$tool: rule 1 of IMDS-GUARD"
        add_repairs
        [ "$(on_node $tool-legacy -t mangle -S IMDS-GUARD | tail -1)" = "-A IMDS-GUARD -j DROP" ]
    done
}
