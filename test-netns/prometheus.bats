#!/usr/bin/env bats
# What an operator sees: watch writes its file, node_exporter reads it, prometheus asks that, and the
# alerts of examples/prometheus fire when there is a cause and stop when it is mended. All of it in the
# node's network; the alerts' own times are shortened to what a test can wait for.

bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/watch.bash
. "$BATS_TEST_DIRNAME/lib/watch.bash"
# shellcheck source=lib/fence.bash
. "$BATS_TEST_DIRNAME/lib/fence.bash"
# shellcheck source=lib/unpacked.bash
. "$BATS_TEST_DIRNAME/lib/unpacked.bash"

unpacked_use "$world_root/build" || fail "no prometheus; run.sh fetches it"
PATH=$unpacked/trixie/usr/bin:$PATH
export EXIT_FENCE=auto
examples=$BATS_TEST_DIRNAME/../examples/prometheus
textfile=/run/textfiles/imds-guard.prom

eval "watch_$(declare -f setup)"
setup() {
    watch_setup
    mkdir -p /run/textfiles /var/lib/cni/results
    prepare regular
    config '.exempt = [{namespace: "kube-system"}]' >/run/config/imds-guard.json
}

eval "watch_$(declare -f teardown)"
teardown() {
    local process
    watch_teardown
    for process in "${background[@]}"; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    [ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 /run/prometheus.log "$textfile" || true
}

in_background() { # LOG COMMAND...
    # Not on_node: the number of the process is wanted, not that of a shell before it.
    nsenter --net=/run/netns/node -- "${@:2}" >"$1" 2>&1 3>&- &
    background+=($!)
}

watching_with_metrics() {
    start_watch --config /run/config/imds-guard.json --metrics-file $textfile --interval 2
    wait_until 10 has_entry
    wait_until 10 test -e $textfile
}

start_prometheus() {
    sed -E -e 's/^( *for:) .*/\1 1s/' -e 's/> 120$/> 35/; s/> 300$/> 40/; s/< 600$/< 15/' \
        -e 's/\[15m\]/[10s]/; s/> 20$/> 5/' "$examples/imds-guard.rules.yaml" >/run/rules.yaml
    cat >/run/prometheus.yaml <<'END'
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [/run/rules.yaml]
scrape_configs:
  - job_name: node
    honor_labels: true
    static_configs: [{targets: ["127.0.0.1:9100"]}]
END
    in_background /run/exporter.log prometheus-node-exporter --web.listen-address=127.0.0.1:9100 \
        --collector.disable-defaults --collector.uname --collector.textfile \
        --collector.textfile.directory=/run/textfiles
    rm -rf /run/tsdb
    in_background /run/prometheus.log prometheus --config.file=/run/prometheus.yaml \
        --storage.tsdb.path=/run/tsdb --web.listen-address=127.0.0.1:9090
    wait_until 30 has_data imds_guard_build_info
}

ask() { # EXPRESSION
    on_node curl --silent --fail --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
        jq -c '.data.result[]'
}

has_data() { # EXPRESSION
    [ -n "$(ask "$1" 2>/dev/null)" ]
}

fires() { # ALERT [LABELS]
    has_data "ALERTS{alertname=\"$1\", alertstate=\"firing\"${2:+, $2}}"
}

rests() { # ALERT
    ! fires "$1"
}

# What else fires is told when it should not. Before the first answer there may have been one.
assert_no_alert() {
    wait_until 20 all_rest || fail "$(ask 'ALERTS{alertstate="firing"}')"
}

all_rest() {
    local found
    found=$(ask 'ALERTS{alertstate="firing"}') && [ -z "$found" ]
}

# Asks for IMDS, and looks whether that is known already.
asks_and_fires() { # POD ALERT [LABELS]
    attack "$1" "$imds4" >/dev/null || true
    fires "${@:2}"
}

@test "rules and metrics are as Prometheus wants them" {
    promtool check rules "$examples/imds-guard.rules.yaml"
    promtool test rules "$examples/imds-guard.rules.test.yaml"
    watching_with_metrics
    pod_add a
    assert_imds_silent a
    wait_until 15 grep -q 'imds_guard_packets_total{namespace="default",pod="a",.*} [1-9]' $textfile
    promtool check metrics <$textfile
    on_node "$IMDS_GUARD" status --prometheus | promtool check metrics
    # While it is written there is another beside it.
    wait_until 10 eval '[ "$(ls -A /run/textfiles)" = imds-guard.prom ]'
    [ "$(stat -c %a $textfile)" = 644 ]
}

@test "who asks is told of, and no panel of the dashboard is empty" {
    local expression
    watching_with_metrics
    pod_add a
    pod_add exempt kube-system/exempt
    start_prometheus
    wait_until 20 has_data 'imds_guard_attachments{state="guarded"} == 2'
    assert_no_alert
    # Somebody of whom libcni has never heard, and one whose namespace is out of sight.
    kill -STOP "$watching"
    plain_add stray
    rm "$(cached stray)"
    plain_add lost
    out_of_sight lost
    kill -CONT "$watching"
    assert_imds_silent a
    assert_imds_answers exempt
    wait_until 20 asks_and_fires a ImdsGuardPodAsks 'namespace="default", pod="a"'
    wait_until 20 asks_and_fires stray ImdsGuardOthersAsk
    assert_imds_silent a
    assert_imds_answers exempt
    while read -r expression; do
        expression=${expression//\$node/.*}
        wait_until 30 has_data "${expression//\$__rate_interval/30s}" || fail "empty: $expression"
    done < <(jq -r '.panels[].targets[].expr' "$examples/dashboard.json")
    wait_until 30 rests ImdsGuardPodAsks
    wait_until 30 rests ImdsGuardOthersAsk
}

# A pod by a chain that we are not in.
plain_add() { # POD
    mkdir -p /run/plain.d
    cp /run/plain /run/plain.d/10-aws.conflist
    pod_new "$1"
    CNI_PATH=/opt/cni/bin NETCONFPATH=/run/plain.d CNI_ARGS=$(pod_args "$1") \
        on_node "$CNITOOL" add aws-cni "/run/netns/$1" >"$(result_file "$1")"
}

cached() { # POD
    echo "/var/lib/cni/results/aws-cni-$(pod_container "$1")-eth0"
}

# As with a container that has not the node's /run/netns. What was there is kept.
out_of_sight() { # POD
    cp "$(cached "$1")" "/run/cached-$1"
    jq '.netns = "/run/netns/out-of-sight"' "/run/cached-$1" >"/run/blind-$1"
    mv "/run/blind-$1" "$(cached "$1")"
}

@test "a pod that is open is an alarm until it is not" {
    config '.others = "pass"' >/run/config/imds-guard.json
    watching_with_metrics
    start_prometheus
    assert_no_alert
    kill -STOP "$watching"
    plain_add a
    out_of_sight a
    kill -CONT "$watching"
    assert_imds_answers a
    wait_until 30 fires ImdsGuardPodOpen
    mv /run/cached-a "$(cached a)"
    wait_until 30 rests ImdsGuardPodOpen
    assert_imds_silent a
}

@test "a node that is open, and a pod that is cut off" {
    watching_with_metrics
    pod_add exempt kube-system/exempt
    assert_imds_answers exempt
    start_prometheus
    assert_no_alert
    end_watch
    remove_guard_on "$(pod_host_links exempt)"
    assert_nothing_arrives exempt
    tell
    wait_until 30 fires ImdsGuardPodCutOff
    on_node "$IMDS_GUARD" flush --yes
    tell
    wait_until 30 fires ImdsGuardNodeOpen
    watching_with_metrics
    wait_until 30 rests ImdsGuardNodeOpen
    wait_until 30 rests ImdsGuardPodCutOff
    assert_imds_answers exempt
}

end_watch() {
    kill "$watching"
    wait "$watching" || true
    watching=
}

# What watch would have written, if it had not repaired first.
tell() {
    on_node "$IMDS_GUARD" status --prometheus >$textfile.new || true
    mv $textfile.new $textfile
}

@test "an exit fence that another program has come before" {
    fence_is_possible
    config >/run/config/imds-guard.json
    watching_with_metrics
    start_prometheus
    wait_until 20 has_data 'imds_guard_exit_fence_stands == 1'
    assert_no_alert
    end_watch
    fence rival eth0
    tell
    wait_until 30 fires ImdsGuardFenceGone
    watching_with_metrics
    wait_until 30 rests ImdsGuardFenceGone
}

@test "a watch that hangs, and one that is not there" {
    watching_with_metrics
    start_prometheus
    assert_no_alert
    kill -STOP "$watching"
    wait_until 60 fires ImdsGuardMetricsOld
    kill -CONT "$watching"
    wait_until 30 rests ImdsGuardMetricsOld
    end_watch
    rm $textfile
    wait_until 30 fires ImdsGuardMissing
    watching_with_metrics
    wait_until 30 rests ImdsGuardMissing
}

@test "a configuration that cannot be used, and a file that cannot be read" {
    watching_with_metrics
    pod_add a
    start_prometheus
    assert_no_alert
    echo broken >/run/config/imds-guard.json
    wait_until 30 fires ImdsGuardConfigurationOld
    assert_imds_silent a
    config >/run/config/imds-guard.json
    wait_until 30 rests ImdsGuardConfigurationOld
    truncate -s 20G /var/lib/cni/results/aws-cni-huge-eth0
    wait_until 30 fires ImdsGuardNotAllRead
    rm /var/lib/cni/results/aws-cni-huge-eth0
    wait_until 30 rests ImdsGuardNotAllRead
}

@test "somebody who undoes it again and again" {
    watching_with_metrics
    start_prometheus
    assert_no_alert
    undo 3>&- &
    local undoing=$!
    wait_until 30 fires ImdsGuardUndone 'what="entry"'
    kill $undoing
    wait_until 30 rests ImdsGuardUndone
}

undo() {
    while :; do
        aws_node_writes
        sleep 0.3
    done
}
