#!/usr/bin/env bats
# What the iptables backend makes, as operators see it with the kernel's own tools, and what becomes of
# it when others write the same tables.

BACKEND=iptables
# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
}

# A pod that aws-cni has wired; guarding it is left to the test.
wired_pod() { # POD [FILTER]
    conflist_plain regular
    CONFIG=$(entry "${2:-.}")
    export CONFIG
    pod_add "$1"
}

mangle() { # FAMILY: the rules of the table as text, without the policies
    local tool=iptables
    [ "$1" = 4 ] || tool=ip6tables
    on_node "$tool-legacy" -t mangle -S | grep -v '^-P'
}

@test "the rules are these and no others" {
    pod_add a
    link=$(pod_host_links a)
    tag="aws-cni/$(pod_container a)/eth0 1 default/a"
    diff <(mangle 4) - <<END
-N IMDS-GUARD
-A FORWARD -d 169.254.169.254/32 -j IMDS-GUARD
-A IMDS-GUARD -i $link -m comment --comment "$tag" -j DROP
-A IMDS-GUARD -j DROP
END
    diff <(mangle 6) - <<END
-N IMDS-GUARD
-A FORWARD -d fd00:ec2::254/128 -j IMDS-GUARD
-A IMDS-GUARD -i $link -m comment --comment "$tag" -j DROP
-A IMDS-GUARD -j DROP
END
}

# Makes of what stands what version 0.1.0 would have made on a node with a branch ENI.
as_version_010() {
    local tool address
    for tool in iptables-legacy ip6tables-legacy; do
        address=$imds4
        [ $tool = iptables-legacy ] || address=$imds6
        on_node $tool -t mangle -D IMDS-GUARD -j DROP
        on_node $tool -t mangle -N IMDS-GUARD-OUT
        on_node $tool -t mangle -I POSTROUTING -d "$address" -j IMDS-GUARD-OUT
        on_node $tool -t mangle -A IMDS-GUARD-OUT -o vlan.eth.1 -m comment \
            --comment "aws-cni/0123/eth0 2 default/old" -j DROP
    done
}

@test "what version 0.1.0 made is taken over, its counters stay, and nothing of it is left" {
    pod_add a
    attack a "$imds4"
    hits=$(guard_hits a drop)
    [ "$hits" -gt 0 ]
    on_node iptables-legacy -t mangle -A POSTROUTING -d 192.0.2.1 -j ACCEPT
    as_version_010
    assert_fails 102 'rule for who has no guard' plugin CHECK a
    pod_add b
    plugin CHECK a
    plugin CHECK b
    [ "$(guard_hits a drop)" = "$hits" ]
    [[ "$(mangle 4; mangle 6)" != *GUARD-OUT* ]]
    [ "$(mangle 4 | grep POSTROUTING)" = "-A POSTROUTING -d 192.0.2.1/32 -j ACCEPT" ]
    [ "$(mangle 4 | tail -1)$(mangle 6 | tail -1)" = "-A IMDS-GUARD -j DROP-A IMDS-GUARD -j DROP" ]
    assert_guarded a
    assert_guarded b
    # What an old binary beside ours makes anew is no fault, and goes with all the rest.
    on_node iptables-legacy -t mangle -N IMDS-GUARD-OUT
    on_node iptables-legacy -t mangle -I POSTROUTING -d "$imds4" -j IMDS-GUARD-OUT
    plugin CHECK a
    on_node "$IMDS_GUARD" flush --yes
    [ "$(mangle 4)" = "-A POSTROUTING -d 192.0.2.1/32 -j ACCEPT" ]
    [ -z "$(mangle 6)" ]
}

@test "a pod never gets through while the rules of version 0.1.0 are exchanged for ours" {
    pod_add a
    before=$(arrived)
    pings_start a "$imds4"
    conflist_plain regular
    CONFIG=$(entry .)
    export CONFIG
    for i in $(seq 20); do
        as_version_010
        hits=$(guard_hits a drop)
        wait_until 10 eval '[ "$(guard_hits a drop)" -gt "$hits" ]'
        plugin ADD a
    done
    [ "$(arrived)" = "$before" ]
}

@test "the rule for others is deleted by its text: CHECK tells, ADD makes it again" {
    pod_add a
    for tool in iptables-legacy ip6tables-legacy; do
        on_node $tool -t mangle -D IMDS-GUARD -j DROP
        assert_fails 102 "${tool%-legacy}: IMDS-GUARD" plugin CHECK a
        plugin ADD a
        plugin CHECK a
    done
    [ "$(mangle 4 | tail -1)$(mangle 6 | tail -1)" = "-A IMDS-GUARD -j DROP-A IMDS-GUARD -j DROP" ]
}

@test "an ADD that would let others pass does not open what is closed" {
    pod_add a
    wired_pod b '.mode = "audit"'
    plugin ADD b
    [ "$(mangle 4 | tail -1)$(mangle 6 | tail -1)" = "-A IMDS-GUARD -j DROP-A IMDS-GUARD -j DROP" ]
    [[ "$(mangle 4)" == *"/b\" -j RETURN"* ]]
    reaches b "$imds4"
    assert_guarded a
}

