#!/usr/bin/env bats
# Which pods are let through, and that every packet counts.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

annotated() { # JSON COMMAND...
    local annotations=$1
    shift
    CAP_ARGS="{\"io.kubernetes.cri.pod-annotations\": $annotations}" "$@"
}

is_let_through() { # POD
    assert_guards "$1" pass
    assert_imds_answers "$1"
    assert_hits "$1" pass
}

is_guarded() { # POD
    assert_guards "$1" drop
    assert_imds_silent "$1"
}

@test "audit mode lets everything pass, and counts it" {
    for shape in regular branch-strict ipv6-with-ipv4-egress; do
        conflist $shape '.mode = "audit"'
        pod_add a
        is_let_through a
        pod_check a
        pod_del a
        assert_no_guards
    done
}

@test "exempt by namespace" {
    conflist regular '.exempt = [{"namespace": "kube-*"}]'
    pod_add a kube-system/aws-node
    pod_add b my-kube-system/aws-node
    is_let_through a
    is_guarded b
}

@test "exempt by namespace and pod" {
    conflist regular '.exempt = [{"namespace": "kube-system", "pod": "ebs-csi-node-*"}]'
    pod_add a kube-system/ebs-csi-node-x7k2p
    pod_add b kube-system/coredns-1
    pod_add c default/ebs-csi-node-x7k2p
    is_let_through a
    is_guarded b
    is_guarded c
}

@test "exempt by annotation, in the listed namespaces only" {
    conflist regular '.exempt = [{"namespace": "legacy-*", "annotation": {"imds-guard/allow": "true"}}]'
    annotated '{"imds-guard/allow": "true", "other": "x"}' pod_add a legacy-shop/a
    annotated '{"imds-guard/allow": "false"}' pod_add b legacy-shop/b
    annotated '{"imds-guard/allow": "true"}' pod_add c default/c
    pod_add d legacy-shop/d
    is_let_through a
    is_guarded b
    is_guarded c
    is_guarded d
    # The same from what the runtime has kept.
    on_node "$IMDS_GUARD" flush --yes
    on_node "$IMDS_GUARD" sync
    is_let_through a
    is_guarded b
    is_guarded c
    is_guarded d
}

@test "a pod that does not say who it is, is guarded" {
    conflist_plain regular
    pod_add a
    conflist regular '.exempt = [{"namespace": "*"}]'
    CNI_ARGS='' plugin ADD a >/dev/null
    is_guarded a
    CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=a' plugin ADD a >/dev/null
    is_guarded a
    plugin ADD a >/dev/null
    is_let_through a
}

@test "every packet counts, and only those to IMDS" {
    conflist ipv4-with-ipv6-egress
    pod_add a
    pod_add b
    [ "$(guard_hits a drop)" -eq 0 ]
    run ! in_pod a ping -n -q -c 7 -i 0.01 -W 0.1 169.254.169.254
    wait_until 5 has_hits a drop 7
    [ "$(guard_hits a drop)" -eq 7 ]
    run ! in_pod a ping -n -q -c 5 -i 0.01 -W 0.1 fd00:ec2::254
    wait_until 5 has_hits a drop 12
    [ "$(guard_hits a drop)" -eq 12 ]
    assert_rest_answers a b
    [ "$(guard_hits a drop)" -eq 12 ]
    [ "$(guard_hits b drop)" -eq 0 ]
}

@test "other endpoints than IMDS" {
    conflist ipv4-with-ipv6-egress '.endpoints = ["169.254.169.254", "fd00:ec2::254",
        "203.0.113.0/24", "2001:db8:1::/48"]'
    pod_add a
    is_guarded a
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    run ! in_pod a curl --silent --max-time 0.3 "http://[2001:db8:1::10]/"
    reaches a 169.254.170.23
    reaches_udp a 169.254.169.253 53
}
