#!/usr/bin/env bats
# What the nftables backend makes, as operators see it with nft, and what becomes of it when others
# write the ruleset, before, between and while we do.

bats_require_minimum_version 1.5.0

setup_file() {
    . "$BATS_TEST_DIRNAME/lib/world.bash"
    world_start
}

setup() {
    . "$BATS_TEST_DIRNAME/lib/world.bash"
    BACKEND=nftables
    node_new
    conflist regular
}

teardown() {
    local pid
    for pid in "${background[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

background=()

ours() {
    on_node nft list table inet imds-guard
}

assert_same() { # EXPECTED ACTUAL
    diff <(echo "$1") <(echo "$2")
}

# All of the pod's guards drop, nothing comes through, and everything else does.
assert_guarded() { # POD
    local before
    [ "$(guards_of "$1" | grep -c " drop ")" -eq "$(pod_host_links "$1" | wc -l)" ]
    before=$(arrived)
    [ -z "$(attack "$1" "$imds4")" ]
    [ "$(arrived)" = "$before" ]
    reaches "$1" 203.0.113.10
}

assert_fails() { # CODE PATTERN COMMAND...
    local code=$1 pattern=$2
    shift 2
    run "$@"
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(jq -r .code <<<"$output")" = "$code" ]
    jq -r '"\(.msg) \(.details // "")"' <<<"$output" | grep -q -- "$pattern"
}

# Our binary under strace. Leaks cannot be looked for in a traced process.
traced() { # STRACE-OPTION... -- COMMAND...
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -qq -s 4096 -o %s %s "%s" "$@"\n' \
        "$BATS_TEST_TMPDIR/trace" "${options[*]}" "$IMDS_GUARD" >"$BATS_TEST_TMPDIR/traced"
    chmod +x "$BATS_TEST_TMPDIR/traced"
    IMDS_GUARD=$BATS_TEST_TMPDIR/traced "$@"
}

transactions() { # in the last trace
    grep -c NFNL_MSG_BATCH_BEGIN "$BATS_TEST_TMPDIR/trace" || true
}

# --- what is made ---------------------------------------------------------------------------------

@test "nft shows the table like this" {
    conflist branch-strict
    pod_add a
    assert_same "$(sed "s|@TAG@|aws-cni/$(pod_container a)/eth0 2 default/a|
        s|@LINK@|$(pod_host_links a | head -n 1)|; s|@VLAN@|$(pod_host_links a | tail -n 1)|" \
        "$BATS_TEST_DIRNAME/fixtures/nftables.expected")" "$(ours)"
    # What nft has written, nft can read, and it is the same to us.
    ours >"$BATS_TEST_TMPDIR/saved"
    on_node nft delete table inet imds-guard
    on_node nft -f "$BATS_TEST_TMPDIR/saved"
    plugin CHECK a
    assert_guarded a
}

@test "a second ADD writes nothing" {
    pod_add a
    attack a "$imds4"
    before=$(ours)
    traced -e trace=sendmsg -- plugin ADD a >/dev/null
    [ "$(transactions)" -eq 0 ]
    assert_same "$before" "$(ours)"
}

@test "an ADD among 1,000 guards writes one element and reads no map" {
    pod_add a
    for i in $(seq 1000); do
        echo "add element inet imds-guard in { \"eni$i\" comment \"aws-cni/c$i/eth0 1 default/p$i\" : drop }"
    done >"$BATS_TEST_TMPDIR/thousand"
    on_node nft -f "$BATS_TEST_TMPDIR/thousand"
    traced -e trace=sendmsg,recvmmsg -- plugin ADD a >/dev/null
    [ "$(grep -c recvmmsg "$BATS_TEST_TMPDIR/trace")" -lt 10 ]
    CNI_CONTAINERID=new traced -e trace=sendmsg,recvmmsg -- plugin ADD a >/dev/null
    [ "$(transactions)" -eq 1 ]
    [ "$(grep -c recvmmsg "$BATS_TEST_TMPDIR/trace")" -lt 10 ]
    CNI_CONTAINERID=new plugin CHECK a
    assert_guarded_by_name a new
    CNI_CONTAINERID=new traced -e trace=sendmsg,recvmmsg -- plugin DEL a
    [ "$(grep -c recvmmsg "$BATS_TEST_TMPDIR/trace")" -lt 10 ]
    [ "$(guards | wc -l)" -eq 1000 ]
}

assert_guarded_by_name() { # POD CONTAINER
    [ "$(guards | grep -c " drop .* aws-cni/$2/")" -eq 1 ]
    [ -z "$(attack "$1" "$imds4")" ]
}

@test "other endpoints are a change of the sets alone: counters stay" {
    pod_add a
    attack a "$imds4"
    before=$(guard_hits a drop)
    [ "$before" -gt 0 ]
    conflist regular '.endpoints = ["169.254.169.254", "10.64.0.0/10", "10.128.0.0/9", "128.0.0.0/1",
        "fd00:ec2::254", "ff00::/8"]'
    plugin ADD a >/dev/null
    plugin CHECK a
    [ "$(guard_hits a drop)" -eq "$before" ]
    [ "$(on_node nft -j list set inet imds-guard endpoints4 |
        jq '[.nftables[].set | select(.)][0].elem | length')" -eq 3 ] # 128.0.0.0/1 has IMDS in it
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    conflist regular
    plugin ADD a >/dev/null
    plugin CHECK a
    reaches a 203.0.113.10
}

