#!/usr/bin/env bats
# What becomes of the nftables backend's table when others write the ruleset, and what is repaired.

BACKEND=nftables
# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
}

@test "a flushed ruleset: CHECK says so, ADD makes all of it anew, DEL minds nothing" {
    for damage in "flush ruleset" "delete table inet imds_guard"; do
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
    before=$(guard_hits a "drop|reject")
    on_node nft "$1"
    run plugin CHECK a
    [ "$status" -ne 0 ] || { echo "CHECK did not mind: $1"; return 1; }
    plugin ADD b >/dev/null
    plugin CHECK a
    plugin CHECK b
    [ "$(guard_hits a "drop|reject")" -ge "$before" ]
    assert_guarded a
    assert_guarded b
}

@test "a damaged table is repaired with all its guards, in one transaction" {
    pod_add a
    pod_add b
    attack a "$imds4"
    local t="inet imds_guard"
    assert_repaired "flush chain $t forward"
    assert_repaired "insert rule $t forward accept"
    assert_repaired "insert rule $t forward iifname \"$(pod_host_links a)\" return"
    assert_repaired "flush chain $t judge"
    assert_repaired "insert rule $t judge return"
    assert_repaired "insert rule $t judge iifname \"$(pod_host_links a)\" return"
    assert_repaired "flush chain $t judge; add rule $t judge iifname vmap @guards"
    assert_repaired "flush chain $t judge; add rule $t judge counter drop"
    assert_repaired "flush chain $t judge; add rule $t judge iifname vmap @guards; add rule $t judge drop"
    assert_repaired "add rule $t forward drop"
    assert_repaired "add table $t { flags dormant; }"
    assert_repaired "add chain $t forward { policy drop; }"
    assert_repaired "flush chain $t forward; delete chain $t forward"
    assert_repaired "flush chain $t forward; delete chain $t forward; add chain $t forward {
        type filter hook forward priority 0; }; add rule $t forward ip daddr $imds4 goto judge;
        add rule $t forward ip6 daddr $imds6 goto judge"
    assert_repaired "flush chain $t forward; add rule $t forward ip daddr != $imds4 goto judge;
        add rule $t forward ip6 daddr $imds6 goto judge"
    assert_repaired "delete rule $t forward handle $(on_node nft -a list chain inet imds_guard forward |
        sed -n 's/.* ip6 daddr .* handle //p')"
    on_node nft "insert rule $t forward accept"
    traced -e trace=sendmsg -- plugin ADD b >/dev/null
    [ "$(transactions)" -eq 1 ]
}

@test "what tells the rejected is there only where somebody is, and is repaired like the rest" {
    local t="inet imds_guard"
    pod_add a
    [[ "$(nft_table)" != *refuse* ]]
    conflist regular '.deny = "reject"'
    plugin ADD a >/dev/null
    pod_add b
    [[ "$(nft_table)" == *"chain refuse"* ]]
    plugin CHECK a
    plugin CHECK b
    assert_repaired "flush chain $t refuse"
    assert_repaired "insert rule $t refuse accept"
    assert_repaired "flush chain $t refuse; add rule $t refuse reject"
    # Where nobody is rejected any more it goes with the next table that is made anew.
    conflist regular
    on_node "$IMDS_GUARD" sync >/dev/null
    plugin CHECK a
    plugin CHECK b
    assert_repaired "add table $t { flags dormant; }"
    [[ "$(nft_table)" != *refuse* ]]
}

# --- what version 0.1.0 left ----------------------------------------------------------------------

former_tag() { # POD
    echo "aws-cni/$(pod_container "$1")/eth0 2 default/$1"
}

# Its table, as nft shows it on a node with one pod, which is let through or not.
former_table() { # POD drop|return [ENDPOINT]
    on_node nft -f - <<END
table inet imds-guard {
    set endpoints4 { type ipv4_addr; flags interval; elements = { 169.254.169.254${3:+, $3} }; }
    set endpoints6 { type ipv6_addr; flags interval; elements = { fd00:ec2::254 }; }
    map in {
        type ifname : verdict; counter;
        elements = { "$(pod_host_links "$1")" counter packets 7 bytes 420 comment "$(former_tag "$1")" : $2 }
    }
    map out {
        type ifname : verdict; counter;
        elements = { "vlan.eth.1" counter packets 0 bytes 0 comment "$(former_tag "$1")" : drop }
    }
    chain forward {
        type filter hook forward priority mangle; policy accept;
        ip daddr @endpoints4 iifname vmap @in
        ip6 daddr @endpoints6 iifname vmap @in
    }
}
END
}

former_is_gone() {
    run ! on_node nft list table inet imds-guard
}