@test "with auto, a mangle that cannot be read leaves it to nftables" {
    on_node iptables-legacy -t mangle -L >/dev/null
    wired_pod a '.backend = "auto"'
    traced -e inject=getsockopt:error=ENOPROTOOPT -- plugin ADD a
    [[ "$(mangle 4)$(mangle 6)" != *IMDS-GUARD* ]]
    plugin CHECK a
    assert_nothing_arrives a
}

@test "iptables deletes a guard by its text, CHECK tells, ADD makes it again" {
    pod_add a
    on_node iptables-legacy -t mangle -D IMDS-GUARD -i "$(pod_host_links a)" -m comment \
        --comment "aws-cni/$(pod_container a)/eth0 1 default/a" -j DROP
    [ -z "$(attack a "$imds4")" ] # the rule for others has it
    assert_fails 102 'one address family' plugin CHECK a
    plugin ADD a
    plugin CHECK a
    assert_guarded a
}

@test "a guard survives iptables-save and iptables-restore" {
    pod_add a
    before=$(mangle 4)
    on_node iptables-legacy-save -c -t mangle >"$BATS_TEST_TMPDIR/saved"
    on_node iptables-legacy-restore -c <"$BATS_TEST_TMPDIR/saved"
    [ "$(mangle 4)" = "$before" ]
    plugin CHECK a
    assert_guarded a
    pod_del a
    [ -z "$(guards)" ]
}

@test "a rule that gets before the jump is seen, and loses its place to the next ADD" {
    pod_add a
    on_node iptables-legacy -t mangle -I FORWARD -j ACCEPT
    [ "$(attack a "$imds4" | wc -l)" -gt 0 ]
    assert_fails 102 'rule 1 of FORWARD' plugin CHECK a
    plugin ADD a
    plugin CHECK a
    assert_guarded a
    [ "$(mangle 4 | grep -A1 '^-A FORWARD -d' | tail -1)" = "-A FORWARD -j ACCEPT" ]
}

@test "a rule that gets before the guards is seen, and loses its place to the next ADD" {
    pod_add a
    pod_add b
    on_node iptables-legacy -t mangle -I IMDS-GUARD -j ACCEPT
    [ "$(attack a "$imds4" | wc -l)" -gt 0 ]
    assert_fails 102 'rule 1 of IMDS-GUARD' plugin CHECK a
    plugin ADD a
    plugin CHECK b
    assert_guarded a
    assert_guarded b
    [ "$(mangle 4 | tail -1)" = "-A IMDS-GUARD -j ACCEPT" ]
}

# Packets that an ACCEPT of somebody else's has counted.
accepted() {
    on_node iptables-legacy-save -c -t mangle | sed -n 's/^\[\([0-9]*\):.* -A FORWARD .* ACCEPT$/\1/p'
}

@test "counters of guards and of others' rules survive the ADD and DEL of other pods" {
    pod_add a
    on_node iptables-legacy -t mangle -A FORWARD -d 203.0.113.10 -j ACCEPT
    attack a "$imds4"
    reaches a 203.0.113.10
    hits=$(guard_hits a drop)
    passed=$(accepted)
    [ "$hits" -gt 0 ]
    [ "$passed" -gt 0 ]
    pod_add b
    pod_del b
    [ "$(guard_hits a drop)" = "$hits" ]
    [ "$(accepted)" = "$passed" ]
}

@test "looking makes no table" {
    wired_pod a
    plugin DEL a
    run plugin CHECK a
    [ "$status" -ne 0 ]
    CNI_VERSION=1.1.0 plugin STATUS a
    conflist regular
    run on_node "$IMDS_GUARD" status
    on_node "$IMDS_GUARD" flush --yes
    [ -z "$(on_node cat /proc/net/ip_tables_names /proc/net/ip6_tables_names)" ]
}

@test "flush leaves nothing of ours and everything of others" {
    on_node iptables-legacy -t mangle -N SOMEBODY
    on_node iptables-legacy -t mangle -A FORWARD -d 192.0.2.1 -j SOMEBODY
    before=$(mangle 4)
    pod_add a
    on_node "$IMDS_GUARD" flush --yes
    [ "$(mangle 4)" = "$before" ]
    [ -z "$(mangle 6)" ]
}

@test "flush says which rule of others keeps it from deleting a chain, and lifts the guards" {
    pod_add a
    on_node iptables-legacy -t mangle -A INPUT -j IMDS-GUARD
    run on_node "$IMDS_GUARD" flush --yes
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"chain IMDS-GUARD"*"jumps to it"* ]]
    [ -z "$(guards)" ]
    [ "$(mangle 4 | grep -v ^-N)" = "-A INPUT -j IMDS-GUARD" ]
    [ -z "$(mangle 6)" ]
}

@test "waits for the lock no longer than it is told, and names who has it" {
    wired_pod a '.lockTimeoutSeconds = 1'
    flock --close /run/xtables.lock sleep 600 3>&- &
    local holder=$!
    wait_until 5 eval '! flock --nonblock /run/xtables.lock true'
    assert_fails 11 '(flock) held the xtables lock /run/xtables.lock' plugin ADD a
    [ -z "$(guards)" ]
    # What is right needs no lock to be seen, nor has what is not there to be removed.
    plugin DEL a
    kill "$holder"
    wait "$holder" || true
    plugin ADD a
    assert_guarded a
}