@test "a name with a wildcard's letter stands for itself" {
    pod_add a
    plugin DEL a
    pod_new star
    on_node ip link add 'eni*' type veth peer name eth0 netns star
    PREV_RESULT=$(jq -n '{cniVersion: "0.4.0", interfaces: [{name: "eni*"},
        {name: "eth0", sandbox: "/run/netns/star"}]}') plugin ADD star >/dev/null
    [ "$(guards | cut -d ' ' -f 4)" = 'eni*' ]
    # Pod a has an interface eni…, which this guard must not match.
    reaches a "$imds4"
}

# --- others write ---------------------------------------------------------------------------------

@test "a flushed ruleset: CHECK says so, ADD makes all of it anew, DEL minds nothing" {
    for damage in "flush ruleset" "delete table inet imds-guard"; do
        pod_add a
        on_node nft "$damage"
        assert_fails 102 "$(pod_host_links a)" plugin CHECK a
        plugin ADD a >/dev/null
        plugin CHECK a
        assert_guarded a
        on_node nft "$damage"
        plugin DEL a
        [ -z "$(guards)" ]
        pod_del a
    done
}

# DAMAGE: what nft reads; repaired by the next pod's ADD, the first pod's guard and counters kept.
assert_repaired() { # DAMAGE
    local before
    before=$(guard_hits a drop)
    on_node nft "$1"
    run plugin CHECK a
    [ "$status" -ne 0 ] || { echo "CHECK did not mind: $1"; return 1; }
    plugin ADD b >/dev/null
    plugin CHECK a
    plugin CHECK b
    [ "$(guard_hits a drop)" -ge "$before" ]
    assert_guarded a
    assert_guarded b
}

@test "a damaged table is repaired with all its guards, in one transaction" {
    pod_add a
    pod_add b
    attack a "$imds4"
    local t="inet imds-guard"
    assert_repaired "flush chain $t forward"
    assert_repaired "insert rule $t forward accept"
    assert_repaired "insert rule $t forward iifname \"$(pod_host_links a)\" return"
    assert_repaired "add rule $t forward drop"
    assert_repaired "add table $t { flags dormant; }"
    assert_repaired "add chain $t forward { policy drop; }"
    assert_repaired "flush chain $t forward; delete chain $t forward"
    assert_repaired "flush chain $t forward; delete chain $t forward; add chain $t forward {
        type filter hook forward priority 0; }; add rule $t forward ip daddr @endpoints4 iifname vmap @in;
        add rule $t forward ip6 daddr @endpoints6 iifname vmap @in"
    assert_repaired "flush chain $t forward; add rule $t forward ip daddr != @endpoints4 iifname vmap @in;
        add rule $t forward ip6 daddr @endpoints6 iifname vmap @in"
    assert_repaired "flush set $t endpoints4"
    assert_repaired "add element $t endpoints6 { 2001:db8:7::/48 }"
    on_node nft "insert rule $t forward accept"
    traced -e trace=sendmsg -- plugin ADD b >/dev/null
    [ "$(transactions)" -eq 1 ]
}

@test "only a node with branch ENIs has a second hook, and it is repaired like the first" {
    local t="inet imds-guard"
    pod_add a
    [[ "$(ours)" != *postrouting* ]]
    conflist branch-strict
    pod_add b
    [[ "$(ours)" == *"hook postrouting"* ]]
    plugin CHECK a
    assert_guarded b
    assert_repaired "add rule $t postrouting drop"
    assert_repaired "flush chain $t postrouting; delete chain $t postrouting"
    # Stays when the last outgoing guard goes, and is right without one.
    pod_del b
    [[ "$(ours)" == *"hook postrouting"* ]]
    plugin CHECK a
}

