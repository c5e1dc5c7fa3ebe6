#!/usr/bin/env bats
# watch on a node that is busy and well: its log has a line where something has happened that somebody
# should know, and no other; and a pod costs a look at that pod. STEADY_PODS pods in STEADY_SECONDS.
# (steady_long.bats is this file: 200 pods, two minutes.)

bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/watch.bash
. "$BATS_TEST_DIRNAME/lib/watch.bash"

export EXIT_FENCE=auto
case ${BATS_TEST_FILENAME##*/} in
*_long.bats) : "${STEADY_PODS:=200}" "${STEADY_SECONDS:=120}" ;;
*) : "${STEADY_PODS:=60}" "${STEADY_SECONDS:=20}" ;;
esac

# Lines about what was put right, or could not be. `start` is when there is something to do. A pod whose
# deletion has lasted longer than any should is repaired meanwhile, as far as can be known.
repairs() {
    touch /run/slow
    grep -vE '\[(start|conflist changed|counted)\]$' "$log" | grep -vwF -f /run/slow || true
}

# One pod after the other until it is time, each under a name that no other has.
come_and_go() { # WORKER
    local number=0 pod since
    while [ $SECONDS -lt "$churn_ends" ] && [ $((number++)) -lt $((STEADY_PODS / 4)) ]; do
        pod=p$1x${churns}x$number
        pod_add "$pod" || return 1
        sleep 0.$((RANDOM % 4))
        since=$SECONDS
        pod_del "$pod" || return 1
        [ $((SECONDS - since)) -lt 4 ] || echo "default/$pod" >>/run/slow
        pod_gone "$pod"
        echo "$pod" >>/run/churned
    done
}

churn() {
    local worker workers=()
    churn_ends=$((SECONDS + STEADY_SECONDS))
    churns=$((${churns:-0} + 1))
    for worker in 1 2 3 4; do
        come_and_go $worker >/dev/null 3>&- 4>&- &
        workers+=($!)
    done
    for worker in "${workers[@]}"; do
        wait "$worker" || fail "a worker has failed"
    done
}

start_watching() { # OPTION...
    prepare regular
    mkdir -p /var/lib/cni/results
    start_watch --config /run/config/imds-guard.json "$@"
    wait_until 10 has_entry
    wait_until 10 said "set the verdict for interfaces without a guard"
}

# The DaemonSet's readiness probe, somewhat more often. What it says is why the node is not in force.
probe_all_the_while() {
    while [ ! -e /run/enough ]; do
        on_node "$IMDS_GUARD" status --quiet 2>&1 || true
        echo >>/run/probes
        sleep 0.1
    done >/run/not-ready
}

@test "pods that come and go are no reason for a line, none is repaired, and the node stays ready" {
    local probing
    start_watching --interval 2
    pod_add stays
    probe_all_the_while 3>&- 4>&- &
    probing=$!
    churn
    while [ "$(wc -l </run/probes)" -le 20 ]; do
        churn
    done
    touch /run/enough
    wait $probing
    diff /run/not-ready /dev/null
    echo "# $(wc -l </run/churned) pods" >&3
    sleep 6 # whatever was in doubt has had its time
    [ -z "$(repairs)" ] || fail "$(repairs)"
    assert_guards stays drop
    assert_imds_silent stays
    [ "$(guards | wc -l)" -eq "$(guards | grep -c "$(pod_host_links stays)")" ]
}

@test "a guard that a running pod has lost comes back when a deletion would be over" {
    local lost
    start_watching
    pod_add a
    pod_add b
    wait_until 10 watch_rests
    lost=$SECONDS
    remove_guard_on "$(pod_host_links a)"
    assert_nothing_arrives a
    wait_until 20 has_guards a drop
    [ $((SECONDS - lost)) -ge 3 ]
    wait_until 10 said "guarded default/a"
    [ "$(repairs | grep -c 'guarded default/a: .* no guard of its own')" -eq 1 ]
    [ "$(repairs | grep -vc counted)" -eq 1 ]
}

