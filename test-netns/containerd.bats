#!/usr/bin/env bats
# A real runtime: containerd 1.7, the conflist patched by `install`, containers with
# `ctr run --cni`. Plugins, conflist and cache are in the world's own /opt/cni/bin, /etc/cni/net.d and
# /var/lib/cni, containerd's files below its /run; only cgroups are the machine's, below one name.

load lib/suite.bash
load lib/unpacked.bash
bats_require_minimum_version 1.5.0

unpacked_use "$world_root/build" || fail "no containerd; run.sh fetches it"
PATH=$unpacked/trixie/usr/bin:$PATH

containers=imds-guard-test # containerd's namespace, and so the cgroups' name
rootfs=/run/rootfs

setup_file() {
    type -P runc >/dev/null || unavailable "runc is not installed"
    [ -x /bin/busybox ] || unavailable "busybox-static is not installed"
    world_start
    mkdir -p "$rootfs"/{bin,dev,etc,proc,run,sys,tmp}
    cp /bin/busybox "$rootfs/bin/"
    cat >/run/containerd.toml <<'END'
version = 2
root = "/run/containerd/root"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/containerd/socket"
END
    ip netns add node
    containerd_start || unavailable "containerd does not start: $(tail -n 1 /run/containerd.log)"
    try_container || unavailable "containerd cannot run a container: $(cat /run/containerd.try)"
}

teardown_file() {
    containerd_stop
    # runc leaves the directory above a container's cgroup.
    find /sys/fs/cgroup -depth -type d -path "*/$containers*" -exec rmdir {} + 2>/dev/null || true
}

setup() {
    containerd_stop
    node_new
    rm -f /opt/cni/bin/imds-guard
    conflist_plain regular
    containerd_start
    entry >/run/entry.json
    on_node "$IMDS_GUARD" install --config /run/entry.json
}

# What a person wants to see when a test has failed, then a clean slate for the next.
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || { guards; tail /run/containerd.log; }
    containers_end
}

containers_end() {
    local name
    for name in $(ctr_ task list --quiet); do
        ctr_ task kill --signal KILL "$name" || true
    done
    wait_until 10 no_tasks
    for name in $(ctr_ container list --quiet); do
        ctr_ task delete "$name" 2>/dev/null || true
        ctr_ container delete "$name" 2>/dev/null || true
    done
}

no_tasks() {
    ! ctr_ task list | grep --quiet RUNNING
}

# --- containerd -----------------------------------------------------------------------------------

ctr_() { # ARGUMENT...
    on_node timeout 1200 ctr --address /run/containerd/socket --namespace "$containers" "$@"
}

containerd_start() {
    # exec, so that the process is containerd itself and can be told to end.
    (exec nsenter --net=/run/netns/node -- containerd --config /run/containerd.toml) \
        >>/run/containerd.log 2>&1 3>&- &
    echo $! >/run/containerd.pid
    wait_until 10 containerd_answers
}

containerd_answers() {
    ctr_ version >/dev/null 2>&1
}

containerd_stop() {
    local pid
    pid=$(cat /run/containerd.pid) || return 0
    kill "$pid" 2>/dev/null || return 0
    wait_until 10 process_is_gone "$pid"
}

process_is_gone() { # PID
    ! kill -0 "$1" 2>/dev/null || [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null)" = Z ]
}

try_container() {
    ctr_ run --rm --rootfs "$rootfs" try /bin/busybox true >/run/containerd.try 2>&1
}

# --- containers -----------------------------------------------------------------------------------

# go-cni's name for the container of a name.
pod_container() { # POD
    echo "$containers-$1"
}

# Starts a container that waits to be killed. In the foreground, so that ctr calls DEL at its end;
# detached, ctr never does.
container_start() { # POD
    ctr_ run --rm --cni --rootfs "$rootfs" "$1" /bin/busybox sleep 36000 \
        >"/run/$1.log" 2>&1 3>&- &
    echo $! >"/run/$1.pid"
}

container_start_detached() { # POD
    ctr_ run --detach --cni --rootfs "$rootfs" "$1" /bin/busybox sleep 36000
    container_running "$1"
}