@test "no packet slips through while the table is made anew" {
    pod_add a
    pod_add b
    before=$(arrived)
    in_pod a ping -n -q -i 0.002 "$imds4" >/dev/null 2>&1 3>&- &
    background+=($!)
    for _ in $(seq 20); do
        on_node nft add rule inet imds-guard forward accept
        plugin ADD b >/dev/null
        CNI_CONTAINERID=other plugin ADD a >/dev/null
        plugin ADD a >/dev/null
    done
    plugin CHECK a
    sleep 0.1
    [ "$(guard_hits a drop)" -gt 0 ]
    [ "$(arrived)" = "$before" ]
}

@test "a table of our name that somebody else has filled" {
    pod_new a
    on_node nft -f - <<'END'
table inet imds-guard {
    set endpoints4 { type mark; elements = { 1 }; }
    map in { type ifname : verdict; flags interval; elements = { "eni*" : accept }; }
    chain theirs { type filter hook forward priority -300; ip saddr 192.0.2.1 drop; }
    chain forward { ip daddr 203.0.113.10 drop; }
}
END
    pod_add a
    plugin CHECK a
    assert_guarded a
    [ "$(guards | wc -l)" -eq 1 ]
}

@test "a map of our name with keys of another size" {
    pod_new a
    on_node nft 'table inet imds-guard { map in { type mark : verdict; elements = { 1 : accept }; }; }'
    pod_add a
    plugin CHECK a
    assert_guarded a
    on_node nft 'delete table inet imds-guard; table inet imds-guard { map in { type mark : verdict; }; }'
    plugin DEL a
}

@test "a chain of somebody else's in our table neither bothers us nor is it touched" {
    pod_add a
    on_node nft -f - <<'END'
table inet imds-guard {
    chain theirs { type filter hook forward priority -300; accept; }
}
END
    plugin CHECK a
    plugin ADD a >/dev/null
    on_node nft list chain inet imds-guard theirs
    assert_guarded a
}

@test "a table that another program owns: ADD says so and gives up" {
    coproc owner { on_node nft -i 3>&-; }
    background+=("$owner_PID")
    # shellcheck disable=SC2154
    echo 'add table inet imds-guard { flags owner; }' >&"${owner[1]}"
    wait_until 5 on_node nft list table inet imds-guard >/dev/null
    run pod_add a
    [ "$status" -ne 0 ]
    grep -q "another program owns" <<<"$output"
}

@test "iptables-nft and iptables-legacy flush and restore around our table" {
    pod_add a
    before=$(ours | sed 's/packets [0-9]* bytes [0-9]*//')
    for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
        on_node "$tool" -A FORWARD -m comment --comment theirs -j ACCEPT
        on_node "$tool" -t mangle -A FORWARD -m comment --comment theirs -j ACCEPT
        on_node "$tool-save" >"$BATS_TEST_TMPDIR/$tool"
        on_node "$tool" -F
        on_node "$tool" -t mangle -F
        on_node "$tool-restore" <"$BATS_TEST_TMPDIR/$tool"
        assert_same "$before" "$(ours | sed 's/packets [0-9]* bytes [0-9]*//')"
        assert_guarded a
    done
    theirs=$(others_rules)
    # nft does not show comments of iptables-nft.
    [ "$(grep -c -e 'counter accept' -e 'comment theirs -j ACCEPT' <<<"$theirs")" -eq 8 ]
    plugin DEL a
    plugin ADD a >/dev/null
    assert_same "$theirs" "$(others_rules)"
    assert_guarded a
}

# --- from one backend to the other ----------------------------------------------------------------

@test "the backend changes under a live pod: at no moment is IMDS within reach" {
    pod_add a
    before=$(arrived)
    in_pod a ping -n -q -i 0.002 "$imds4" >/dev/null 2>&1 3>&- &
    background+=($!)
    in_pod a ping -n -q -i 0.002 "$imds6" >/dev/null 2>&1 3>&- &
    background+=($!)
    for backend in iptables nftables iptables nftables iptables; do
        for _ in 1 2 3; do
            BACKEND=$backend conflist regular
            plugin ADD a >/dev/null
        done
        plugin CHECK a
        [ "$(guards_of a | cut -d ' ' -f 1 | sort -u)" = "$backend" ]
        sleep 0.1
        [ "$(guard_hits a drop)" -gt 0 ]
    done
    [ "$(arrived)" = "$before" ]
    # Made in one, taken away by a node that uses the other.
    BACKEND=nftables conflist regular
    plugin DEL a
    [ -z "$(guards)" ]
}