# Who has lost each of its races says that it may be tried again.
add_in_the_end() {
    local answer
    until answer=$(plugin ADD a); do
        [ "$(jq .code <<<"$answer")" = 11 ] || fail "$answer" || return 1
    done
}

@test "a program that writes without the lock costs no guard" {
    wired_pod a
    plugin ADD a
    (
        export XTABLES_LOCKFILE=$BATS_TEST_TMPDIR/other
        while :; do
            # It, too, may lose the race.
            on_node iptables-legacy -t mangle -A INPUT -j ACCEPT || true
            on_node iptables-legacy -t mangle -D INPUT -j ACCEPT || true
        done
    ) >/dev/null 2>&1 3>&- &
    writer=$!
    for i in $(seq 20); do
        plugin DEL a
        add_in_the_end
    done
    kill $writer
    wait $writer || true
    plugin CHECK a
    assert_guarded a
}

@test "is refused again and again: gives up, and leaves nothing half done" {
    wired_pod a
    assert_fails 11 'does not take the lock' traced -e inject=setsockopt:error=EAGAIN -- plugin ADD a
    [ "$(grep -c SO_SET_REPLACE "$BATS_TEST_TMPDIR/trace")" -eq 10 ]
    [ -z "$(guards)" ]
    traced -e inject=setsockopt:error=EAGAIN:when=1..2 -- plugin ADD a
    assert_guarded a
}

@test "a kernel without ip_tables, or without ip6_tables: says which modules to load" {
    local lacking=inject=getsockopt:error=ENOPROTOOPT ipv4
    wired_pod a
    assert_fails 101 'load the modules ip6_tables, ip6table_mangle and xt_comment' \
        traced -e $lacking -- plugin ADD a
    [ -z "$(mangle 4; mangle 6)" ] # nor any other rule of ours
    traced -e trace=getsockopt -- plugin ADD a
    ipv4=$(grep '^getsockopt' "$BATS_TEST_TMPDIR/trace" | grep -n -m 1 'SOL_IP,' | cut -d : -f 1)
    plugin DEL a
    assert_fails 101 'load the modules ip_tables, iptable_mangle and xt_comment' \
        traced -e "$lacking:when=$ipv4+" -- plugin ADD a
}

# Which calls of socket(2) are those for IPv6's tables, in an ADD where only our rules are lacking: the
# first and, after a `+`, how far on the next one is.
ipv6_sockets() { # INJECTION...
    local numbers=()
    on_node "$IMDS_GUARD" flush --yes >/dev/null
    traced -e trace=socket,access "$@" -- plugin ADD a >/dev/null
    on_node "$IMDS_GUARD" flush --yes >/dev/null
    mapfile -t numbers < <(grep '^socket' "$BATS_TEST_TMPDIR/trace" | grep -n 'AF_INET6, SOCK_RAW' | cut -d : -f 1)
    echo "${numbers[0]}${numbers[1]:++$((numbers[1] - numbers[0]))}"
}

@test "a kernel without IPv6 needs no guard for it" {
    local nowhere=(-e inject=access:error=ENOENT) no_sockets=inject=socket:error=EAFNOSUPPORT:when
    wired_pod a
    plugin ADD a

    # IPv6 is there, but not for this process: that is no reason to leave a pod unguarded.
    assert_fails 101 'RestrictAddressFamilies' traced -e "$no_sockets=$(ipv6_sockets)" -- plugin ADD a
    [ -z "$(guards)" ]
    traced -e trace=socket,access -e "$no_sockets=$(ipv6_sockets "${nowhere[@]}")" "${nowhere[@]}" -- plugin ADD a
    [ "$(guards | grep -c '^iptables 4 ')" -eq 1 ]
    [ -z "$(mangle 6)" ]
    traced -e inject=access:error=ENOENT -- plugin CHECK a
    assert_fails 102 'ip6tables: chain IMDS-GUARD' plugin CHECK a
}

@test "STATUS tells when ADD could not work, and makes nothing to find out" {
    wired_pod a
    export CNI_VERSION=1.1.0
    plugin STATUS a
    request a >"$BATS_TEST_TMPDIR/request"
    for capability in net_raw net_admin; do
        run env CNI_COMMAND=STATUS CNI_PATH=/opt/cni/bin nsenter --net=/run/netns/node \
            setpriv --bounding-set "-$capability" --inh-caps "-$capability" "$IMDS_GUARD" \
            <"$BATS_TEST_TMPDIR/request"
        echo "$output"
        [ "$(jq -r .code <<<"$output")" = 50 ]
        [[ ${output^^} == *"CAP_${capability^^}"* ]]
    done
    mkdir /run/xtables.lock
    assert_fails 50 'is a directory' plugin STATUS a
    rmdir /run/xtables.lock
    [ -z "$(on_node cat /proc/net/ip_tables_names /proc/net/ip6_tables_names)" ]
}