# Waits until it runs; then it has its network. Its namespace gets a name, its result a place.
container_running() { # POD
    local cache
    wait_until 30 container_runs "$1" || { cat "/run/$1.log"; return 1; }
    ip netns attach "$1" "$(ctr_ task list | awk -v name="$1" '$1 == name { print $2 }')"
    cache=/var/lib/cni/results/aws-cni-$(pod_container "$1")-eth0
    jq '.result' "$cache" >"$(result_file "$1")"
}

container_runs() { # POD
    ctr_ task list | grep --quiet "^$1 .*RUNNING"
}

container_end() { # POD
    ip netns delete "$1"
    ctr_ task kill --signal KILL "$1"
    wait_until 30 process_is_gone "$(cat "/run/$1.pid")"
    # A failed DEL is all that ctr says of it.
    ! grep -i 'error\|fail' "/run/$1.log"
}

@test "a container is guarded from its start to its end" {
    container_start a
    container_start b
    container_running a
    container_running b
    assert_guards a drop
    assert_imds_silent a
    assert_rest_answers a b
    container_end a
    assert_no_guards a
    assert_guards b drop
    assert_imds_silent b
    container_end b
    assert_no_guards
}

@test "without the entry IMDS answers, with it installed again it answers nobody" {
    on_node "$IMDS_GUARD" uninstall --yes
    container_start a
    container_running a
    assert_no_guards
    assert_imds_answers a

    on_node "$IMDS_GUARD" install --config /run/entry.json
    container_start b
    container_running b
    assert_guards a drop
    assert_guards b drop
    assert_imds_silent a
    assert_imds_silent b
    container_end b
    # Its cached conflist has no entry, and DEL works by that.
    container_end a
    on_node "$IMDS_GUARD" sync
    assert_no_guards
}

@test "uninstalled while they run, containers stay guarded if that is wanted, and end cleanly" {
    container_start a
    container_running a
    container_start b
    container_running b
    run -0 on_node "$IMDS_GUARD" uninstall --keep-guards
    [[ $output == *"2 guards kept"*"imds-guard flush"* ]]
    assert_guards a drop
    assert_imds_silent a
    container_end a
    assert_no_guards a

    run -2 on_node "$IMDS_GUARD" uninstall </dev/null
    [[ $output == *"give --yes"* ]]
    assert_imds_silent b
    run -0 on_node "$IMDS_GUARD" uninstall --yes
    [[ $output == *"had no entry"*"1 guard removed"* ]]
    assert_no_guards
    assert_imds_answers b
    container_end b
}

@test "20 containers at once" {
    local name names=() endings=()
    for name in {1..20}; do
        names+=("c$name")
        container_start "c$name"
    done
    for name in "${names[@]}"; do
        container_running "$name"
        assert_guards "$name" drop
    done
    for name in "${names[@]}"; do
        assert_imds_silent "$name"
    done
    [ "$(guards | grep -c ' in .* drop ')" -eq "$((20 * $([ "$BACKEND" = nftables ] && echo 1 || echo 2)))" ]
    for name in "${names[@]}"; do
        container_end "$name" &
        endings+=($!)
    done
    for name in "${endings[@]}"; do
        wait "$name"
    done
    assert_no_guards
}

@test "containerd restarts, guards stay" {
    container_start_detached a
    assert_guards a drop
    containerd_stop
    assert_imds_silent a
    containerd_start
    assert_guards a drop
    assert_imds_silent a

    container_start b
    container_running b
    assert_guards b drop
    assert_imds_silent b
    container_end b
    assert_no_guards b
    assert_guards a drop
}

state_of() { # POD
    on_node "$IMDS_GUARD" status --json |
        jq -r --arg id "$(pod_container "$1")" '.attachments[] | select(.containerId == $id).state'
}

@test "status shows who is guarded and who is not, sync guards them" {
    container_start a
    container_running a
    on_node "$IMDS_GUARD" uninstall --keep-guards
    container_start b
    container_running b
    on_node "$IMDS_GUARD" install --no-sync --config /run/entry.json
    [ "$(state_of a)" = guarded ]
    [ "$(state_of b)" = unguarded ]
    run -0 on_node "$IMDS_GUARD" status
    [[ $output == *"no guard"* ]]

    on_node "$IMDS_GUARD" sync
    assert_guards b drop
    assert_imds_silent b
    [ "$(state_of b)" = guarded ]
    run -0 on_node "$IMDS_GUARD" status
    container_end a
    container_end b
    [ -z "$(state_of a)" ]
}
