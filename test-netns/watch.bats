#!/usr/bin/env bats
# watch: whatever comes apart is put together again, and nothing is touched when it ends.

bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

# shellcheck source=lib/watch.bash
. "$BATS_TEST_DIRNAME/lib/watch.bash"

@test "installs the binary and the entry, and guards who runs already" {
    prepare regular
    pod_add a
    assert_imds_answers a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 has_entry
    cmp /opt/cni/bin/imds-guard "$IMDS_GUARD"
    assert_imds_silent a
    pod_add b
    assert_guards b drop
    assert_imds_silent b
    wait_until 10 grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z imds-guard watch: guarded default/a: .* \[start\]$' "$log"
}

@test "waits for a conflist, makes none, and is there when it comes" {
    prepare regular
    pod_add a
    rm "$list"
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "no conflist in /etc/cni/net.d yet that makes this node's pods: waiting for it"
    [ -x /opt/cni/bin/imds-guard ]
    [ -z "$(ls -A /etc/cni/net.d)" ]
    aws_node_writes
    wait_until 10 has_guards a drop
    wait_until 10 has_entry
    # Told when it comes, and when it goes.
    wait_until 10 said 'no longer: no conflist in /etc/cni/net.d yet'
    [ "$(count_said 'waiting for it')" -eq 2 ]
    [ "$(count_said 'no longer: no conflist in /etc/cni/net.d yet')" -eq 1 ]
}

@test "the directory itself may come later, or be replaced" {
    prepare regular
    rm -r /etc/cni
    mkdir /etc/cni
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "waiting for it"
    mkdir /etc/cni/net.d
    aws_node_writes
    wait_until 10 has_entry
    mv /etc/cni/net.d /etc/cni/old
    mkdir /etc/cni/net.d
    aws_node_writes
    wait_until 10 has_entry
}

# For what is repaired hundreds of times, and each time the installed binary is read, too: that of the build
# with sanitizers has fifteen times the size.
released() {
    prefer_release
    rm -f /opt/cni/bin/imds-guard
}

# With the mode that aws-node has given it; while it is written that is another, and another file is there.
list_is_all_there_is() {
    [ "$(find /etc/cni/net.d -mindepth 1 -printf '%p %m\n')" = "$list 644" ]
}

@test "a conflist rewritten as aws-node does it is patched again, 200 times in a row" {
    local i
    released
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    for ((i = 0; i < 200; i++)); do
        aws_node_writes
        wait_until 10 has_entry || fail "round $i"
    done
    wait_until 10 list_is_all_there_is
    assert_guards a drop
    assert_imds_silent a
}

flushed="ruleset changed"
[ "$BACKEND" = nftables ] || flushed="legacy tables used"

# Changes of nf_tables are announced; of legacy tables, that somebody has had their lock.
@test "a flushed ruleset is restored" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 watch_rests # else it may come upon it by itself
    for _ in 1 2 3 4 5; do
        flush_rules
        wait_until 10 has_guards a drop
    done
    wait_until 10 said "[$flushed]"
    assert_imds_silent a
}

# Legacy tables are two, flushed one after the other: watch comes when both are.
flush_in_one_go() {
    kill -STOP "$watching"
    flush_rules
    kill -CONT "$watching"
}

# Of the look at all pods that follows, nothing is told: there is nothing left for it to do.
put_back() { # PODS WAS
    wait_until 10 said "$1 guarded again as before; was: $2"
    said "[$flushed]"
    wait_until 10 watch_rests
    [ "$(grep -cE "(guarded default/|repaired |set the verdict).*\\[$flushed\\]" "$log")" -eq 0 ]
}

@test "a flushed ruleset is restored from what is known, before all pods are looked at" {
    prepare multi-nic
    config '.exempt = [{namespace: "shop"}]' >/run/config/imds-guard.json
    pod_add a
    pod_add b shop/b
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 has_guards b pass
    wait_until 10 watch_rests
    flush_in_one_go
    put_back 2 ""
    assert_guards a drop
    assert_guards b pass
    assert_imds_silent a
    assert_imds_answers b
}

@test "where rules of ours are left, but not in force, the rest is put back as soon, and told of once" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 watch_rests
    if [ "$BACKEND" = nftables ]; then
        on_node nft flush chain inet imds_guard forward
        put_back 1 "no rule of chain forward asks for "
    else
        on_node iptables-legacy -w -t mangle -F
        put_back 1 "iptables: FORWARD of table mangle has no jump to IMDS-GUARD for "
    fi
    [ "$(count_said "as before")" -eq 1 ]
    assert_guards a drop
    assert_imds_silent a
}

