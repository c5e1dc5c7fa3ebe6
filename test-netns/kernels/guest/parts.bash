#!/bin/bash
# What a node has and the packet tests' own kernel has not: IPVS, flowtables, pods on links that are no
# veths, and the distribution's own nft and iptables.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"
# shellcheck source=ipvs.bash
. "$(dirname "$0")/ipvs.bash"

# --- IPVS -----------------------------------------------------------------------------------------

# iptables has no match for packets that came in through any link; `auto` takes nftables.
ipvs_is_closed() { # SHAPE BACKEND-ASKED-FOR [DENY]
    ! kernel_is_before 5.7 || lacks 'nf_tables that is used (5.7)'
    [ "${3:-}" != reject ] || ! kernel_is_before 5.19 || lacks 'nf_tables that rejects (5.19)'
    node_new
    ipvs_services
    live_legacy_tables
    conflist_plain "$1"
    pod_add a
    services_lead_to_imds

    conflist "$1" ".backend = \"$2\" | .deny = \"${3:-drop}\""
    plugin ADD a
    assert_guards a "${3:-drop}"
    services_are_closed
    assert_nothing_arrives a
    assert_hits a "${3:-drop}"
    assert_quiet plugin CHECK a
    on_node "$IMDS_GUARD" status
}

# Legacy tables that are live make `auto` think of iptables first.
live_legacy_tables() {
    on_node iptables-legacy -t mangle -L >/dev/null 2>&1 || true
}

# The module comes when a pod is guarded already, and goes again.
ipvs_comes_later() {
    ! kernel_is_before 5.7 || lacks 'nf_tables that is used (5.7)'
    modprobe -r ip_vs_rr ip_vs
    node_new
    conflist_plain regular
    pod_add a
    conflist regular
    plugin ADD a
    assert_imds_silent a
    ! nft_base_chains | grep postrouting || fail "it is paid for without IPVS"
    ipvs_services
    services_lead_to_imds
    assert_error 102 plugin CHECK a
    assert_says postrouting
    plugin ADD a
    services_are_closed
    assert_quiet plugin CHECK a

    # What has all rules written again, where the kernel can.
    ! kernel_is_before 5.19 || return 0
    on_node ipvsadm --clear
    modprobe -r ip_vs_rr ip_vs
    conflist regular '.deny = "reject"'
    plugin ADD a
    ! nft_base_chains | grep postrouting || fail "it stays when IPVS has gone"
    assert_nothing_arrives a
    assert_quiet plugin CHECK a
}

# --- flowtables -----------------------------------------------------------------------------------
# What is established then is forwarded at the ingress hook, past FORWARD.

flowtable_holds_no_new_connection() {
    local link answer before
    needs_module nf_flow_table nf_flow_table_inet nft_flow_offload
    node_new
    conflist_plain regular
    pod_add a
    link=$(pod_host_links a)
    on_node nft -f - <<END
table inet node {
    flowtable fastpath { hook ingress priority 0; devices = { eth0, $link }; }
    chain forward { type filter hook forward priority 0; ip protocol tcp flow add @fastpath; }
}
END
    in_aws socat TCP4-LISTEN:8080,fork,reuseaddr EXEC:cat </dev/null >/dev/null 2>&1 9>&- &
    wait_until 5 listens 8080
    coproc HELD { in_pod a socat - "TCP4:$imds4:8080"; }
    for answer in 1 2 3; do answers "$answer" || fail "nothing comes back before the guard"; done

    conflist regular
    plugin ADD a
    assert_imds_silent a
    # SECURITY.md says which it is.
    before=$(arrived)
    if answers 4; then
        echo "$BACKEND flowtable-established says: a connection in a flowtable survives the guard" >&9
    else
        echo "$BACKEND flowtable-established says: a connection in a flowtable ends with the guard" >&9
        [ "$(arrived)" = "$before" ]
    fi
}

listens() { # PORT
    in_aws ss --no-header --listening --tcp --numeric "sport = :$1" | grep -q .
}

answers() { # TEXT
    local answer=''
    echo "$1" >&"${HELD[1]}"
    read -r -t "$packets_patience" answer <&"${HELD[0]}" && [ "$answer" = "$1" ]
}

# --- links that are no veths ----------------------------------------------------------------------

# A pod on a link of the node's uplink, or on a pair that is no veth: what ADD says of it.
refused_link() { # KIND
    local interfaces
    node_new
    pod_new a
    case $1 in
    ipvlan) on_node ip link add link eth1 name pod0 type ipvlan mode l2 ;;
    macvlan) on_node ip link add link eth1 name pod0 type macvlan mode bridge ;;
    netkit) on_node ip link add eni0 type netkit peer name pod0 ;;
    esac || lacks "$1"
    on_node ip link set pod0 netns a
    in_pod a ip link set pod0 name eth0
    in_pod a ip address add 10.0.1.50/24 dev eth0
    in_pod a ip link set eth0 up
    [ "$1" != netkit ] || on_node ip link set eni0 up

    interfaces='[{"name": "eth0", "sandbox": "/run/netns/a"}]'
    [ "$1" != netkit ] || interfaces='[{"name": "eni0"}, {"name": "eth0", "sandbox": "/run/netns/a"}]'
    conflist regular
    PREV_RESULT=$(jq -n --argjson interfaces "$interfaces" '{cniVersion: "0.4.0", interfaces: $interfaces,
        ips: [{version: "4", address: "10.0.1.50/24", interface: 0}]}') assert_error 100 plugin ADD a
    assert_says eth0
    assert_no_guards
}

# --- the distribution's own tools -----------------------------------------------------------------

# A node's ruleset, ours among it, is listed, saved, flushed and loaded, and all is as it was.
ruleset_is_saved_and_loaded() {
    node_new
    conflist multi-nic
    pod_add a
    if [ "$BACKEND" = nftables ]; then
        nft_reads_what_it_lists || lacks 'an nft that can load what it lists (1.0.0)'
        { echo flush ruleset && on_node nft list ruleset; } >/run/saved
        cat /run/saved
        on_node nft -f /run/saved
    else
        on_node iptables-legacy-save -c >/run/saved
        on_node ip6tables-legacy-save -c >/run/saved6
        cat /run/saved /run/saved6
        flush_rules
        on_node iptables-legacy-restore /run/saved
        on_node ip6tables-legacy-restore /run/saved6
    fi
    assert_quiet plugin CHECK a
    assert_guards a drop
    assert_imds_silent a
    # The other tool of the two finds nothing to stumble over.
    on_node iptables-nft-save >/dev/null
    on_node ip6tables-nft-save >/dev/null
    plugin DEL a
    assert_no_guards a
}

world_start
load_legacy
BACKEND=nftables
holds ipvs-later ipvs_comes_later
for shape in regular ipv6-with-ipv4-egress; do
    holds "ipvs-$shape" ipvs_is_closed "$shape" nftables
    holds "ipvs-auto-$shape" ipvs_is_closed "$shape" auto
done
holds ipvs-reject ipvs_is_closed regular nftables reject
holds ipvs-branch ipvs_is_closed branch-standard nftables
each_backend holds flowtable flowtable_holds_no_new_connection
for kind in ipvlan macvlan netkit; do
    BACKEND=nftables
    ! kernel_is_before 5.7 || BACKEND=iptables
    holds "$kind" refused_link "$kind"
done
each_backend holds tools ruleset_is_saved_and_loaded
ended
