#!/usr/bin/env bats
# A real runtime as the kubelet uses it: pod sandboxes of containerd by CRI, with annotations, in the
# conflist that `install` has patched. cri.bats has 1.7, cri_containerd2_nftables.bats, the same file, 2.1.
# (containerd.bats has containers by ctr, which has neither pods nor their annotations, and keeps the
# configuration that it started with.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/cri.bash
. "$BATS_TEST_DIRNAME/lib/cri.bash"

bats_require_minimum_version 1.5.0

case ${BATS_TEST_FILENAME##*/} in
cri_containerd2_*) release=forky ;;
*) release=trixie ;;
esac

setup_file() {
    cri_use $release
    world_start
    cri_install
}

teardown_file() {
    cri_tidy
}

setup() {
    cri_use $release
    node_new
    rm -f /opt/cni/bin/imds-guard
    conflist_plain regular
    entry '.exempt = [{namespace: "legacy-*", annotation: {"imds-guard/allow": "true"}}]' >/run/entry.json
    on_node "$IMDS_GUARD" install --config /run/entry.json
    cri_start || unavailable "containerd does not start: $(tail -n 1 /run/containerd.log)"
}

teardown() {
    [ ${#background[@]} -eq 0 ] || kill "${background[@]}" 2>/dev/null || true
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

@test "uninstalled: pods reach IMDS, end as they should, and nobody blocks the next of their name" {
    sandbox_run a shop/web-0
    sandbox_run b shop/web-1
    assert_imds_silent a
    on_node "$IMDS_GUARD" uninstall --yes
    assert_no_guards
    assert_imds_answers a
    assert_imds_answers b
    wait_until 30 cri_has_no_entry
    # containerd ends it by the list as it is now, which has no imds-guard.
    sandbox_stop a
    sandbox_remove a
    sandbox_run a shop/web-0 1
    assert_no_guards
    assert_imds_answers a
    assert_rest_answers a b
}

@test "uninstalled but for the guards: who runs stays guarded, and so does the next of that name, until flush" {
    sandbox_run a shop/web-0
    sandbox_run b shop/web-1
    run -0 on_node "$IMDS_GUARD" uninstall --keep-guards
    [[ $output == *"2 guards kept"* ]]
    [[ $output == *"imds-guard flush"* ]]
    assert_imds_silent a
    wait_until 30 cri_has_no_entry
    sandbox_stop a
    sandbox_remove a
    sandbox_run a shop/web-0 1
    # The guard is the pod's before it.
    [ -z "$(attack a "$imds4")" ]
    assert_rest_answers a b
    on_node "$IMDS_GUARD" flush --yes
    assert_no_guards
    assert_imds_answers a
}

# aws-node's file comes later than everything else: a fresh node, an agent by systemd.
@test "the first pod of a fresh node, where watch waits for the conflist" {
    local list=/etc/cni/net.d/10-aws.conflist watching
    on_node "$IMDS_GUARD" uninstall --yes
    mv $list /run/plain
    wait_until 30 has_no_network
    ASAN_OPTIONS=detect_leaks=0 nsenter --net=/run/netns/node -- "$IMDS_GUARD" watch \
        --config /run/entry.json 2>/run/watch.log >/dev/null 3>&- &
    watching=$!
    background+=("$watching")
    wait_until 30 grep -q 'waiting for it' /run/watch.log
    cp /run/plain $list.tmp
    mv $list.tmp $list
    wait_until 30 cri_has_entry imds-guard
    sandbox_run a shop/web-0
    # By its own ADD: watch is not what has guarded it.
    kill -TERM "$watching"
    wait "$watching" || true
    run ! grep 'guarded shop/web-0' /run/watch.log
    assert_guards a drop
    assert_imds_silent a
}

has_no_network() {
    ! cri_has_entry aws-cni
}
