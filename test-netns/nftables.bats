#!/usr/bin/env bats
# What the nftables backend makes, as operators see it with nft, and what it makes of the kernel's answers.

BACKEND=nftables
# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
}

# --- what is made ---------------------------------------------------------------------------------

@test "nft shows the table like this" {
    conflist branch-strict
    pod_add a
    assert_same "$(sed "s|@TAG@|aws-cni/$(pod_container a)/eth0 1 default/a|
        s|@LINK@|$(pod_host_links a)|" "$BATS_TEST_DIRNAME/fixtures/nftables.expected")" "$(nft_table)"
}

@test "what nft has written of a whole ruleset it can read, and it is the same to us" {
    conflist regular '.deny = "reject" | .exempt = [{namespace: "exempt"}]'
    pod_add a
    pod_add b exempt/b
    attack a "$imds4"
    attack b "$imds4" >/dev/null
    [[ "$(nft_table)" == *"goto refuse"* ]]
    on_node nft list ruleset >"$BATS_TEST_TMPDIR/saved"
    on_node nft flush ruleset
    on_node nft -f "$BATS_TEST_TMPDIR/saved"
    assert_same "$(<"$BATS_TEST_TMPDIR/saved")" "$(on_node nft list ruleset)"
    plugin CHECK a
    plugin CHECK b exempt/b
    traced -e trace=sendmsg -- plugin ADD a >/dev/null
    [ "$(transactions)" -eq 0 ]
    assert_imds_answers b
    [ -z "$(attack a "$imds4")" ]
}

@test "a second ADD writes nothing" {
    pod_add a
    attack a "$imds4"
    before=$(nft_table)
    traced -e trace=sendmsg -- plugin ADD a >/dev/null
    [ "$(transactions)" -eq 0 ]
    assert_same "$before" "$(nft_table)"
}

# A thousand guards are more than a hundred thousand bytes.
assert_reads_no_map() {
    [ "$(grep -o 'msg_len=[0-9]*' "$BATS_TEST_TMPDIR/trace" | awk -F= '{ sum += $2 } END { print sum }')" -lt 20000 ]
}

@test "an ADD among 1,000 guards writes one element and reads no map" {
    pod_add a
    for i in $(seq 1000); do
        echo "add element inet imds_guard guards { \"eni$i\" comment \"aws-cni/c$i/eth0 1 default/p$i\" : drop }"
    done >"$BATS_TEST_TMPDIR/thousand"
    on_node nft -f "$BATS_TEST_TMPDIR/thousand"
    traced -e trace=sendmsg,recvmmsg -- plugin ADD a >/dev/null
    assert_reads_no_map
    CNI_CONTAINERID=new traced -e trace=sendmsg,recvmmsg -- plugin ADD a >/dev/null
    [ "$(transactions)" -eq 1 ]
    assert_reads_no_map
    CNI_CONTAINERID=new plugin CHECK a
    assert_guarded_by_name a new
    CNI_CONTAINERID=new traced -e trace=sendmsg,recvmmsg -- plugin DEL a
    assert_reads_no_map
    [ "$(guards | wc -l)" -eq 1000 ]
}

# Linux 6.12 and later: whoever deletes has everybody wait who commits next.
@test "a DEL lets its guard go and deletes nothing, and the next ADD does not mind" {
    pod_add a
    traced -e trace=sendmsg -- plugin DEL a
    grep -q NFT_MSG_NEWSETELEM "$BATS_TEST_TMPDIR/trace"
    if grep NFT_MSG_DELSETELEM "$BATS_TEST_TMPDIR/trace"; then false; fi
    run ! grep -q eni < <(on_node nft list map inet imds_guard guards)
    for i in 1 2 3; do
        plugin ADD a >/dev/null
        request a | CNI_COMMAND=DEL CNI_CONTAINERID=$(pod_container a) CNI_NETNS=/run/netns/a \
            CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin on_node "$IMDS_GUARD"
    done
    plugin ADD a >/dev/null
    sleep 0.05
    plugin CHECK a
    assert_imds_silent a
}