@test "the table of 0.1.0 is taken over, with counters, exemptions and endpoints" {
    local by before
    for by in ADD sync; do
        node_new
        conflist regular '.exempt = [{namespace: "default", pod: "b"}]'
        pod_add a
        pod_add b
        on_node nft delete table inet imds_guard
        former_table a drop 203.0.113.0/24
        on_node nft add element inet imds-guard in "{ \"$(pod_host_links b)\" counter packets 2 bytes 120 comment \"$(
            former_tag b)\" : return }"
        before=$(arrived)
        pings_start a "$imds4"
        pod_new c
        case $by in
        ADD) traced -e trace=sendmsg -- pod_add c ;;
        sync) traced -e trace=sendmsg -- on_node "$IMDS_GUARD" sync >/dev/null ;;
        esac
        former_is_gone
        wait_until 10 has_hits a drop $(($(guard_hits a drop) + 5))
        [ "$(arrived)" = "$before" ]
        [ "$(guard_hits a drop)" -gt 7 ]
        [ "$(guard_hits b pass)" -eq 2 ]
        assert_imds_answers b
        plugin CHECK a
        plugin CHECK b
        # An endpoint that another configuration may have wanted stays until sync has seen them all.
        if [ $by = ADD ]; then
            run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
        else
            reaches a 203.0.113.10
        fi
    done
}

@test "a table that a binary of 0.1.0 makes beside ours is taken over by the next ADD" {
    conflist regular '.exempt = [{namespace: "default", pod: "b"}]'
    pod_add a
    pod_add b
    former_table b drop
    packets_patience=1 run ! reaches b "$imds4"
    pod_add c
    former_is_gone
    # Whose guards were in both has ours.
    assert_imds_answers b
    for pod in a b c; do
        plugin CHECK $pod
    done
    assert_guarded a
}

@test "a pod that a binary of 0.1.0 has guarded does not get the exemption of its predecessor on the link" {
    conflist regular '.exempt = [{namespace: "legacy"}]'
    pod_add a legacy/a
    assert_imds_answers a
    former_table a drop
    on_node nft -f - <<END
delete element inet imds-guard in { "$(pod_host_links a)" }
add element inet imds-guard in { "$(pod_host_links a)" comment "aws-cni/successor/eth0 1 default/a" : drop }
END
    assert_nothing_arrives a
    pod_add b
    former_is_gone
    assert_nothing_arrives a
    guards | grep -F " $(pod_host_links a) drop " | grep -F ' aws-cni/successor/'
}

@test "a table of our name that somebody else has filled" {
    pod_new a
    on_node nft -f - <<'END'
table inet imds_guard {
    set endpoints4 { type mark; elements = { 1 }; }
    map guards { type ifname : verdict; flags interval; elements = { "eni*" : accept }; }
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
    on_node nft 'table inet imds_guard { map guards { type mark : verdict; elements = { 1 : accept }; }; }'
    pod_add a
    plugin CHECK a
    assert_guarded a
    on_node nft 'delete table inet imds_guard; table inet imds_guard { map guards { type mark : verdict; }; }'
    plugin DEL a
}

@test "a chain of somebody else's in our table neither bothers us nor is it touched" {
    pod_add a
    on_node nft -f - <<'END'
table inet imds_guard {
    chain theirs { type filter hook forward priority -300; accept; }
}
END
    plugin CHECK a
    plugin ADD a >/dev/null
    on_node nft list chain inet imds_guard theirs
    assert_guarded a
}

@test "a table that another program owns: ADD says so and gives up" {
    coproc owner { on_node nft -i 3>&-; }
    background+=("$owner_PID")
    # shellcheck disable=SC2154
    echo 'add table inet imds_guard { flags owner; }' >&"${owner[1]}"
    wait_until 5 on_node nft list table inet imds_guard >/dev/null
    run pod_add a
    [ "$status" -ne 0 ]
    grep -q "another program owns" <<<"$output"
}

@test "iptables-nft and iptables-legacy flush and restore around our table" {
    pod_add a
    before=$(nft_table | sed 's/packets [0-9]* bytes [0-9]*//')
    for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
        on_node "$tool" -A FORWARD -m comment --comment theirs -j ACCEPT
        on_node "$tool" -t mangle -A FORWARD -m comment --comment theirs -j ACCEPT
        on_node "$tool-save" >"$BATS_TEST_TMPDIR/$tool"
        on_node "$tool" -F
        on_node "$tool" -t mangle -F
        on_node "$tool-restore" <"$BATS_TEST_TMPDIR/$tool"
        assert_same "$before" "$(nft_table | sed 's/packets [0-9]* bytes [0-9]*//')"
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
