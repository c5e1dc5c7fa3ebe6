#!/usr/bin/env bats
# The exit fence within the plugin: what the verbs and the commands do with it. That it stops what it
# must, fence.bats shows.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/fence.bash
. "$BATS_TEST_DIRNAME/lib/fence.bash"

export EXIT_FENCE=auto

setup() {
    node_new
    fence_is_possible
}

guard() { # COMMAND OPTION...
    on_node timeout 300 "$IMDS_GUARD" "$@"
}

# The plugin as on a node where bpf(2) fails.
without_bpf() { # ERROR COMMAND...
    local error=$1 binary=$IMDS_GUARD
    shift
    printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -f -qqq -o /dev/null -e trace=bpf -e inject=bpf:error=%s %s "$@"\n' \
        "$error" "$binary" >"$BATS_TEST_TMPDIR/without-bpf"
    chmod +x "$BATS_TEST_TMPDIR/without-bpf"
    IMDS_GUARD=$BATS_TEST_TMPDIR/without-bpf "$@"
}

fence_of_status() { # FILTER
    guard status --json | jq -e ".exitFence | $1"
}

# --- ADD --------------------------------------------------------------------------------------------

@test "ADD: a dataplane that redirects, before and after it, in every shape" {
    local shape program
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist "$shape" '.exitFence = "off"'
        pod_add a
        dataplane a neigh
        assert_leaks a || fail "$shape" || return 1
        conflist "$shape"
        plugin ADD a >/dev/null
        for program in fib neigh; do
            dataplane a $program
            assert_nothing_arrives a || fail "$shape, $program" || return 1
        done
        pod_add b
        no_dataplane a
        assert_rest_answers a b || fail "$shape" || return 1
        assert_node_reaches_imds || return 1
        pod_check a && pod_check b || return 1
    done
}

@test "both verdicts, and each way to them" {
    local filter
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add a kube-system/a
    pod_add b
    dataplane a neigh
    dataplane b neigh
    assert_imds_answers a
    assert_nothing_arrives b
    pod_check a kube-system/a
    for filter in '.mode = "audit"' '.others = "pass" | .exempt = [{"namespace": "default"}]'; do
        node_new
        conflist regular "$filter"
        pod_add b
        dataplane b neigh
        assert_imds_answers b || fail "$filter" || return 1
        guard sync
        assert_imds_answers b || fail "$filter" || return 1
    done
    # Whoever passes is counted, and so is who is denied in another way.
    fence_of_status '.interfaces[0].passed > 0 and .interfaces[0].verdict == "pass"'
    node_new
    conflist regular '.others = "pass" | .deny = "reject" | .backend = "nftables"'
    pod_add b
    dataplane b neigh
    assert_nothing_arrives b
    guard sync
    assert_nothing_arrives b
    conflist_plain regular
    pod_add c
    assert_imds_answers c
}

@test "a flush of all rules" {
    conflist regular
    pod_add a
    on_node nft flush ruleset
    assert_nothing_arrives a
    [ "$(stopped_at eth0)" -gt 0 ]
}

@test "thirty first ADDs at once" {
    local pod adds=() add
    conflist regular '.exitFence = "off"'
    for pod in a b c; do
        pod_add $pod
    done
    conflist regular
    for add in $(seq 30); do
        pod=$(printf 'a b c' | cut -d ' ' -f $((add % 3 + 1)))
        plugin ADD "$pod" >/dev/null 3>&- &
        adds+=($!)
    done
    for add in "${adds[@]}"; do
        wait "$add"
    done
    [ "$(place_at eth0)" -eq 1 ]
    [ "$(fence list | grep -c '^incoming .* drop')" -eq 3 ]
    for pod in a b c; do
        dataplane $pod neigh
        assert_nothing_arrives $pod || return 1
        pod_check $pod
    done
}

