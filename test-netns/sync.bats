#!/usr/bin/env bats
# sync: what libcni's cache says of running pods becomes what the kernel holds of them.

# world_shapes, stderr: of the harness and of bats
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

cached() { # POD: its file in the cache
    echo "/var/lib/cni/results/aws-cni-$(pod_container "$1")-eth0"
}

guard_sync() { # OPTION...
    on_node timeout 1200 "$IMDS_GUARD" sync "$@"
}

@test "pods that started before installation get their guard, in every shape" {
    local shape
    for shape in "${world_shapes[@]}"; do
        conflist_plain "$shape"
        pod_add a
        pod_add b
        assert_imds_answers a
        conflist "$shape"
        guard_sync
        assert_guards a drop
        assert_imds_silent a
        assert_rest_answers a b
        pod_del a
        assert_no_guards a
        assert_guards b drop
        pod_del b
        assert_no_guards
        on_node "$IMDS_GUARD" flush --yes
    done
}

@test "a node without pods is closed, and said to be" {
    mkdir -p /var/lib/cni/results
    conflist regular
    run -0 guard_sync
    [ "${lines[0]}" = "set the verdict for interfaces without a guard: drop ($BACKEND); was: pass" ]
    conflist_plain regular
    pod_add a
    assert_nothing_arrives a
    [ "$(others_hits)" -gt 0 ]
    # Who does not want it gets it away again, and with no pod and no such wish nothing is made.
    conflist regular '.others = "pass"'
    run -0 guard_sync
    [ "${lines[0]}" = "set the verdict for interfaces without a guard: pass ($BACKEND); was: drop" ]
    assert_guards a drop
    pod_del a
    on_node "$IMDS_GUARD" flush --yes
    run -0 guard_sync
    [ "${#lines[@]}" -eq 1 ]
    on_node "$IMDS_GUARD" status --json |
        jq -e '.others == {verdict: "pass", packets: 0, bytes: 0, backends: []}'
}