@test "a node without pods is closed, and closed again when it was flushed" {
    prepare regular
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "set the verdict for interfaces without a guard: drop"
    wait_until 10 watch_rests
    flush_in_one_go
    put_back 0 ""
    conflist_plain regular
    pod_add a
    assert_nothing_arrives a
}

@test "a flushed ruleset is restored from what is known while there is no conflist to go by" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    echo broken >"$list"
    wait_until 10 said "$list"
    flush_rules
    wait_until 10 has_guards a drop
    rm "$list"
    wait_until 10 said "waiting for it"
    flush_rules
    wait_until 10 has_guards a drop
    assert_imds_silent a
    aws_node_writes
    wait_until 10 has_entry
    assert_guards a drop
}

@test "what has changed since is not restored from what was known" {
    prepare regular
    pod_add a
    pod_add b
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards b drop
    wait_until 10 watch_rests
    kill -STOP "$watching"
    pod_del a
    config '.exempt = [{namespace: "default"}]' >/run/config/new
    mv /run/config/new /run/config/imds-guard.json
    flush_rules
    kill -CONT "$watching"
    wait_until 10 has_guards b pass
    assert_no_guards a
    [ "$(count_said "as before")" -eq 0 ]
    assert_imds_answers b
}

@test "the re-check restores what nothing announces" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json --interval 1
    wait_until 10 has_guards a drop
    on_node "$IMDS_GUARD" flush --yes
    rm /opt/cni/bin/imds-guard
    wait_until 10 has_guards a drop
    wait_until 10 test -x /opt/cni/bin/imds-guard
    assert_imds_silent a
}

@test "a pod created while the chain had no entry is guarded when the cache tells of it" {
    prepare regular
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    # The runtime goes by a conflist that it has read before.
    mkdir /run/before
    cp /run/plain /run/before/10-aws.conflist
    pod_new a
    CNI_PATH=/opt/cni/bin NETCONFPATH=/run/before CNI_ARGS=$(pod_args a) \
        on_node "$CNITOOL" add aws-cni /run/netns/a >"$(result_file a)"
    wait_until 10 has_guards a drop
    assert_imds_silent a
}

entry_exempts() { # NAMESPACE
    [ "$(jq -r '.plugins[-1].exempt[0].namespace' "$list")" = "$1" ]
}

# The entry and the guards are two tasks, each with pauses of its own: either may be done first.
@test "a configuration that changes is put into force, also for running pods" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    config '.exempt = [{namespace: "default"}]' >/run/config/new
    mv /run/config/new /run/config/imds-guard.json
    wait_until 10 has_guards a pass
    assert_imds_answers a
    wait_until 10 entry_exempts default
    # A broken one is told of and changes nothing.
    echo '{"mode": "perhaps"}' >/run/config/imds-guard.json
    wait_until 10 said perhaps
    assert_guards a pass
    entry_exempts default
}

# The kubelet's AtomicWriter: a directory for each version, and a link that is renamed.
config_map() { # VERSION FILTER
    mkdir -p "/run/map/..$1"
    config "$2" >"/run/map/..$1/imds-guard.json"
    ln -s "..$1" /run/map/..data_tmp
    mv -T /run/map/..data_tmp /run/map/..data
    [ -L /run/map/imds-guard.json ] || ln -s ..data/imds-guard.json /run/map/imds-guard.json
}

@test "a ConfigMap whose link is swapped is followed" {
    prepare regular
    pod_add a
    config_map 1 .
    start_watch --config /run/map/imds-guard.json
    wait_until 10 has_guards a drop
    config_map 2 '.mode = "audit"'
    rm -r /run/map/..1
    wait_until 10 has_guards a pass
    config_map 3 .
    wait_until 10 has_guards a drop
    assert_imds_silent a
}