@test "an ADD that is killed, or refused, at each call of bpf(2)" {
    local number fault binary sanitized=$IMDS_GUARD
    prefer_release
    conflist regular
    pod_add a
    dataplane a neigh
    for number in $(seq 40); do
        for fault in signal=KILL error=EPERM error=ENOMEM; do
            fence remove >/dev/null
            # Who is killed has done nothing that he does not do otherwise; who is refused goes ways of his own.
            binary=$sanitized
            [ $fault != signal=KILL ] || binary=$IMDS_GUARD
            printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -f -qqq -o %s -e trace=bpf -e inject=bpf:%s:when=%s %s "$@"\n' \
                "$BATS_TEST_TMPDIR/trace" "$fault" "$number" "$binary" >"$BATS_TEST_TMPDIR/faulty"
            chmod +x "$BATS_TEST_TMPDIR/faulty"
            if IMDS_GUARD=$BATS_TEST_TMPDIR/faulty plugin ADD a >/dev/null 2>&1 3>&-; then
                assert_guards a drop || fail "$fault at call $number" || return 1
            elif [ $fault != signal=KILL ]; then
                fail "an ADD fails: $fault at call $number" || return 1
            fi
            plugin ADD a >/dev/null && pod_check a || fail "$fault at call $number" || return 1
        done
        grep -q 'INJECTED\|killed by' "$BATS_TEST_TMPDIR/trace" || break
    done
    [ "$number" -gt 10 ]
    assert_nothing_arrives a
}

@test "host networking: nothing" {
    conflist regular
    pod_new a
    CNI_NETNS=/run/netns/node PREV_RESULT='{"cniVersion":"0.4.0","interfaces":[],"ips":[]}' \
        plugin ADD a >/dev/null
    [ "$(place_at eth0)" -eq 0 ]
}

# --- where it cannot stand --------------------------------------------------------------------------

@test "no right, or no tcx: auto starts pods all the same, require does not" {
    local error
    for error in EPERM EINVAL ENOSYS; do
        node_new
        conflist regular
        pod_add a
        fence remove >/dev/null
        without_bpf $error plugin ADD a >/dev/null
        assert_guards a drop
        assert_imds_silent a || return 1
        without_bpf $error plugin CHECK a
        run -0 without_bpf $error guard sync
        [[ $output == *"no exit fence: "* ]]
        run -0 without_bpf $error guard status
        [[ $output == *"no exit fence: "* ]]
        [[ $output != *"note: "* ]]
        CNI_VERSION=1.1.0 without_bpf $error plugin STATUS a 2>"$BATS_TEST_TMPDIR/log"
        grep "without an exit fence" "$BATS_TEST_TMPDIR/log"

        conflist regular '.exitFence = "require"'
        run ! without_bpf $error plugin ADD a
        [ "$(jq .code <<<"$output")" -eq 101 ]
        [[ $output == *require* ]]
        run ! without_bpf $error plugin CHECK a
        run ! without_bpf $error guard sync
        run -1 without_bpf $error guard status
        [[ $output == *"note: exitFence is \"require\""* ]]
        CNI_VERSION=1.1.0 run ! without_bpf $error plugin STATUS a
        [ "$(jq .code <<<"$output")" -eq 50 ]
        assert_imds_silent a || return 1
        without_bpf $error plugin DEL a
        [ $error = EPERM ] || without_bpf $error guard flush --yes
    done
}

@test "require, where it can stand" {
    conflist regular '.exitFence = "require"'
    pod_add a
    pod_check a
    CNI_VERSION=1.1.0 plugin STATUS a
    dataplane a neigh
    assert_nothing_arrives a
    guard status
    fence rival eth0
    run ! plugin CHECK a
    [[ $output == *"another program stands before its own"* ]]
    run -1 guard status
    guard sync
    pod_check a
    guard status
}

# --- DEL, GC, links that come again -----------------------------------------------------------------

@test "links that are gone are forgotten by the next DEL, by GC, and by sync" {
    local way
    conflist regular
    pod_add a
    pod_add d
    for way in "plugin DEL d" "CNI_VERSION=1.1.0 plugin GC a" "guard sync"; do
        pod_add b
        gone=$(index_of "$(host_links b)")
        fence list | grep "^incoming $gone drop"
        link=$(host_links b)
        pod_gone b
        wait_until 5 eval '! on_node ip link show dev "$link" 2>/dev/null'
        fence list | grep "^incoming $gone drop"
        eval "$way" >/dev/null
        [ "$(fence list | grep -c "^incoming $gone ")" -eq 0 ] || fail "$way" || return 1
    done
    fence list | grep "^incoming $(index_of "$(host_links a)") drop"
}

