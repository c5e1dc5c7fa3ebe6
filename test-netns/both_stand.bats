#!/usr/bin/env bats
# Both backends stand: somebody has restored what he had saved, or a move was cut off half way. A packet
# gets the stricter verdict of the two, until sync leaves one of them.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    other=iptables
    # shellcheck disable=SC2153 # suite.bash
    [ "$BACKEND" = nftables ] || other=nftables
}

assert_only_in() { # BACKEND POD
    [ "$(guards_of "$2" | cut -d ' ' -f 1 | sort -u)" = "$1" ] ||
        fail "guards of $2 should be in $1 alone: $(guards_of "$2")"
}

assert_guards_in() { # BACKEND POD drop|pass
    [ "$(guards_of "$2" | cut -d ' ' -f 1,5 | sort -u)" = "$1 $3" ] ||
        fail "guards of $2 should be in $1, and $3: $(guards_of "$2")"
}

save_rules() { # BACKEND
    if [ "$1" = nftables ]; then
        nft_table >/run/saved
        return
    fi
    on_node iptables-legacy-save -t mangle >/run/saved
    on_node ip6tables-legacy-save -t mangle >/run/saved6
}

restore_rules() { # BACKEND
    if [ "$1" = nftables ]; then
        on_node nft -f /run/saved
        return
    fi
    on_node iptables-legacy-restore </run/saved
    on_node ip6tables-legacy-restore </run/saved6
}

# As if a switch had been cut off half way: the pod's own guard lets pass, what stood before still drops.
@test "CHECK sees a drop in one backend that a pass in the other cannot undo" {
    conflist regular
    pod_add a
    link=$(pod_host_links a)
    save_rules "$BACKEND"
    BACKEND=$other conflist regular '.mode = "audit"'
    on_node "$IMDS_GUARD" sync >/dev/null
    assert_only_in "$other" a
    assert_quiet plugin CHECK a
    restore_rules "$BACKEND"
    assert_error 102 plugin CHECK a
    assert_says "$link (pass): packets are denied that should pass"
}

# As where a service has restored what it saved before the exemption went: the pod's pass is there again,
# beside its drop, which counts.
restore_stale_exemption() {
    BACKEND=$other conflist regular '.exempt = [{namespace: "legacy"}]'
    pod_add a legacy/a
    assert_guards_in "$other" a pass
    save_rules "$other"
    conflist regular
    on_node "$IMDS_GUARD" sync >/dev/null
    assert_only_in "$BACKEND" a
    restore_rules "$other"
    assert_nothing_arrives a
}

@test "ADD does not open a pod for an exemption that comes back in the other backend" {
    restore_stale_exemption
    pod_add b
    [ "$(guards_of a | grep "^$BACKEND " | cut -d ' ' -f 5 | sort -u)" = drop ]
    assert_imds_silent a
}

@test "a pod that comes while both backends stand is guarded, or exempt, as it should be" {
    conflist regular '.exempt = [{namespace: "legacy"}]'
    pod_add a
    save_rules "$BACKEND"
    BACKEND=$other conflist regular '.exempt = [{namespace: "legacy"}]'
    on_node "$IMDS_GUARD" sync >/dev/null
    restore_rules "$BACKEND"
    pod_add b
    assert_nothing_arrives b
    pod_add c legacy/c
    assert_imds_answers c
    assert_quiet plugin CHECK c legacy/c
    on_node "$IMDS_GUARD" sync >/dev/null
    for pod in a b; do
        assert_guards_in "$other" $pod drop
        assert_imds_silent $pod
    done
    assert_guards_in "$other" c pass
    assert_imds_answers c
}

@test "sync does not open a pod for an exemption that comes back in the other backend" {
    restore_stale_exemption
    on_node "$IMDS_GUARD" sync >/dev/null
    assert_guards_in "$BACKEND" a drop
    assert_imds_silent a
}

# The one family's chains have gone, and the other's stand.
@test "a pod that comes after a move to nftables was cut off between IPv4 and IPv6 cuts nobody who is exempt" {
    local exempt='.exempt = [{namespace: "legacy"}]'
    BACKEND=iptables conflist regular "$exempt"
    pod_add a
    pod_add b legacy/b
    save_rules iptables
    BACKEND=nftables conflist regular "$exempt"
    on_node "$IMDS_GUARD" sync >/dev/null
    on_node ip6tables-legacy-restore </run/saved6
    assert_imds_answers b
    conflist regular "$exempt"
    pod_add c legacy/c
    BACKEND=iptables conflist regular "$exempt"
    pod_add d
    for pod in b c; do
        assert_imds_answers $pod
    done
    for pod in a d; do
        assert_nothing_arrives $pod
    done
    assert_quiet plugin CHECK c legacy/c
    on_node "$IMDS_GUARD" sync >/dev/null
    for pod in b c; do
        assert_guards_in iptables $pod pass
        assert_imds_answers $pod
    done
}

@test "a pod that may pass does not start where the other backend, which cannot be emptied, would cut it" {
    local exempt='.exempt = [{namespace: "legacy"}]'
    BACKEND=iptables conflist regular
    pod_add a
    save_rules iptables
    BACKEND=nftables conflist regular "$exempt"
    on_node "$IMDS_GUARD" sync >/dev/null
    conflist_plain regular
    pod_add b legacy/b
    restore_rules iptables
    for backend in nftables iptables auto; do
        BACKEND=$backend conflist regular "$exempt"
        assert_fails 101 'cut the pod and cannot be taken away' \
            traced -e trace=setsockopt -e inject=setsockopt:error=ENOMEM -- plugin ADD b legacy/b
    done
    plugin ADD b legacy/b >/dev/null
    assert_imds_answers b
    assert_imds_silent a
}
