#!/usr/bin/env bats
# Guards of the nftables backend while rulesets are written: by us, by others, by many at once.

BACKEND=nftables
# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
}

@test "no packet slips through while the table is made anew" {
    pod_add a
    pod_add b
    before=$(arrived)
    pings_start a "$imds4"
    for _ in $(seq 20); do
        on_node nft add rule inet imds_guard forward accept
        plugin ADD b >/dev/null
        CNI_CONTAINERID=other plugin ADD a >/dev/null
        plugin ADD a >/dev/null
    done
    plugin CHECK a
    wait_until 10 has_hits a drop 10
    [ "$(arrived)" = "$before" ]
}

# --- from one backend to the other ----------------------------------------------------------------

@test "the backend changes under a live pod: at no moment is IMDS within reach" {
    pod_add a
    before=$(arrived)
    pings_start a "$imds4"
    pings_start a "$imds6"
    for backend in iptables nftables iptables nftables iptables; do
        for _ in 1 2 3; do
            BACKEND=$backend conflist regular
            plugin ADD a >/dev/null
            on_node "$IMDS_GUARD" sync >/dev/null
        done
        plugin CHECK a
        [ "$(guards_of a | cut -d ' ' -f 1 | sort -u)" = "$backend" ]
        wait_until 10 has_hits a drop $(($(guard_hits a drop) + 5))
    done
    [ "$(arrived)" = "$before" ]
    # Made in one, taken away by a node that uses the other.
    BACKEND=nftables conflist regular
    plugin DEL a
    [ -z "$(guards)" ]
}

# --- a sync beside an ADD ---------------------------------------------------------------------------

# A pod of another network, which wants one endpoint more.
add_of_other_network() { # POD
    CONFIG=$(entry '.endpoints = ["169.254.169.254", "fd00:ec2::254", "203.0.113.0/24"]') \
        NETWORK=other plugin "${2:-ADD}" "$1" >/dev/null
}

@test "an ADD gets its endpoints though a sync has taken one away that stood when it looked" {
    pod_add a
    conflist_plain regular
    pod_add b
    pod_add c
    for pod in b c; do
        rm "/var/lib/cni/results/aws-cni-$(pod_container "$pod")-eth0"
    done
    conflist regular
    traced -e trace=sendmsg,recvmmsg -- add_of_other_network c
    looks=$(sed '/BATCH_BEGIN/q' "$BATS_TEST_TMPDIR/trace" | grep -c ^recvmmsg)
    NETWORK=other plugin DEL c
    rm "$BATS_TEST_TMPDIR/trace"
    # It has looked for the last time before it writes, and stops.
    traced -e inject=recvmmsg:signal=STOP:when="$looks" -e trace=sendmsg,recvmmsg -- add_of_other_network b &
    adding=$!
    wait_until 10 is_stopped
    stopped=$(pgrep -x imds-guard)
    run ! grep BATCH_BEGIN "$BATS_TEST_TMPDIR/trace"
    run -0 on_node "$IMDS_GUARD" sync
    [[ $output == *"took 203.0.113.0/24 from the endpoints"* ]]
    kill -CONT "$stopped"
    wait "$adding"
    grep -q 'BATCH_BEGIN' "$BATS_TEST_TMPDIR/trace"
    run ! in_pod b curl --silent --max-time 0.3 http://203.0.113.10/
    add_of_other_network b CHECK
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
    [ "$(nft_table | grep -c vmap)" -eq 1 ]
    [ "$(nft_table | grep -c 'goto judge')" -eq 2 ]
    guards | grep -q " drop .* aws-cni/racer"
}