@test "SIGTERM and SIGINT end it at once and change nothing" {
    local signal before entry
    prepare regular
    pod_add a
    for signal in TERM INT; do
        start_watch --config /run/config/imds-guard.json
        wait_until 10 has_guards a drop
        wait_until 10 watch_rests
        before=$(find /etc/cni /opt/cni -type f -printf '%p %i %T@\n' | sort; guards | cut -d ' ' -f 1-5)
        # bash has background jobs ignore SIGINT; the handler does not care.
        kill -$signal "$watching"
        wait_until 5 watch_has_ended
        wait "$watching"
        [ "$(find /etc/cni /opt/cni -type f -printf '%p %i %T@\n' | sort; guards | cut -d ' ' -f 1-5)" = "$before" ]
    done
    assert_imds_silent a
}

@test "SIGTERM ends it, also if whoever started it has left that blocked" {
    prepare regular
    started_by=(env --block-signal=TERM --ignore-signal=TERM)
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    kill -TERM "$watching"
    wait_until 5 watch_has_ended
    wait "$watching"
}

# As when the container runtime's shim hangs: the pipe is full, and stays so.
@test "it guards, whoever should read its log" {
    prepare regular
    pod_add a
    mkfifo /run/fifo
    exec 8<>/run/fifo
    dd if=/dev/zero bs=4096 count=1024 oflag=nonblock 2>/dev/null >&8 || true
    log=/dev/fd/8 start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    flush_rules
    touch /etc/cni/net.d/changed # legacy tables announce nothing
    wait_until 10 has_guards a drop
    assert_imds_silent a
    exec 8>&-
}

@test "SIGTERM ends it while it waits for a lock" {
    prepare regular
    config '.backend = "iptables" | .lockTimeoutSeconds = 300' >/run/config/imds-guard.json
    pod_add a
    lock_hold /run/xtables.lock
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    wait_until 10 lock_is_waited_for /run/xtables.lock
    kill -TERM "$watching"
    wait_until 5 watch_has_ended
    wait "$watching"
    lock_let_go
}

# Puts its own version back whenever it sees another. It looks 500 times a second, with no process for that,
# and leaves the processor to whom it fights with.
fight() {
    local mine seen
    exec 4<> <(:) # in which never anything comes
    mine=$(</run/plain)
    while :; do
        IFS= read -r -d '' seen <"$list" || true
        [ "${seen%$'\n'}" = "$mine" ] || { echo "$mine" >"$list.tmp" && mv "$list.tmp" "$list"; }
        read -r -t 0.002 -u 4 || true
    done
}

@test "a program that fights over the file is met with pauses, told of once" {
    local early late since
    released
    prepare regular
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    fight 3>&- &
    fighting=$!
    wait_until 120 said "another program undoes the conflist's entry"
    # From then on a repair has to wait until one of those before it is forgiven.
    since=$SECONDS
    early=$(count_said "entry written")
    sleep 4
    late=$(count_said "entry written")
    kill $fighting
    [ $((late - early)) -le $(((SECONDS - since) / 5 + 3)) ]
    [ "$(count_said 'another program undoes')" -eq 1 ]
    # When the fight is over it is right again.
    wait_until 15 has_entry
}

@test "its own doings are no cause to do more" {
    prepare regular
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 watch_rests
    strace -f -o "$BATS_TEST_TMPDIR/calls" -p "$watching" 3>&- 2>/dev/null &
    tracing=$!
    wait_until 10 watch_is_traced
    sleep 2
    kill -INT "$tracing"
    wait "$tracing" || true
    # No re-check is due, nothing has changed: no system call after the poll that waits.
    [ -e "$BATS_TEST_TMPDIR/calls" ]
    [ "$(grep -vcE 'poll|SIG|resumed|detached|^$' "$BATS_TEST_TMPDIR/calls" || true)" -eq 0 ]
}

# Where there is no configuration either, no look can say what the file is.
@test "it sleeps while what it cannot settle stays so" {
    prepare regular
    rm "$list"
    mkdir -p /var/lib/cni/results
    start_watch
    wait_until 10 said "waiting for it"
    echo "{" >/var/lib/cni/results/aws-cni-container-eth0
    sleep 6 # until a deletion would be over
    timeout 2 strace -o "$BATS_TEST_TMPDIR/calls" -e trace=poll,ppoll -p "$watching" 3>&- || true
    [ -s "$BATS_TEST_TMPDIR/calls" ]
    [ "$(wc -l <"$BATS_TEST_TMPDIR/calls")" -lt 50 ]
}

@test "--quiet says only what went wrong" {
    prepare regular
    pod_add a
    echo broken >/var/lib/cni/results/broken
    start_watch --quiet --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 said broken
    [ "$(wc -l <"$log")" -eq 1 ]
}