@test "a DEL deletes what cannot be let go" {
    local change
    pod_add a
    for change in 's/flags timeout$//' 's/\(comment .*\) : drop/\1 : accept/'; do
        plugin ADD a >/dev/null
        { echo 'delete table inet imds_guard' && on_node nft list table inet imds_guard; } |
            sed "/map guards/,/}/$change" >"$BATS_TEST_TMPDIR/changed"
        on_node nft -f - <"$BATS_TEST_TMPDIR/changed"
        plugin DEL a || fail "after $change" || return 1
        run ! grep -q comment < <(on_node nft list map inet imds_guard guards)
    done
}

assert_guarded_by_name() { # POD CONTAINER
    [ "$(guards | grep -c " drop .* aws-cni/$2/")" -eq 1 ]
    [ -z "$(attack "$1" "$imds4")" ]
}

# What stands for the endpoints, as nft shows it.
rules_for_endpoints() {
    on_node nft list chain inet imds_guard forward | sed -n 's/^\t\t@nh,/@nh,/p; s/^\t\tip/ip/p'
}

@test "other endpoints are a change of two rules alone: counters stay" {
    pod_add a
    attack a "$imds4"
    before=$(guard_hits a drop)
    [ "$before" -gt 0 ]
    conflist regular '.endpoints = ["169.254.169.254", "10.64.0.0/10", "10.128.0.0/9", "128.0.0.0/1",
        "fd00:ec2::254", "ff00::/8"]'
    plugin ADD a >/dev/null
    plugin CHECK a
    [ "$(guard_hits a drop)" -eq "$before" ]
    # 128.0.0.0/1 has IMDS in it, and too few bits for a comparison of their own.
    diff - <(rules_for_endpoints) <<'END'
@nh,128,8 0xa ip daddr 10.64.0.0/10 goto judge
@nh,128,8 0xa ip daddr 10.128.0.0/9 goto judge
ip daddr 128.0.0.0/1 goto judge
@nh,192,32 0xfd000ec2 ip6 daddr fd00:ec2::254 goto judge
@nh,192,8 0xff ip6 daddr ff00::/8 goto judge
END
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    conflist regular
    plugin ADD a >/dev/null
    plugin CHECK a
    run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
    on_node "$IMDS_GUARD" sync
    diff - <(rules_for_endpoints) <<'END'
@nh,128,32 0xa9fea9fe ip daddr 169.254.169.254 goto judge
@nh,192,32 0xfd000ec2 ip6 daddr fd00:ec2::254 goto judge
END
    reaches a 203.0.113.10
    [ "$(guard_hits a drop)" -ge "$before" ]
}

@test "an endpoint's rule of another form is not counted on" {
    pod_add a
    local rule
    for rule in 'ip daddr != 203.0.113.10' 'ip saddr 203.0.113.10' 'ip daddr 203.0.113.10 tcp dport 81' \
        'ip daddr 203.0.113.10' 'ip daddr & 255.255.255.0 == 203.0.113.10'; do
        on_node nft add rule inet imds_guard forward "$rule" goto judge
        CONFIG=$(entry '.endpoints += ["203.0.113.10"]') check_fails "asks for 203.0.113.10" a
        CONFIG=$(entry '.endpoints += ["203.0.113.10"]') plugin ADD a >/dev/null
        CONFIG=$(entry '.endpoints += ["203.0.113.10"]') assert_quiet plugin CHECK a
        run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
        on_node "$IMDS_GUARD" sync >/dev/null
        [ "$(rules_for_endpoints | wc -l)" -eq 2 ]
        reaches a 203.0.113.10
        assert_imds_silent a
    done
}

@test "a name with a wildcard's letter stands for itself" {
    conflist regular '.others = "pass"'
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
    [ $((SECONDS - started)) -lt 150 ]
}

@test "a kernel without nf_tables: ADD says so, DEL has nothing to do" {
    pod_add a
    nth=$(nth_socket ADD)
    assert_fails 101 "no nf_tables" traced -e "inject=socket:error=EPROTONOSUPPORT:when=$nth+" -- \
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
