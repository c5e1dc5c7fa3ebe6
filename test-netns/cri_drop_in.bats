#!/usr/bin/env bats
# A drop-in beside the conflist, with runtimes that read one and with those that do not, by CRI.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/cri.bash
. "$BATS_TEST_DIRNAME/lib/cri.bash"

bats_require_minimum_version 1.5.0

list=/etc/cni/net.d/10-aws.conflist

setup_file() {
    cri_use trixie
    world_start
    cri_install
}

teardown_file() {
    cri_tidy
}

setup() {
    node_new
    conflist_plain regular
    cp $list /run/plain
    entry '.exempt = [{namespace: "legacy-*", annotation: {"imds-guard/allow": "true"}}]' >/run/entry.json
}

teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || { guards; tail /run/containerd.log; }
    sandbox_end_all
    cri_stop
}

@test "containerd 2.1: a pod is guarded from its start to its end, and the conflist is left alone" {
    cri_use forky
    cri_start
    on_node "$IMDS_GUARD" install --drop-in --config /run/entry.json
    diff $list /run/plain
    # It does not watch the directory of drop-ins, and is told all the same.
    wait_until 30 cri_has_entry imds-guard
    sandbox_run a shop/web-0
    sandbox_run b legacy-billing/b 0 imds-guard/allow true
    assert_guards a drop
    assert_guards b pass
    assert_imds_silent a
    assert_imds_answers b
    run -0 on_node "$IMDS_GUARD" status
    run ! grep 'not read\|started without' <<<"$output"
    on_node "$IMDS_GUARD" status --quiet
    sandbox_stop a
    assert_no_guards a
}

# As user data does it: binary and drop-in are there before any conflist is, and no command has run.
@test "containerd 2.1: the first pod of a fresh node needs nobody else" {
    rm $list
    mkdir /etc/cni/net.d/aws-cni
    cp /run/entry.json /etc/cni/net.d/aws-cni/imds-guard.conf
    cri_use forky
    cri_start
    run -1 sandbox_run a shop/web-0
    cp /run/plain $list.tmp
    mv $list.tmp $list
    wait_until 30 cri_has_entry imds-guard
    sandbox_run a shop/web-0
    assert_guards a drop
    assert_imds_silent a
}

@test "containerd 2.1: uninstall takes the drop-in out, and nobody blocks the next pod of a name" {
    cri_use forky
    on_node "$IMDS_GUARD" install --drop-in --config /run/entry.json
    cri_start
    sandbox_run a shop/web-0
    assert_imds_silent a
    on_node "$IMDS_GUARD" uninstall --yes
    [ -z "$(find /etc/cni/net.d -name '*imds-guard*')" ]
    wait_until 30 cri_has_no_entry
    sandbox_stop a
    sandbox_remove a
    sandbox_run a shop/web-0 1
    assert_no_guards
    assert_imds_answers a
}

@test "containerd 1.7 reads none: status says so, the probe fails, and install without --drop-in mends it" {
    cri_use trixie
    on_node "$IMDS_GUARD" install --drop-in --config /run/entry.json
    cri_start
    # Before a pod has started nobody can tell.
    on_node "$IMDS_GUARD" status --quiet
    sandbox_run a shop/web-0
    assert_no_guards a
    run -0 on_node "$IMDS_GUARD" status
    [[ $output == *"note: /etc/cni/net.d/aws-cni/zz-imds-guard.conf is not read: a runtime"* ]]
    [[ $output == *"started without imds-guard in their chain: shop/web-0"* ]]
    run -1 on_node "$IMDS_GUARD" status --quiet
    [[ $output == *"is not read"*"without --drop-in"* ]]
    run on_node "$IMDS_GUARD" sync
    [[ $output == *"is not read"* ]]
    # Sync has guarded it; that is none the better for the next.
    run -1 on_node "$IMDS_GUARD" status --quiet

    on_node "$IMDS_GUARD" install --config /run/entry.json
    on_node "$IMDS_GUARD" status --quiet
    wait_until 30 cri_has_entry imds-guard
    sandbox_run b shop/web-1
    assert_guards b drop
    run -0 on_node "$IMDS_GUARD" status
    run ! grep 'not read' <<<"$output"
    run -0 on_node "$IMDS_GUARD" status --json
    jq -e '[.attachments[] | {(.pod): .unchained}] | add == {"web-0": true, "web-1": false}' <<<"$output"
}