# It has looked at the pods then, and not at the fence yet.
@test "pods that end while sync is at work are nothing that it has to bring up to date" {
    local syncing pod
    conflist regular
    for pod in a b c; do
        pod_add $pod
    done
    guard sync
    traced -e trace=bpf -e inject=bpf:signal=STOP:when=1 -- guard sync >/run/said 2>&1 3>&- &
    syncing=$!
    wait_until 10 is_stopped
    pod_del b
    pod_del c # has b's forgotten
    kill -CONT "$(pgrep -x imds-guard)"
    wait "$syncing"
    run ! grep "exit fence" /run/said
    grep "0 failed" /run/said
    [ "$(fence list | grep -c '^incoming .* drop')" -eq 1 ]
    pod_check a
}

@test "an index that comes again is judged anew" {
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add a kube-system/a
    index=$(index_of "$(host_links a)")
    fence list | grep "^incoming $index pass"
    # The same link, and another pod's from now on.
    plugin ADD a default/a >/dev/null
    fence list | grep "^incoming $index drop"
    dataplane a neigh
    assert_nothing_arrives a
}

# --- the pod that is root in the node's namespace ----------------------------------------------------

# A pod of ours whose interface is a macvlan by now: no guard can stand for it.
@test "what sends past the node's forwarding is open, unless the fence stops it" {
    EXIT_FENCE=off conflist regular
    pod_add a
    ip -n a link delete eth0
    on_node ip link add mv0 link eth0 type macvlan || unavailable "the kernel has no macvlan"
    on_node ip link set mv0 netns a name eth0
    ip -n a -batch - <<'END'
address add 10.0.0.77/24 dev eth0
link set eth0 up
route add default via 10.0.0.1
END
    reaches a 203.0.113.10
    assert_leaks a
    run -1 on_node "$IMDS_GUARD" status
    [[ $output =~ default/a\ .*OPEN ]]
    [[ $output == *"past the node's forwarding"* ]]
    EXIT_FENCE=auto conflist regular
    run -1 on_node "$IMDS_GUARD" sync
    assert_nothing_arrives a
    reaches a 203.0.113.10
    run on_node "$IMDS_GUARD" status
    [[ $output == *"the exit fence alone stops it"* ]]
    [ "$status" -eq 0 ]
    [[ $output == *" 0 open; "* ]]
}

@test "a macvlan that a pod makes on the node's uplink" {
    conflist regular
    pod_add a
    guard sync
    id=$(in_pod a ip -json link show dev eth0 | jq '.[0].link_netnsid')
    index=$(index_of eth0)
    in_pod a ip link add mv0 link "if$index" link-netnsid "$id" type macvlan ||
        unavailable "no macvlan"
    ip -n a -batch - <<'END'
address add 10.0.0.78/24 dev mv0
link set mv0 up
route replace 203.0.113.0/24 via 10.0.0.1 dev mv0 src 10.0.0.78
route replace 169.254.169.254 via 10.0.0.1 dev mv0 src 10.0.0.78
END
    in_pod a curl --silent --fail --output /dev/null --max-time 30 "$(url 203.0.113.10)"
    before=$(arrived)
    run ! in_pod a curl --silent --fail --output /dev/null --max-time 1 "$(url "$imds4")"
    [ "$(arrived)" = "$before" ]
    fence remove
    in_pod a curl --silent --fail --output /dev/null --max-time 30 "$(url "$imds4")"
}

# --- commands ---------------------------------------------------------------------------------------

@test "sync: as many endpoints as the fence has room for" {
    conflist regular ".endpoints = $(jq -cn '["169.254.169.254", "fd00:ec2::254"] + [range(4094) | "10.\(. / 256 | floor).\(. % 256).1"]')"
    pod_add a
    run -0 guard sync
    [[ $output != *"no exit fence"* ]]
    conflist regular
    run -0 guard sync
    [[ $output == *"endpoints and verdicts up to date"* ]]
}

@test "sync: first on every uplink, exactly as configured; off takes it off" {
    conflist regular
    pod_add a
    on_node ip link add bridge0 type bridge
    run -0 guard sync --dry-run
    [[ $output == *"would put the exit fence first on bridge0; was: not there"* ]]
    [ "$(place_at bridge0)" -eq 0 ]
    run -0 guard sync
    [[ $output == *"put the exit fence first on bridge0; was: not there"* ]]
    [ "$(place_at bridge0)" -eq 1 ]
    run -0 guard sync
    [[ $output != *fence* ]]
    fence age eth0
    fence rival bridge0
    run -0 guard sync
    [[ $output == *"first on eth0; was: another version"* ]]
    [[ $output == *"first on bridge0; was: another program before it"* ]]
    # Who has been judged otherwise since.
    conflist regular '.exempt = [{"namespace": "default"}]'
    run -0 guard sync
    [[ $output == *"endpoints and verdicts up to date"* ]]
    dataplane a neigh
    assert_imds_answers a

    conflist regular '.exitFence = "off"'
    run -0 guard sync --dry-run
    [[ $output == *"would take the exit fence off 2 links"* ]]
    run -0 guard sync
    [[ $output == *"took the exit fence off 2 links"* ]]
    [ "$(fence remove)" -eq 0 ]
    run -0 guard sync
    [[ $output != *fence* ]]
}

