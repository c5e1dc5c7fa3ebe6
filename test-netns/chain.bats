#!/usr/bin/env bats
# The chain, whoever else writes it: conflists as nodes have them, and what goes wrong with the files
# around them, while pods come and go. What is guarded is told by packets.

# shellcheck disable=SC2119,SC2120
bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/watch.bash
. "$BATS_TEST_DIRNAME/lib/watch.bash"

# The plugins of the conflist, in their order.
types() { # [FILE]
    jq -r '[.plugins[].type] | join(" ")' "${1:-$list}"
}

# Another program edits a conflist as aws-node does: under another name, and with a rename.
rewrite() { # FILE FILTER
    jq "$2" "$1" >/run/rewritten
    mv /run/rewritten "$1.tmp"
    mv "$1.tmp" "$1"
}

is_last() { # [FILE]
    [[ $(types "${1:-$list}") == *" imds-guard" ]]
}

stand_in() { # TYPE...
    local type
    for type; do
        ln -sf "$world_root/test-netns/fixtures/appended" "/opt/cni/bin/$type"
    done
}

# A pod comes, is closed from its first moment on, and goes.
assert_pod_closed() { # POD
    pod_add "$1"
    assert_imds_silent "$1" || return 1
    pod_del "$1"
    pod_gone "$1"
}

# --- who else is there ----------------------------------------------------------------------------

@test "VPC CNI 1.10: what egress-v4-cni makes is made before us" {
    conflist_plain ipv6-with-ipv4-egress
    rewrite "$list" '.plugins[1].type = "egress-v4-cni"'
    ln -sf "$world_root/test-netns/fixtures/egress-cni" /opt/cni/bin/egress-v4-cni
    cp "$list" /run/plain
    config >/run/imds-guard.json
    "$IMDS_GUARD" install --config /run/imds-guard.json
    [ "$(types)" = "aws-cni egress-v4-cni imds-guard" ]
    pod_add a
    [ "$(pod_host_links a | wc -l)" -eq 2 ]
    assert_guards a drop
    assert_imds_silent a
}

@test "whoever appends a plugin is followed back to last place, and named if it insists" {
    prepare regular
    stand_in antrea
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    rewrite "$list" '.plugins += [{type: "antrea"}]'
    wait_until 10 is_last
    [ "$(types)" = "aws-cni egress-cni antrea imds-guard" ]
    wait_until 10 said "antrea had come after it"
    assert_pod_closed a
}

@test "Multus before it: the list that it delegates to is chained, running pods are closed" {
    prepare regular
    cp "$world_root/plugin/tests/data/conflists/nodes/multus/before/00-multus.conf" /etc/cni/net.d
    pod_add a
    assert_imds_answers a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    wait_until 10 is_last
    cmp /etc/cni/net.d/00-multus.conf "$world_root/plugin/tests/data/conflists/nodes/multus/before/00-multus.conf"
    assert_imds_silent a
    assert_pod_closed b
}

@test "podman was there before aws-node: its file stays its own" {
    local podman=/etc/cni/net.d/05-podman.conflist
    prepare regular
    rm "$list"
    echo '{"cniVersion": "0.4.0", "name": "podman", "plugins": [{"type": "bridge"}, {"type": "imds-guard"}]}' >$podman
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "waiting for it"
    wait_until 10 said "does not make this node's pods"
    wait_until 10 eval '[ "$(types $podman)" = bridge ]'
    aws_node_writes
    wait_until 10 has_entry
    [ "$(types $podman)" = bridge ]
    assert_pod_closed a
}

@test "a copy that sorts before: both are chained, and none names a binary that is gone" {
    local copy=/etc/cni/net.d/05-istio.conflist
    prepare regular
    stand_in istio-cni
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    jq '.plugins += [{type: "istio-cni"}]' /run/plain >/run/copy
    mv /run/copy $copy
    wait_until 10 is_last $copy
    is_last
    assert_pod_closed a
    kill "$watching"
    wait_until 5 watch_has_ended
    on_node "$IMDS_GUARD" uninstall --yes --remove-binary
    [ ! -e /opt/cni/bin/imds-guard ]
    [ "$(types $copy)" = "aws-cni egress-cni istio-cni" ]
    cmp "$list" /run/plain
    pod_add b
    rm $copy
    pod_add c
}

@test "a program puts its own text back whenever the file changes: a drop-in is left alone" {
    prepare regular
    start_watch --drop-in --config /run/config/imds-guard.json
    wait_until 10 test -e /etc/cni/net.d/aws-cni/zz-imds-guard.conf
    wait_until 10 said "entry written"
    for _ in 1 2 3 4 5; do
        aws_node_writes
    done
    sleep 0.5
    cmp "$list" /run/plain
    [ "$(count_said "entry written")" -eq 1 ]
    jq --exit-status '.type == "imds-guard"' /etc/cni/net.d/aws-cni/zz-imds-guard.conf
}