# --- many at once ---------------------------------------------------------------------------------

# Others' rules come and go until the file is gone.
others_write() {
    local i=0
    touch "$BATS_TEST_TMPDIR/go"
    while [ -e "$BATS_TEST_TMPDIR/go" ]; do
        on_node nft -f - <<<"table ip theirs { chain c$((i % 5)) { counter; }; }; flush chain ip theirs c$((i % 5))"
        on_node iptables-nft -w -t filter -A FORWARD -m comment --comment "theirs $((i++))"
    done
    echo $i >"$BATS_TEST_TMPDIR/written"
}

@test "64 ADDs and DELs at once while others write" {
    pod_add a
    for i in $(seq 64); do
        pod_new "p$i"
        on_node ip link add "s$i" type veth peer name eth0 netns "p$i"
    done
    for i in $(seq 2 2 64); do
        storm ADD "$i" >/dev/null
    done
    others_write 3>&- &
    background+=($!)
    writer=$!
    pids=()
    for i in $(seq 64); do
        # The even ones go, the odd ones come.
        if [ $((i % 2)) -eq 0 ]; then storm DEL "$i" & else storm ADD "$i" >/dev/null & fi
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
    rm "$BATS_TEST_TMPDIR/go"
    wait "$writer"
    assert_same "$(seq 1 2 63 | sed 's/.*/s&/' | sort)" \
        "$(guards | grep " default/p" | cut -d ' ' -f 4 | sort)"
    [ "$(on_node iptables-nft -S FORWARD | grep -c theirs)" -eq "$(cat "$BATS_TEST_TMPDIR/written")" ]
    [ "$(cat "$BATS_TEST_TMPDIR/written")" -gt 0 ]
    assert_guarded a
}

storm() { # VERB NUMBER
    PREV_RESULT=$(jq -n --arg link "s$2" --arg pod "/run/netns/p$2" '{cniVersion: "0.4.0",
        interfaces: [{name: $link}, {name: "eth0", sandbox: $pod}]}') plugin "$1" "p$2" 3>&-
}

@test "64 ADDs at once on a fresh node" {
    pod_add a
    cp "$(result_file a)" "$BATS_TEST_TMPDIR/result"
    on_node nft flush ruleset
    pids=()
    for i in $(seq 64); do
        CNI_CONTAINERID=racer$i plugin ADD a >/dev/null 3>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
    [ "$(guards | wc -l)" -eq 1 ]
    [ "$(ours | grep -c vmap)" -eq 2 ]
    guards | grep -q " drop .* aws-cni/racer"
}

# --- what the kernel may answer -------------------------------------------------------------------

@test "interrupted and lost answers are asked for again" {
    pod_add a
    plugin DEL a
    for failure in EINTR ENOBUFS; do
        for when in 1 2 3 4 5; do
            traced -e "inject=recvmmsg:error=$failure:when=$when" -- plugin ADD a >/dev/null
            plugin CHECK a
            plugin DEL a
        done
    done
}

@test "no answer is an error, not a hang" {
    pod_add a
    plugin DEL a
    started=$SECONDS
    assert_fails 101 "has not answered" traced -e inject=recvmmsg:error=EAGAIN -- plugin ADD a
    [ $((SECONDS - started)) -lt 15 ]
}

@test "a kernel without nf_tables: ADD says so, DEL has nothing to do" {
    pod_add a
    nth=$(nth_socket ADD)
    assert_fails 101 "no nf_tables" traced -e "inject=socket:error=EPROTONOSUPPORT:when=$nth" -- \
        plugin ADD a
    nth=$(nth_socket DEL)
    plugin ADD a >/dev/null
    traced -e "inject=socket:error=EPROTONOSUPPORT:when=$nth" -- plugin DEL a
    [ "$(guards | wc -l)" -eq 1 ]
}

# Which call of socket(2) is the one for netfilter.
nth_socket() { # VERB
    traced -e trace=socket -- plugin "$1" a >/dev/null
    grep -n NETLINK_NETFILTER "$BATS_TEST_TMPDIR/trace" | head -n 1 | cut -d : -f 1
}
