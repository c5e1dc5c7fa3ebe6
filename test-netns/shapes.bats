#!/usr/bin/env bats
# Every shape of pod that the AWS VPC CNI makes, from ADD to DEL, with packets.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

guarded_from_add_to_del() { # SHAPE
    local others
    conflist_plain "$1"
    pod_add a
    assert_imds_answers a
    pod_del a

    others=$(others_rules)
    conflist "$1"
    pod_add a
    pod_add b
    assert_guards a drop
    assert_imds_silent a
    assert_rest_answers a b
    pod_check a

    pod_del a
    assert_no_guards a
    assert_guards b drop
    assert_imds_silent b
    pod_del b
    assert_no_guards
    [ "$(others_rules)" = "$others" ]
}

@test "regular pod" {
    guarded_from_add_to_del regular
}

@test "custom veth prefix" {
    guarded_from_add_to_del custom-prefix
}

@test "multi-NIC pod" {
    guarded_from_add_to_del multi-nic
}

@test "branch ENI, strict mode" {
    guarded_from_add_to_del branch-strict
}

@test "branch ENI, standard mode" {
    guarded_from_add_to_del branch-standard
}

@test "branch ENI in an IPv6 cluster" {
    guarded_from_add_to_del branch-ipv6
}

@test "IPv6 cluster with IPv4 egress" {
    guarded_from_add_to_del ipv6-with-ipv4-egress
}

@test "IPv4 cluster with IPv6 egress" {
    guarded_from_add_to_del ipv4-with-ipv6-egress
}

@test "every shape in CNI 1.0.0 and 0.3.1" {
    for CNI_VERSION in 1.0.0 0.3.1; do
        for shape in "${world_shapes[@]}"; do
            conflist "$shape"
            pod_add a
            assert_guards a drop
            pod_del a
            assert_no_guards
        done
    done
    # The last one with packets.
    pod_add a
    assert_imds_silent a
}

@test "the result is handed on as it came" {
    for shape in "${world_shapes[@]}"; do
        conflist_plain "$shape"
        pod_add plain default/same
        pod_del plain default/same
        conflist "$shape"
        pod_add guarded default/same
        # The egress veth has a random MAC, and is named after the container.
        for pod in plain guarded; do
            jq --arg netns "/run/netns/$pod" 'del(.interfaces[3:][]?.mac)
                | .interfaces[].name |= sub("^veth.*"; "veth") | .interfaces[].sandbox? |=
                    if . == $netns then "netns" else . end' "$(result_file $pod)" >"/run/$pod"
        done
        assert_same_json /run/plain /run/guarded
        pod_del guarded default/same
    done
}