@test "a node without pods: sync" {
    mkdir -p /var/lib/cni/results
    conflist regular
    guard sync
    [ "$(place_at eth0)" -eq 1 ]
    conflist_plain regular
    pod_add a
    dataplane a neigh
    assert_nothing_arrives a
}

@test "flush and uninstall take it off" {
    conflist regular
    pod_add a
    run -0 guard flush --yes
    [[ $output == *"exit fence taken off 1 link"* ]]
    [ "$(fence remove)" -eq 0 ]
    plugin ADD a >/dev/null
    guard uninstall --keep-guards
    [ "$(place_at eth0)" -eq 1 ]
    run -0 guard uninstall --yes
    [[ $output == *"exit fence taken off 1 link"* ]]
    [ "$(fence remove)" -eq 0 ]
}

@test "status: where it stands, and what it has stopped" {
    conflist regular
    pod_add a
    fence_of_status '.configured == "auto" and .stands and .reason == ""'
    dataplane a neigh
    assert_nothing_arrives a
    run -0 guard status
    [[ $output == *"exit fence on eth0: first; "* ]]
    [[ $output == *"    through $(host_links a): "*" packets stopped, 0 passed"* ]]
    fence_of_status '.uplinks | any(.uplink == "eth0" and .place == 1 and .current and .stopped > 2)'
    fence_of_status ".interfaces | any(.interface == \"$(host_links a)\" and .stopped > 2)"
    guard status --prometheus >"$BATS_TEST_TMPDIR/metrics"
    grep -F 'imds_guard_exit_fence_stands{configured="auto"} 1' "$BATS_TEST_TMPDIR/metrics"
    grep -E 'imds_guard_exit_fence_packets_total\{uplink="eth0",verdict="drop"\} [1-9]' "$BATS_TEST_TMPDIR/metrics"
    [ -z "$(grep -v '^#' "$BATS_TEST_TMPDIR/metrics" | sed 's/ [^ ]*$//' | sort | uniq -d)" ]
    fence rival eth0
    run -0 guard status
    [[ $output == *"exit fence on eth0: behind another program; "* ]]
    fence_of_status '(.stands | not) and (.reason | contains("not first on eth0"))'
    guard flush --yes
    conflist regular '.exitFence = "off"'
    run guard status
    [[ $output != *fence* ]]
}

@test "watch: another's program, and uplinks that come and go" {
    prepare() {
        ASAN_OPTIONS=detect_leaks=0 nsenter --net=/run/netns/node -- "$IMDS_GUARD" watch \
            --interval 600 2>/run/fence-watch.log >/dev/null 3>&- &
        watching=$!
        background+=("$watching")
    }
    conflist regular
    pod_add a
    fence remove >/dev/null
    prepare
    wait_until 10 eval '[ "$(place_at eth0)" = 1 ]'
    dataplane a neigh
    # It would notice before a packet has got through, if that takes long.
    kill -STOP "$watching"
    fence rival eth0
    assert_leaks a
    kill -CONT "$watching"
    wait_until 10 eval '[ "$(place_at eth0)" = 1 ]'
    assert_nothing_arrives a
    wait_until 5 grep -q 'put the exit fence first on eth0; was: another program before it \[uplinks changed\]' \
        /run/fence-watch.log
    on_node ip link add bridge0 type bridge
    wait_until 10 eval '[ "$(place_at bridge0)" = 1 ]'
    on_node ip link delete bridge0
    on_node ip link add bridge0 type bridge
    wait_until 10 eval '[ "$(place_at bridge0)" = 1 ]'
    guard flush --yes
    wait_until 10 eval '[ "$(place_at eth0)" = 1 ]'
    assert_nothing_arrives a
}