@test "what is right is not written again" {
    conflist regular
    pod_add a
    pod_add b
    run -0 guard_sync
    [ "${lines[0]}" = "attachments: 2 right already, 0 guarded, 0 skipped, 0 failed; guards: 0 removed" ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "flushed rules come back" {
    conflist multi-nic
    pod_add a
    flush_rules
    assert_no_guards
    assert_imds_answers a
    run -0 guard_sync
    [[ ${lines[0]} == "set the verdict for interfaces without a guard: drop "* ]]
    [[ ${lines[1]} == "guarded default/a: "*"was: open: "* ]]
    assert_guards a drop
    assert_imds_silent a
}

@test "exemptions and mode are judged as they are now" {
    conflist regular
    pod_add a
    pod_add b
    conflist regular '.exempt = [{namespace: "default", pod: "a"}]'
    guard_sync
    assert_guards a pass
    assert_imds_answers a
    assert_hits a pass
    assert_imds_silent b
    conflist regular
    guard_sync
    assert_imds_silent a
    conflist regular '.mode = "audit"'
    guard_sync
    assert_imds_answers b
}

# Pods of each network start by their own list's entry. (203.0.113.10 is the internet.)
@test "what the entries of several lists say of the whole node is united" {
    conflist regular '.endpoints = ["203.0.113.10"]'
    jq '.name = "more"' /etc/cni/net.d/10-aws.conflist >/etc/cni/net.d/20-more.conflist
    conflist regular '.others = "pass"'
    pod_add a
    conflist_plain regular
    pod_add stranger
    conflist regular '.others = "pass"'
    rm "$(cached stranger)"
    guard_sync
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    assert_nothing_arrives stranger
    run -0 guard_sync
    [ "${lines[0]}" = "attachments: 1 right already, 0 guarded, 0 skipped, 0 failed; guards: 0 removed" ]
    on_node "$IMDS_GUARD" status --quiet
    rm /etc/cni/net.d/20-more.conflist
    guard_sync
    reaches a 203.0.113.10
    assert_imds_answers stranger
}

@test "--config stands in for the conflist's entry" {
    conflist regular
    pod_add a
    entry '.mode = "audit"' >/run/audit.json
    guard_sync --config /run/audit.json
    assert_guards a pass
    guard_sync
    assert_guards a drop
}

@test "--dry-run says what sync would do, and does nothing" {
    conflist_plain regular
    pod_add a
    conflist regular
    run -0 guard_sync --dry-run
    [[ ${lines[0]} == "would set the verdict for interfaces without a guard: drop "* ]]
    [[ ${lines[1]} == "would guard default/a: "* ]]
    assert_no_guards
    assert_imds_answers a
}

# A pod is the node's by the chain that it was started with: this one has neither aws-cni nor us in it.
@test "pods of another network get the verdict for others, and no guard" {
    ln -s "$world_root/test-netns/fixtures/aws-cni" /opt/cni/bin/wiring
    conflist_plain regular
    jq 'del(.plugins[1]) | .plugins[0].type = "wiring"' /etc/cni/net.d/10-aws.conflist >/run/other
    cp /run/other /etc/cni/net.d/10-aws.conflist
    pod_add a
    conflist regular
    jq '.name = "other"' /etc/cni/net.d/10-aws.conflist >/run/other
    cp /run/other /etc/cni/net.d/10-aws.conflist
    run -0 guard_sync
    [[ ${lines[-1]} == *" 1 skipped,"* ]]
    [[ $output == *"skipped "*": neither its chain nor its network"* ]]
    assert_no_guards
    assert_nothing_arrives a
    [ "$(others_hits)" -gt 0 ]
    jq '.plugins[-1].others = "pass"' /run/other >/etc/cni/net.d/10-aws.conflist
    guard_sync
    assert_imds_answers a
}

@test "guards whose pod and interface are gone are removed, and no others" {
    conflist regular
    pod_add a
    pod_add b
    pod_add c
    pod_gone a
    # Its ADD is under way, for all that can be known: an interface and a guard, and no cache.
    rm "$(cached b)"
    wait_until 5 link_is_gone "$(pod_host_links a)"
    run -0 guard_sync
    [[ ${lines[*]} == *"removed 1 guard whose pod and interface are gone"* ||
        ${lines[*]} == *"removed 2 guards whose pod and interface are gone"* ]]
    assert_no_guards a
    assert_guards b drop
    assert_imds_silent b
    assert_imds_silent c
}

link_is_gone() { # NAME
    ! ip -n node link show "$1" 2>/dev/null
}

@test "a pod created anew under its name keeps its guard through the old one's late DEL" {
    conflist regular
    pod_add a default/web-0
    pod_add b default/web-0
    [ "$(pod_host_links a)" = "$(pod_host_links b)" ]
    guard_sync
    assert_guards b drop
    plugin DEL a default/web-0
    assert_guards b drop
    assert_imds_silent b
}

@test "so it does if the chain had no entry when it was created" {
    conflist regular
    pod_add a default/web-0
    conflist_plain regular
    pod_add b default/web-0
    conflist regular
    guard_sync
    assert_guards b drop
    plugin DEL a default/web-0
    assert_imds_silent b
}

# Until then the old one's name is all that sync knows. Nothing is open, and then it is put right.
@test "before the runtime has cached it, it may be without for a while, and closed" {
    conflist regular
    pod_add a default/web-0
    pod_add b default/web-0
    mv "$(cached b)" /run/cached
    guard_sync
    plugin DEL a default/web-0
    assert_nothing_arrives b
    mv /run/cached "$(cached b)"
    guard_sync
    assert_guards b drop
    assert_imds_silent b
}

# Until the lock that is its own comes free, sync stands between its look and its writing.
sync_until_lock() {
    lock_hold /run/another.lock
    XTABLES_LOCKFILE=/run/another.lock guard_sync 3>&- 4>&- >/run/sync.log 2>&1 &
    wait_until 5 lock_is_waited_for /run/another.lock
}

sync_go_on() {
    lock_let_go
    wait
    cat /run/sync.log
    grep -q ", 0 failed" /run/sync.log
}

@test "so it does if it comes while sync is at work" {
    BACKEND=iptables conflist regular
    pod_add a default/web-0
    link=$(pod_host_links a)
    on_node iptables-legacy -t mangle -F IMDS-GUARD
    sync_until_lock
    pod_add b default/web-0
    [ "$(pod_host_links b)" = "$link" ]
    sync_go_on
    plugin DEL a default/web-0
    BACKEND=iptables assert_guards b drop
    assert_imds_silent b
}

# The list of live tables is what sync asks for before it reads the guards: behind the cache, which has
# a alone, and before it looks at the pods.
@test "so it does if it comes between sync's looks at the cache and at the guards" {
    BACKEND=iptables conflist regular
    pod_add a default/web-0
    ASAN_OPTIONS=detect_leaks=0 on_node timeout 300 strace -qq -o /run/trace \
        -P /proc/self/net/ip_tables_names -e inject=openat:delay_enter=3s:when=1 \
        "$IMDS_GUARD" sync 3>&- 4>&- >/run/sync.log 2>&1 &
    wait_until 5 eval '[ "$(grep -c ip_tables_names /run/trace)" -ge 1 ]'
    pod_add b default/web-0
    wait
    cat /run/sync.log
    grep -q ", 0 failed" /run/sync.log
    plugin DEL a default/web-0
    BACKEND=iptables assert_guards b drop
    assert_imds_silent b
}

@test "a sync that has read the conflist before it was changed does not have the last word" {
    conflist regular '.mode = "audit"'
    pod_add a
    ASAN_OPTIONS=detect_leaks=0 on_node timeout 300 strace -qq -o /run/trace \
        -P /proc/self/net/ip_tables_names -e inject=openat:delay_enter=2s:when=1 \
        "$IMDS_GUARD" sync 3>&- 4>&- >/run/sync.log 2>&1 &
    wait_until 5 grep -qs ip_tables_names /run/trace
    conflist regular
    guard_sync
    assert_guards a drop
    wait
    grep -q ", 0 failed" /run/sync.log
    assert_guards a drop
    assert_imds_silent a
}

# What was right when sync looked is not written again for another's sake.
@test "what a DEL lifts while sync is at work stays lifted" {
    BACKEND=iptables conflist regular
    pod_add a
    pod_add b
    plugin DEL b
    sync_until_lock
    plugin DEL a
    sync_go_on
    assert_no_guards a
    BACKEND=iptables assert_guards b drop
    assert_imds_silent b
}

@test "where the node's namespaces cannot be seen, no pod passes for one that is gone" {
    conflist_plain regular
    pod_add a
    conflist regular
    run -1 on_node unshare --mount sh -c \
        "mount -t tmpfs none /run/netns && exec timeout 300 '$IMDS_GUARD' sync"
    [[ ${lines[0]} == *"cannot guard default/a: there is no network namespace "*"$(pod_host_links a)"* ]]
    guard_sync
    assert_guards a drop
}

@test "files that are no cached results are named and skipped" {
    conflist_plain regular
    pod_add a
    conflist regular
    echo '{"cniVersion": "0.4.0"}' >/var/lib/cni/results/aws-cni-raw-eth0
    head -c 100 "$(cached a)" >/var/lib/cni/results/aws-cni-half-eth0
    mkfifo /var/lib/cni/results/aws-cni-fifo-eth0
    run -0 --separate-stderr guard_sync
    assert_guards a drop
    # shellcheck disable=SC2154 # bats sets them
    [ "${#stderr_lines[@]}" -eq 3 ]
    for name in raw half fifo; do
        # shellcheck disable=SC2154
        [[ $stderr == *"aws-cni-$name-eth0"* ]]
    done
}

# Reading another process's memory where there is none is EIO.
@test "a cached result that cannot be read is named, others are guarded, and the exit code is 1" {
    local seen=0
    conflist_plain regular
    pod_add a
    pod_add b
    conflist regular
    mount --bind /proc/1/mem "$(cached a)"
    run --separate-stderr guard_sync
    on_node "$IMDS_GUARD" status >/dev/null || seen=$?
    umount "$(cached a)"
    [ "$status" -eq 1 ]
    [ "$seen" -eq 2 ] # status knows of nobody who is open, and not of everybody
    [[ $stderr == *"cannot guard the pod of a cached result: $(basename "$(cached a)") cannot be read: Input/output error"* ]]
    [[ ${lines[-1]} == *" 1 guarded, 0 skipped, 1 failed;"* ]]
    assert_guards b drop
    assert_imds_silent b
    assert_no_guards a
    guard_sync
    assert_imds_silent a
}

@test "a link whose name iptables takes for a pattern keeps no other pod from its guard" {
    conflist_plain regular
    pod_add a
    pod_add b
    conflist regular
    ip -n node link set "$(pod_host_links a)" down
    ip -n node link set "$(pod_host_links a)" name eni+
    sed -i "s/$(pod_host_links a)/eni+/" "$(cached a)"
    run --separate-stderr guard_sync
    assert_guards b drop
    assert_imds_silent b
    if [ "$BACKEND" = nftables ]; then
        [ "$status" -eq 0 ]
        guards | grep -q " in eni+ drop "
        # A backend that cannot have it takes all the others over, and it is one of those.
        BACKEND=iptables conflist regular
        run --separate-stderr guard_sync
        assert_nothing_arrives a
        BACKEND=iptables assert_guards b drop
        assert_imds_silent b
    fi
    [ "$status" -eq 1 ]
    [[ $stderr == *"cannot guard default/a: interface 'eni+' cannot be guarded with iptables"* ]]
    [[ ${lines[-1]} == *" 1 failed;"* ]]
}

@test "a pod that cannot be guarded is named, others are guarded, and the exit code is 1" {
    conflist_plain regular
    pod_add a
    pod_add b
    conflist regular
    ip -n node link add br0 type bridge
    ip -n node link set "$(pod_host_links a)" master br0
    run -1 --separate-stderr guard_sync
    [[ $stderr == *"cannot guard default/a: "* ]]
    assert_guards b drop
    assert_imds_silent b
}

@test "says what is missing where there is no conflist, or no entry in it" {
    run -1 guard_sync
    [[ $output == *"no conflist in /etc/cni/net.d yet"* ]]
    conflist_plain regular
    run -1 guard_sync
    [[ $output == *"run imds-guard install"* ]]
}

# --- many -----------------------------------------------------------------------------------------

# Attachments of one namespace with many interfaces: to sync as good as many pods.
many_pods() { # NUMBER
    local i pod=/run/netns/many
    pod_new many
    for ((i = 1; i <= $1; i++)); do
        echo "link add eni$i type veth peer name if$i netns many"
    done | ip -n node -batch -
    for ((i = 1; i <= $1; i++)); do
        printf '{"kind":"cniCacheV1","containerId":"many%d","config":"","ifName":"if%d",' $i $i
        printf '"networkName":"aws-cni","netns":"%s","cniArgs":[["K8S_POD_NAMESPACE","default"],' $pod
        printf '["K8S_POD_NAME","many-%d"]],"result":{"cniVersion":"0.4.0","interfaces":[' $i
        printf '{"name":"eni%d"},{"name":"if%d","sandbox":"%s"}]}}\n' $i $i $pod
    done | split --lines 1 --suffix-length 4 --numeric-suffixes - /var/lib/cni/results/aws-cni-many
}

# The transactions with which a command on the node changes the kernel.
transactions_of() { # COMMAND...
    if [ "$BACKEND" = nftables ]; then
        # Announcements of one transaction end with its generation, which names the process.
        on_node nft monitor >/run/monitor 3>&- 2>&1 &
        local monitor=$!
        wait_until 5 monitor_listens
        on_node "$@" >&2
        wait_until 5 grep -q '(imds-guard' /run/monitor || true
        sleep 0.2 # for a second one
        kill $monitor
        grep -c '^# new generation .*(imds-guard' /run/monitor || true
    else
        # IPT_SO_SET_REPLACE, IP6T_SO_SET_REPLACE: 64.
        on_node env ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=setsockopt -o /run/trace "$@" >&2
        grep -cE 'SOL_IP(V6)?, (0x40|IP6?T_SO_SET_REPLACE)' /run/trace || true
    fi
}

# A socket of the group NFNLGRP_NFTABLES.
monitor_listens() {
    on_node grep -q '^[^ ]* *12 [^ ]* *0*40 ' /proc/net/netlink 2>/dev/null || sleep 0.3
}

@test "500 cached attachments: one transaction, and who was guarded stays guarded meanwhile" {
    local before counted
    conflist regular
    pod_add a
    many_pods 500
    before=$(arrived)
    pings_start a "$imds4"
    counted=$(transactions_of "$IMDS_GUARD" sync)
    [ "$counted" -eq "$([ "$BACKEND" = nftables ] && echo 1 || echo 2)" ]
    # Everything changes at once, there and back, while a pings.
    conflist regular '.exempt = [{namespace: "default", pod: "many-*"}]'
    guard_sync | tail -n 1
    conflist regular
    guard_sync | tail -n 1
    kill -0 "$pinging"
    kill "$pinging"
    wait "$pinging" || true
    [ "$(arrived)" = "$before" ]
    [ "$(guards | awk '$5 == "drop"' | wc -l)" -eq "$([ "$BACKEND" = nftables ] && echo 501 || echo 1002)" ]
}
