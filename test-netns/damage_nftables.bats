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
    on_node nft "insert rule $t forward accept"
    traced -e trace=sendmsg -- plugin ADD b >/dev/null
    [ "$(transactions)" -eq 1 ]
}

@test "only a node with branch ENIs has a second hook, and it is repaired like the first" {
    local t="inet imds-guard"
    pod_add a
    [[ "$(nft_table)" != *postrouting* ]]
    conflist branch-strict
    pod_add b
    [[ "$(nft_table)" == *"hook postrouting"* ]]
    plugin CHECK a
    assert_guarded b
    assert_repaired "add rule $t postrouting drop"
    assert_repaired "flush chain $t postrouting; delete chain $t postrouting"
    # Stays when the last outgoing guard goes, and is right without one.
    pod_del b
    [[ "$(nft_table)" == *"hook postrouting"* ]]
    plugin CHECK a
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
