#!/usr/bin/env bats
# The agent as its DaemonSet runs it: with the manifest's arguments, mounts and capabilities, and no
# others.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/unpacked.bash
. "$BATS_TEST_DIRNAME/lib/unpacked.bash"
# shellcheck source=lib/container.bash
. "$BATS_TEST_DIRNAME/lib/container.bash"

bats_require_minimum_version 1.5.0

list=/etc/cni/net.d/10-aws.conflist
cluster=$BATS_TEST_DIRNAME/../examples/cluster

setup_file() {
    unpacked_use "$BATS_TEST_DIRNAME/../build" || fail "no kubectl; run.sh fetches it"
    world_start
    unpacked_kubectl kustomize "$cluster" >/run/default.yaml
    unpacked_kubectl kustomize "$cluster/removal" >/run/removal.yaml
    cp -r "$cluster" /run/with-metrics
    sed -i -e 's,^  # \(- components/metrics\)\>,  \1,' -e '/^components: \[\]$/s/ \[\]//' \
        /run/with-metrics/kustomization.yaml
    unpacked_kubectl kustomize /run/with-metrics >/run/metrics.yaml
    container_of watch /run/default.yaml >/run/watch.json
    container_of watch /run/metrics.yaml >/run/watch-metrics.json
    container_of uninstall /run/removal.yaml >/run/uninstall.json
    mapfile -t probe < <(gojq --yaml-input -r 'select(.kind == "DaemonSet").spec.template.spec.containers[0]
        | .readinessProbe.exec.command[]' /run/default.yaml)
    printf '%s\n' "${probe[@]:1}" >/run/probe
}

setup() {
    node_new
    rm /opt/cni/bin/imds-guard
    conflist_plain regular
    cp "$list" /run/plain
    mkdir -p /run/config
    jq --arg backend "$BACKEND" '. + {backend: $backend}' "$cluster/base/imds-guard.json" \
        >/run/config/imds-guard.json
}

# What a person wants to see when a test has failed, then the suite's own.
eval "suite_$(declare -f teardown)"
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 30 /run/agent.log /run/probe.log || true
    suite_teardown
}

start() { # SPEC
    container_run "$1" 2>/run/agent.log >&2 3>&- &
    background+=($!)
}

# As aws-node writes it: another name, a rename, the mode.
aws_node_writes() {
    cp /run/plain "$list.tmp"
    mv "$list.tmp" "$list"
    chmod 644 "$list"
}

has_entry() {
    [ "$(jq -r '.plugins[-1].type' "$list" 2>/dev/null)" = imds-guard ]
}

has_guards() { # POD
    assert_guards "$1" drop 2>/dev/null
}

is_ready() { # [SPEC]
    local probe
    mapfile -t probe </run/probe
    (container_run "${1:-/run/watch.json}" "${probe[@]}") >/run/probe.log 2>&1
}

@test "it guards who runs already and who starts, and is ready then" {
    pod_add before
    assert_imds_answers before
    run ! is_ready
    start /run/watch.json
    wait_until 30 has_entry
    wait_until 30 has_guards before
    assert_imds_silent before
    reaches before 203.0.113.10
    wait_until 30 is_ready
    # A namespace that has come since is seen as well.
    pod_add after
    assert_imds_silent after
    # What a person sees who looks from within.
    (container_run /run/watch.json status) >/run/shown
    grep -q '^default/after  .* drop ' /run/shown
    grep -qx 'started without imds-guard in their chain: default/before' /run/shown
    flush_rules
    wait_until 90 has_guards after
    assert_imds_silent after
    wait_until 30 is_ready
}

# What maxUnavailable stops at.
@test "an agent that guards nobody is never ready: it may not touch the rules, or finds no conflist" {
    pod_add a
    jq '.capabilities -= ["net_admin"]' /run/watch.json >/run/weak.json
    start /run/weak.json
    wait_until 30 has_entry
    wait_until 30 grep -q "refuses\|not permitted\|CAP_NET_ADMIN" /run/agent.log
    run ! is_ready /run/weak.json
    assert_imds_answers a
    kill "${background[0]}"
    wait "${background[0]}" || true

    rm "$list"
    start /run/watch.json
    wait_until 30 grep -q "waiting for it" /run/agent.log
    run ! is_ready
    aws_node_writes
    wait_until 30 is_ready
    assert_imds_silent a
}

@test "the directory of the conflists is deleted and made anew" {
    start /run/watch.json
    wait_until 30 has_entry
    wait_until 30 is_ready # else it may have files of its own there for a moment
    rm -r /etc/cni/net.d
    mkdir /etc/cni/net.d
    aws_node_writes
    wait_until 90 has_entry
    pod_add a
    assert_imds_silent a
}

@test "its metrics are in the file that node_exporter reads" {
    mkdir -p /var/lib/node_exporter/textfile_collector
    start /run/watch-metrics.json
    wait_until 30 has_entry
    pod_add a
    assert_imds_silent a
    wait_until 90 grep -q '^imds_guard_packets_total{namespace="default",pod="a",.*} [1-9]' \
        /var/lib/node_exporter/textfile_collector/imds-guard.prom
    # While it is written there is another beside it.
    wait_until 30 eval '[ "$(ls -A /var/lib/node_exporter/textfile_collector)" = imds-guard.prom ]'
}

@test "removal takes entry and guards away, and pods end as they should" {
    start /run/watch.json
    wait_until 30 has_entry
    pod_add a
    assert_imds_silent a
    kill "${background[0]}"
    wait "${background[0]}" || true
    (container_run /run/uninstall.json)
    diff "$list" /run/plain
    assert_no_guards
    assert_imds_answers a
    pod_del a
    # A DaemonSet's pod may be started again.
    (container_run /run/uninstall.json)
}