@test "the list's name changes while pods of the old name run" {
    [ "$BACKEND" = nftables ] || skip "legacy tables announce nothing"
    prepare regular
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    pod_add a
    wait_until 10 has_guards a drop
    rewrite "$list" '.name = "cilium"'
    wait_until 10 has_entry
    flush_rules
    wait_until 10 has_guards a drop
    assert_imds_silent a
}

@test "aws-node deletes its file while it is patched: it stays deleted" {
    local i
    conflist_plain regular
    cp "$list" /run/plain
    config >/run/imds-guard.json
    for ((i = 0; i < 50; i++)); do
        aws_node_writes
        "$IMDS_GUARD" install --config /run/imds-guard.json >/dev/null 2>&1 &
        [ $((i % 3)) -eq 0 ] || sleep "0.00$((i % 10))"
        rm "$list"
        wait $! || true
        [ -z "$(ls -A /etc/cni/net.d)" ]
    done
}

# --- what goes wrong with files -------------------------------------------------------------------

@test "the directory is made anew behind a mount: told; its parent mounted in its place: followed" {
    prepare regular
    mkdir -p /run/host/cni/net.d /run/container/net.d /run/container/cni
    mount --bind /run/host/cni/net.d /run/container/net.d
    mount --bind /run/host/cni /run/container/cni
    start_watch --config /run/config/imds-guard.json --conf-dir /run/container/net.d
    wait_until 10 said "waiting for it"
    rmdir /run/host/cni/net.d
    mkdir /run/host/cni/net.d
    wait_until 10 said "/run/container/net.d was deleted on the node and made anew"
    kill "$watching"
    wait_until 5 watch_has_ended
    start_watch --config /run/config/imds-guard.json --conf-dir /run/container/cni/net.d
    wait_until 10 said "waiting for it"
    rmdir /run/host/cni/net.d
    mkdir /run/host/cni/net.d
    cp /run/plain /run/host/cni/net.d/10-aws.conflist
    wait_until 10 is_last /run/host/cni/net.d/10-aws.conflist
    umount --lazy /run/container/net.d /run/container/cni # watch may be looking
}

@test "a binary that works is enough where none can be written" {
    prepare regular
    cp "$IMDS_GUARD" /opt/cni/bin/imds-guard
    echo >>/opt/cni/bin/imds-guard # another build of it
    mount --bind /opt/cni/bin /opt/cni/bin
    mount -o remount,bind,ro /opt/cni/bin
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_entry
    wait_until 10 said "is there and works, and stays"
    assert_pod_closed a
    run -0 "$IMDS_GUARD" install --config /run/config/imds-guard.json
    [[ $output == *"is there and works, and stays"* ]]
    umount --lazy /opt/cni/bin
}

@test "what was in force holds while the configuration is wrong, and aws-node starts anew" {
    prepare regular
    pod_add a
    config '.exempt = [{namespace: "default", pod: "b"}]' >/run/config/imds-guard.json
    start_watch --config /run/config/imds-guard.json
    wait_until 10 has_guards a drop
    echo '{"mode": "perhaps"}' >/run/config/imds-guard.json
    wait_until 10 said perhaps
    aws_node_writes
    wait_until 10 has_entry
    [ "$(jq -r '.plugins[-1].exempt[0].pod' "$list")" = b ]
    pod_add b
    assert_guards b pass
    assert_imds_answers b
    assert_imds_silent a
    assert_pod_closed c
    [ "$(count_said perhaps)" -eq 1 ]
}

opens() { # COUNT
    [ "$(grep -c openat /run/opens)" -ge "$1" ]
}

opens_no_more() {
    before=$(grep -c openat /run/opens)
    sleep 3
    ! opens $((before + 1))
}

@test "a configuration that goes wrong while a look is under way is told once, and once when it is right" {
    local config=/run/config/imds-guard.json before
    prepare regular
    pod_add a
    : >/run/opens
    started_by=(strace -o /run/opens -P "$config" -e trace=openat -e inject=openat:delay_enter=1s)
    start_watch --config "$config"
    wait_until 10 has_entry
    wait_until 10 has_guards a drop
    wait_until 10 opens_no_more
    aws_node_writes
    # It has read it once, and would read it again.
    wait_until 10 opens $((before + 2))
    echo '{"mode": "perhaps"}' >/run/config/new
    mv /run/config/new "$config"
    wait_until 10 said perhaps
    wait_until 10 has_entry
    config >/run/config/new
    mv /run/config/new "$config"
    wait_until 10 grep -q 'no longer: .*perhaps' "$log"
    [ "$(count_said perhaps)" -eq 2 ]
    assert_guards a drop
    kill "$(pgrep -P "$watching")"
    wait_until 5 watch_has_ended
}

