#!/usr/bin/env bats
# Two backends on one node: which one a node gets, changing from one to the other, and others who
# flush, restore and write while guards stand.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    other=iptables
    # shellcheck disable=SC2153 # suite.bash
    [ "$BACKEND" = nftables ] || other=nftables
}

legacy_tables() {
    on_node cat /proc/net/ip_tables_names /proc/net/ip6_tables_names
}

# All guards of the pod stand in this backend and in no other.
assert_only_in() { # BACKEND POD
    [ "$(guards_of "$2" | cut -d ' ' -f 1 | sort -u)" = "$1" ] ||
        fail "guards of $2 should be in $1 alone: $(guards_of "$2")"
}

# Probes from the pod without a pause, until quiet_stop; what arrives at IMDS is counted there.
probe_start() { # POD
    pings_start "$1" "$imds4"
    before=$(arrived)
}

assert_probe_never_arrived() {
    kill "$pinging" 2>/dev/null || fail "the probe has ended by itself" || return 1
    [ "$(arrived)" = "$before" ] || fail "$(($(arrived) - before)) packets arrived at IMDS"
}

@test "auto: nftables on a node without legacy tables, and looking makes none" {
    BACKEND=auto conflist regular
    pod_add a
    assert_only_in nftables a
    pod_check a
    pod_del a
    assert_no_guards
    [ -z "$(legacy_tables)" ]
}

@test "auto: iptables on a node with legacy tables" {
    on_node iptables-legacy -t filter -L >/dev/null
    BACKEND=auto conflist regular
    pod_add a
    assert_only_in iptables a
    assert_imds_silent a
    pod_check a
    pod_del a
    assert_no_guards
}

# Whatever is tried of nf_tables is taken back, and costs each pod's start a grace period.
@test "auto: on such a node nothing is tried of nf_tables before each ADD" {
    on_node iptables-legacy -t filter -L >/dev/null
    BACKEND=auto conflist regular
    pod_add a
    request a | CNI_COMMAND=ADD CNI_CONTAINERID=$(pod_container a) CNI_NETNS=/run/netns/a \
        CNI_IFNAME=eth0 CNI_ARGS=$(pod_args a) CNI_PATH=/opt/cni/bin ASAN_OPTIONS=detect_leaks=0 \
        on_node timeout 300 strace -qq -o /run/trace -e trace=sendmsg "$IMDS_GUARD" >/dev/null
    # strace does not know yet of what protocol a socket is that has never sent.
    grep -qE 'NFT_MSG_GETTABLE|0xa01 ' /run/trace
    if grep -E 'NFT_MSG_NEWTABLE|0xa00 ' /run/trace; then false; fi
    assert_only_in iptables a
}

# As where /run cannot be written to, or the modules for IPv6 are missing.
@test "auto: nftables on a node with legacy tables, where iptables would not work" {
    on_node iptables-legacy -t filter -L >/dev/null
    BACKEND=auto conflist regular
    export XTABLES_LOCKFILE=/nowhere/xtables.lock
    pod_add a
    assert_only_in nftables a
    assert_imds_silent a
    pod_check a
    pod_del a
    assert_no_guards
}

@test "auto: nftables for all, once iptables, where they stand, does not work any more" {
    on_node iptables-legacy -t filter -L >/dev/null
    BACKEND=auto conflist regular '.exempt = [{namespace: "legacy"}]'
    pod_add a
    pod_add b legacy/b
    assert_only_in iptables a
    mkdir /run/xtables.lock.d
    export XTABLES_LOCKFILE=/run/xtables.lock.d
    pod_add c
    assert_only_in nftables c
    for pod in a c; do
        assert_nothing_arrives $pod # the one drops it, or the other
    done
    assert_imds_answers b # which both let pass
    # Whoever comes now and may pass, could not: there is a drop for others that cannot be changed.
    if pod_add d legacy/d >/run/refusal 2>&1; then fail "d has started, and is cut"; fi
    grep -q 'xtables.lock.d is a directory' /run/refusal
    grep -q 'packets are denied that should pass' /run/refusal
    pod_gone d
    unset XTABLES_LOCKFILE
    on_node "$IMDS_GUARD" sync >/dev/null
    for pod in a b c; do
        assert_only_in nftables $pod
    done
    assert_imds_answers b
    rmdir /run/xtables.lock.d
}

# Where our table stands it is asked first, whatever else is live by now.
@test "auto: an ADD mends our table after its rules were flushed, on a node with legacy tables" {
    BACKEND=auto conflist regular '.exempt = [{namespace: "legacy"}]'
    pod_add a
    pod_add b legacy/b
    on_node iptables-legacy -t filter -L >/dev/null
    on_node nft flush table inet imds_guard
    pod_add c
    for pod in a c; do
        assert_imds_silent $pod
    done
    assert_imds_answers b
    for pod in a b c; do
        assert_only_in nftables $pod
    done
}