@test "one that is open for it has it back at once" {
    start_watching
    config '.others = "pass"' >/run/config/new
    mv /run/config/new /run/config/imds-guard.json
    wait_until 10 said "set the verdict for interfaces without a guard: pass"
    pod_add a
    wait_until 10 watch_rests
    remove_guard_on "$(pod_host_links a)"
    # When it next sleeps: after a doubt it would, and do nothing.
    wait_until 10 watch_rests
    assert_guards a drop
    wait_until 5 said "guarded default/a"
    assert_imds_silent a
}

# The files of libcni's cache that are opened, each once.
files_opened() {
    sed -n 's,.*openat(.*"\(aws-cni-[^"]*\)".*,\1,p' /run/calls | sort -u
}

@test "a pod that comes or goes costs a look at that pod, not at all" {
    local number
    start_watching
    for number in {1..12}; do
        pod_add "p$number"
    done
    wait_until 10 watch_rests
    strace -f -e trace=openat -o /run/calls -p "$watching" 3>&- 2>/dev/null &
    local tracing=$!
    wait_until 5 watch_is_traced
    pod_add last
    pod_del p1
    wait_until 10 watch_rests
    kill "$tracing"
    wait "$tracing" || true
    [ "$(files_opened)" = "aws-cni-$(pod_container last)-eth0" ] ||
        [ "$(files_opened)" = "$(printf 'aws-cni-%s-eth0\n' "$(pod_container last)" "$(pod_container p1)" | sort)" ]
    # Nor is any other pod looked into.
    [ "$(grep -c 'openat(.*"/run/netns/' /run/calls)" -le 1 ]
    # And it is known from then on: what is flushed comes back with it.
    flush_rules
    wait_until 10 said "12 guarded again as before"
}

@test "each problem is told when it comes and when it goes, however many there are" {
    local number
    start_watching --interval 1
    for number in {1..40}; do
        echo broken >/var/lib/cni/broken # there as a whole, or a look may find it empty
        mv /var/lib/cni/broken "/var/lib/cni/results/aws-cni-broken-$number-eth0"
    done
    wait_until 15 told 40
    sleep 2
    [ "$(count_said 'skipped a cached result')" -eq 40 ]
    rm /var/lib/cni/results/aws-cni-broken-{1..9}-eth0
    wait_until 15 over 9
    sleep 2
    [ "$(count_said 'skipped a cached result')" -eq 49 ]
    for number in 1 40; do
        said "aws-cni-broken-$number-eth0 is not one of libcni's cached results"
    done
}

told() { # COUNT
    [ "$(count_said 'skipped a cached result')" -ge "$1" ]
}

over() { # COUNT
    [ "$(count_said 'no longer: skipped a cached result')" -ge "$1" ]
}

@test "--log json has what a machine asks for in each line" {
    local cause="ruleset changed"
    [ "$BACKEND" = nftables ] || cause="legacy tables used"
    start_watching --log json
    pod_add a
    # Else its look at the new pod may be what finds the flush, and that is then the cause.
    wait_until 10 watch_rests
    flush_rules
    wait_until 10 has_guards a drop
    assert_imds_silent a
    remove_guard_on "$(pod_host_links a)"
    wait_until 20 has_guards a drop
    echo broken >/var/lib/cni/broken
    mv /var/lib/cni/broken /var/lib/cni/results/
    wait_until 15 said "broken is not one of"
    jq -es 'all(.[]; (.time | fromdate) > 0 and (.level | . == "info" or . == "warning")
        and (.what | length) > 0 and (.cause | length) > 0)' "$log"
    [ "$(jq -r 'select(.level == "warning").what' "$log" | grep -c broken)" -eq 1 ]
    jq -es --arg link "$(pod_host_links a)" --arg cause "$cause" \
        'any(.[]; .pod == "default/a" and .interface == $link and .cause == $cause)' "$log"
}

asked_and_told() {
    assert_imds_silent a
    sleep 2
    said "default/a asks for the instance metadata service: $(pod_host_links a) drop, "
}

@test "who asks for the metadata service is told of, once" {
    start_watching --interval 1
    pod_add a
    # From when it has seen the counter at rest.
    wait_until 10 asked_and_told
    assert_imds_silent a
    sleep 2
    [ "$(count_said 'asks for the instance metadata service')" -eq 1 ]
}