@test "nobody has named a configuration: a rewrite does not reset the keys" {
    prepare regular
    jq --argjson entry "$(entry '.exempt = [{namespace: "default", pod: "b"}]')" \
        '.plugins += [$entry]' /run/plain >"$list"
    cp "$IMDS_GUARD" /opt/cni/bin
    pod_add b
    assert_imds_answers b
    start_watch
    wait_until 10 said "configuration: that of"
    aws_node_writes
    wait_until 10 has_entry
    [ "$(jq -r '.plugins[-1].exempt[0].pod' "$list")" = b ]
    # And while nobody watched: what the pods were started with.
    kill "$watching"
    wait_until 5 watch_has_ended
    aws_node_writes
    start_watch
    wait_until 10 has_entry
    [ "$(jq -r '.plugins[-1].exempt[0].pod' "$list")" = b ]
    assert_imds_answers b
    assert_pod_closed c
}

@test "no space for the entry: told, and every pod that runs is closed" {
    prepare regular
    mount -t tmpfs -o size=8k disk /etc/cni/net.d
    cp /run/plain "$list"
    dd if=/dev/zero of=/etc/cni/net.d/full bs=1k 2>/dev/null || true
    pod_add a
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "No space left on device"
    wait_until 10 has_guards a drop
    assert_imds_silent a
    pod_add b
    wait_until 10 has_guards b drop
    assert_imds_silent b
    rm /etc/cni/net.d/full
    wait_until 10 has_entry
    assert_pod_closed c
    umount --lazy /etc/cni/net.d
}

@test "without inotify it looks every second, and says so" {
    local call
    for call in inotify_init1 inotify_add_watch; do
        prepare regular
        started_by=(strace -f -o /dev/null -e "trace=$call" -e "inject=$call:error=EMFILE")
        start_watch --config /run/config/imds-guard.json
        wait_until 10 said "looking every second instead"
        wait_until 10 has_entry
        aws_node_writes
        wait_until 10 has_entry
        assert_pod_closed a
        kill "$(pgrep -P "$watching")"
        wait_until 5 watch_has_ended
    done
}

@test "who holds the directory's lock delays the file, never the guards" {
    prepare regular
    pod_add a
    lock_hold /etc/cni/net.d
    start_watch --config /run/config/imds-guard.json
    wait_until 10 said "somebody else has the lock"
    wait_until 10 has_guards a drop
    [ "$(types)" = "aws-cni egress-cni" ]
    assert_imds_silent a
    lock_let_go
    wait_until 10 has_entry
    assert_pod_closed b
}

# --- which pods -----------------------------------------------------------------------------------

# Installed, and nobody watches.
prepare_chained() { # [FILTER]
    ln -sf "$IMDS_GUARD" /opt/cni/bin/imds-guard
    conflist regular "${1:-.}"
}

@test "sync and status know a pod by the chain that it was started with" {
    prepare_chained '.exempt = [{namespace: "default", pod: "b"}]'
    pod_add a
    pod_add b
    rewrite "$list" '.name = "cilium"'
    flush_rules
    on_node "$IMDS_GUARD" sync
    assert_guards a drop
    assert_guards b pass
    run -0 on_node "$IMDS_GUARD" status
    [[ $output == *default/a* ]]
    # No list at all: what they were started with is in force, exemptions too, and that is told.
    rm "$list"
    flush_rules
    on_node "$IMDS_GUARD" sync
    assert_guards a drop
    assert_guards b pass
    assert_imds_silent a
    run -2 on_node "$IMDS_GUARD" status
    [[ $output == *default/a* ]]
    [[ $output == *"no conflist in /etc/cni/net.d yet that makes this node's pods"* ]]
}

@test "status shows who comes after us, and what helps" {
    prepare_chained
    stand_in antrea
    pod_add a
    rewrite "$list" '.plugins += [{type: "antrea"}]'
    run on_node "$IMDS_GUARD" status
    [[ $output == *"antrea comes after imds-guard"*"--drop-in"*"cni.exclusive=false"* ]]
}

@test "no directory of results is told, and is not all well" {
    prepare_chained
    run -1 on_node "$IMDS_GUARD" sync --results-dir /nonexistent
    run -2 on_node "$IMDS_GUARD" status --results-dir /nonexistent
    [[ $output == *"who runs is not known: /nonexistent is not there"* ]]
}

@test "thousands of stale results are a line, and no memory" {
    prepare_chained
    pod_add a
    awk '{ for (i = 0; i < 2000; i++) {
            line = $0
            gsub("/run/netns/a", "/run/netns/gone" i, line)
            sub("cnitool-", "dead" i "-", line)
            sub("\"eni", "\"gone", line)
            file = "/var/lib/cni/results/aws-cni-dead" i "-eth0"
            print line >>file
            close(file)
        } }' /var/lib/cni/results/*
    run -0 on_node "$IMDS_GUARD" sync
    [[ $output == *"skipped 2000 cached results whose network namespace is gone"* ]]
    [ ${#lines[@]} -eq 2 ]
}