# As if ip_vs had been loaded; what is judged then, the tests with kernels of their own show.
@test "auto: an ADD moves all guards to nftables while IPVS may send packets, which iptables cannot judge" {
    on_node iptables-legacy -t filter -L >/dev/null
    BACKEND=auto conflist regular
    pod_add a
    pod_add b
    assert_only_in iptables a
    plugin DEL b
    traced -P /proc/self/net/ip_vs -e inject=access:retval=0 -- plugin ADD b >/dev/null
    assert_only_in nftables a
    assert_only_in nftables b
    [ "$(nft_table | grep -c 'hook postrouting')" -eq 1 ]
    for pod in a b; do
        assert_imds_silent $pod
    done
}

@test "auto without CAP_NET_ADMIN says what is missing" {
    BACKEND=auto conflist regular
    pod_add a
    assert_error 101 add_without_net_admin a
    assert_says CAP_NET_ADMIN
}

add_without_net_admin() { # POD
    request "$1" | CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/$1 CNI_IFNAME=eth0 \
        CNI_PATH=/opt/cni/bin on_node timeout 300 setpriv --bounding-set -net_admin \
        --inh-caps -net_admin "$IMDS_GUARD"
}

@test "the other backend's guards are found by CHECK, GC and DEL" {
    conflist branch-strict
    pod_add a
    pod_add b
    BACKEND=$other conflist branch-strict
    assert_quiet plugin CHECK a
    CNI_VERSION=1.1.0 PREV_RESULT='' assert_quiet plugin GC a
    assert_only_in "$BACKEND" a
    assert_quiet plugin DEL a
    PREV_RESULT='' CNI_NETNS='' assert_quiet plugin DEL b
    assert_no_guards
}

@test "after a switch ADD goes where the guards stand, sync moves them, and IMDS is out of reach all the way" {
    local stand=$BACKEND
    conflist ipv4-with-ipv6-egress
    pod_add a
    assert_imds_silent a
    probe_start a
    for backend in "$other" "$BACKEND" "$other" "$BACKEND"; do
        BACKEND=$backend conflist ipv4-with-ipv6-egress
        for _ in 1 2; do
            plugin ADD a >/dev/null
            assert_only_in "$stand" a
            assert_quiet plugin CHECK a
            on_node "$IMDS_GUARD" sync >/dev/null
            stand=$backend
        done
        assert_only_in "$backend" a
    done
    assert_probe_never_arrived
    assert_imds_silent a
}

# The sync, which is first in line for the lock, moves house while the DEL waits for it.
@test "DEL while a sync moves all guards to nftables leaves none" {
    local syncing deleting
    BACKEND=iptables conflist regular
    pod_add a
    pod_add b
    BACKEND=nftables conflist regular
    lock_hold /run/xtables.lock
    on_node "$IMDS_GUARD" sync >/dev/null 3>&- 4>&- &
    syncing=$!
    wait_until 5 lock_is_waited_for /run/xtables.lock
    plugin DEL a 3>&- 4>&- &
    deleting=$!
    wait_until 5 lock_is_waited_for /run/xtables.lock 2
    lock_let_go
    wait "$syncing"
    wait "$deleting"
    [ "$(guards | cut -d ' ' -f 1)" = nftables ] # that of b
}

@test "ADD after a switch takes the interface from its former owner in the other backend" {
    conflist regular
    pod_add a
    BACKEND=$other conflist regular
    CNI_CONTAINERID=successor plugin ADD a >/dev/null
    [ "$(guards | grep -c ' aws-cni/successor/')" = "$(guards | wc -l)" ]
    plugin DEL a # late, and the former owner's
    [ "$(guards | cut -d ' ' -f 1 | sort -u)" = "$BACKEND" ]
    assert_nothing_arrives a
}

@test "GC takes a guard whose interface is gone out of the other backend, and no other" {
    conflist regular
    pod_add a
    pod_add b
    on_node ip link delete "$(pod_host_links a)"
    BACKEND=$other conflist regular '.["cni.dev/valid-attachments"] = []'
    CNI_VERSION=1.1.0 PREV_RESULT='' assert_quiet plugin GC a
    assert_no_guards a
    assert_only_in "$BACKEND" b
}

@test "CHECK names a wrong verdict in the other backend" {
    conflist regular
    pod_add a
    BACKEND=$other conflist regular '.mode = "audit"'
    assert_error 102 plugin CHECK a
    assert_says "$(pod_host_links a) (pass): packets are denied that should pass"
}

