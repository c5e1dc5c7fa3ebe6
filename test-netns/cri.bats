#!/usr/bin/env bats
# A real runtime as the kubelet uses it: pod sandboxes of Debian's containerd by CRI, with annotations,
# in the conflist that `install` has patched. (containerd.bats has containers by ctr, which has neither
# pods nor their annotations.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/cri.bash
. "$BATS_TEST_DIRNAME/lib/cri.bash"

bats_require_minimum_version 1.5.0

setup_file() {
    local tool
    for tool in containerd ctr runc protoc; do
        type -P $tool >/dev/null || unavailable "$tool is not installed"
    done
    [ -x /bin/busybox ] || unavailable "busybox-static is not installed"
    [ -x /usr/lib/cni/loopback ] || unavailable "containernetworking-plugins is not installed"
    world_start
    cri_install
}

teardown_file() {
    # runc leaves the directory above a sandbox's cgroup.
    find /sys/fs/cgroup -depth -type d -path "*/$cri_cgroup*" -exec rmdir {} + 2>/dev/null || true
}

setup() {
    node_new
    rm -f /opt/cni/bin/imds-guard
    conflist_plain regular
    entry '.exempt = [{namespace: "legacy-*", annotation: {"imds-guard/allow": "true"}}]' >/run/entry.json
    on_node "$IMDS_GUARD" install --config /run/entry.json
    cri_start || unavailable "containerd does not start: $(tail -n 1 /run/containerd.log)"
}

teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || { guards; tail /run/containerd.log; }
    sandbox_end_all
    cri_stop
}

@test "a pod is guarded from its start to its end, and knows its name" {
    sandbox_run a shop/web-0
    sandbox_run b shop/web-1
    assert_guards a drop
    assert_imds_silent a
    assert_rest_answers a b
    guards_of a | grep -q ' shop/web-0$'
    sandbox_stop a
    assert_no_guards a
    sandbox_remove a
    assert_guards b drop
    assert_imds_silent b
    sandbox_stop b
    assert_no_guards
}

@test "an annotation exempts where the configuration says so, and nowhere else" {
    sandbox_run a legacy-billing/a 0 imds-guard/allow true
    sandbox_run b legacy-billing/b 0 imds-guard/allow false
    sandbox_run c legacy-billing/c
    sandbox_run d shop/d 0 imds-guard/allow true
    assert_guards a pass
    assert_imds_answers a
    for pod in b c d; do
        assert_guards "$pod" drop
        assert_imds_silent "$pod"
    done
}

@test "a pod is made again under its name before the old one's sandbox is taken away" {
    sandbox_run old shop/web-0
    assert_imds_silent old
    sandbox_run new shop/web-0 1
    assert_guards new drop
    assert_imds_silent new
    # The old sandbox's DEL comes late.
    sandbox_stop old
    sandbox_remove old
    assert_guards new drop
    assert_imds_silent new
    sandbox_stop new
    assert_no_guards
}

@test "a pod does not start without its guard" {
    entry '.lockTimeoutSeconds = 1 | .endpoints = "none"' >/run/wrong.json
    jq --slurpfile entry /run/wrong.json '.plugins[-1] = $entry[0]' /etc/cni/net.d/10-aws.conflist \
        >/run/wrong.conflist
    cri_stop # else it takes notice some time later
    cp /run/wrong.conflist /etc/cni/net.d/10-aws.conflist
    cri_start
    run -1 sandbox_run a shop/web-0
    [[ $output == *imds-guard*endpoints* ]]
    assert_no_guards
}

@test "containerd restarts, pods stay guarded and end as they should" {
    sandbox_run a shop/web-0
    cri_stop
    assert_imds_silent a
    cri_start
    assert_imds_silent a
    sandbox_stop a
    assert_no_guards
}