@test "ADD twice: no packet passes in between" {
    conflist regular
    pod_add a
    probe_start a
    for _ in {1..10}; do
        plugin ADD a >/dev/null
    done
    assert_probe_never_arrived
}

@test "everything is flushed between ADD and DEL, and between two ADDs" {
    conflist branch-strict
    pod_add a
    flush_all
    assert_quiet plugin DEL a
    plugin ADD a >/dev/null
    flush_all
    plugin ADD a >/dev/null
    assert_guards a drop
    assert_imds_silent a
}

flush_all() {
    if [ "$BACKEND" = nftables ]; then
        on_node nft flush ruleset
    else
        for tool in iptables-legacy ip6tables-legacy; do
            on_node $tool -t mangle -F
            on_node $tool -t mangle -X
        done
    fi
}

@test "others flush and restore their tables, and the guards stay" {
    conflist ipv4-with-ipv6-egress
    pod_add a
    for tool in iptables-nft ip6tables-nft; do
        on_node $tool -F
        on_node $tool -t nat -S >/run/saved
        on_node $tool-save -t filter | on_node $tool-restore
        on_node $tool-save -t mangle | on_node $tool-restore
    done
    for tool in iptables-legacy ip6tables-legacy; do
        on_node $tool -F
        on_node $tool -t nat -F
        on_node $tool-save -t filter | on_node $tool-restore
    done
    assert_quiet plugin CHECK a
    assert_guards a drop
    assert_imds_silent a
}

@test "something of our name was there before, made by somebody else" {
    if [ "$BACKEND" = nftables ]; then
        on_node nft -f - <<'END'
table inet imds_guard {
    map guards { type ipv4_addr : verdict; }
    set ipv4 { type inet_service; }
    chain forward { type filter hook input priority 7; policy accept; accept; }
    chain mine { accept; }
}
END
    else
        for tool in iptables-legacy ip6tables-legacy; do
            on_node $tool -t mangle -N IMDS-GUARD
            on_node $tool -t mangle -A IMDS-GUARD -j ACCEPT
            on_node $tool -t mangle -A INPUT -j IMDS-GUARD
        done
    fi
    conflist branch-strict
    # Either the guard holds or the pod does not start; and never a pod without a guard.
    if pod_add a; then
        assert_imds_silent a
        pod_check a
    else
        assert_no_guards a
    fi
}

@test "64 ADDs and DELs at once, beside others who write" {
    conflist_plain regular
    pod_add a
    pod_add b
    conflist regular '.others = "pass"'
    request a >/run/request-a
    request b >/run/request-b
    writers_start
    plugin_raw ADD a </run/request-a >/dev/null
    running=()
    for number in {1..32}; do
        CNI_CONTAINERID=storm$number plugin_raw ADD b </run/request-b >/dev/null 3>&- &
        running+=($!)
        CNI_CONTAINERID=storm$number PREV_RESULT='' plugin DEL b >/dev/null 3>&- &
        running+=($!)
    done
    for process in "${running[@]}"; do
        wait "$process"
    done
    writers_stop
    assert_guards a drop
    for number in {1..32}; do
        CNI_CONTAINERID=storm$number PREV_RESULT='' plugin DEL b
    done
    run ! grep -F /storm <(guards)
    assert_imds_silent a
    assert_imds_answers b
}

# Two that add rules of their own as fast as they can, and count how many.
writers_start() {
    on_node nft add table inet mine
    on_node nft add chain inet mine c
    rm -f /run/stop
    (n=0; while [ ! -e /run/stop ]; do
        on_node iptables-legacy -w 600 -t mangle -A INPUT -s 10.9.8.7 -j ACCEPT && n=$((n + 1))
    done; echo $n >/run/written-iptables) >/dev/null 2>&1 3>&- 4>&- &
    writers=($!)
    (n=0; while [ ! -e /run/stop ]; do
        on_node nft add rule inet mine c ip saddr 10.9.8.7 accept && n=$((n + 1))
    done; echo $n >/run/written-nft) >/dev/null 2>&1 3>&- 4>&- &
    writers+=($!)
}

# Every rule they have written is still there.
writers_stop() {
    touch /run/stop
    wait "${writers[@]}"
    [ "$(on_node iptables-legacy -t mangle -S INPUT | grep -c 10.9.8.7)" = "$(cat /run/written-iptables)" ]
    [ "$(on_node nft list chain inet mine c | grep -c 10.9.8.7)" = "$(cat /run/written-nft)" ]
    [ "$(cat /run/written-iptables)" -gt 0 ]
    [ "$(cat /run/written-nft)" -gt 0 ]
}
