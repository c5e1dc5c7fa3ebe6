#!/usr/bin/env bats
# Names that somebody has chosen with care: of pods, namespaces, containers, networks, links, tables.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

exempt='.exempt = [{"namespace": "kube-*", "pod": "agent-*"},
    {"namespace": "legacy", "annotation": {"imds-guard/allow": "true"}}]'

setup() {
    node_new
    conflist_plain regular
    pod_add a
    conflist regular "$exempt"
}

repeat() { # TEXT COUNT
    printf "%.0s$1" $(seq "$2")
}

# One packet of the pod's does not arrive, and leads to no verdict but drop.
assert_dropped() { # POD
    local before
    before=$(arrived)
    run ! in_pod "$1" ping -n -q -c 1 -W 0.1 "$imds4"
    [ "$(arrived)" = "$before" ] || fail "a packet of $1 arrives" || return 1
    [ "$(guard_hits "$1" pass)" -eq 0 ] || fail "$1 is let through"
}

assert_passes() { # POD
    # Again and again until there is an answer: a link that has just come up loses what is sent first.
    in_pod "$1" ping -n -q -c 1 -i 0.2 -w 60 "$imds4" >/dev/null || fail "IMDS does not answer $1"
}

# What the kernel's own tools say of the rules can be read by them again.
assert_readable() {
    local tool
    on_node nft list ruleset >/run/rules
    on_node nft --check --file /run/rules
    [ "$BACKEND" = iptables ] || return 0
    for tool in iptables ip6tables; do
        on_node $tool-legacy-save | on_node $tool-legacy-restore --test
    done
}

@test "pods and namespaces that are called anything" {
    local name label
    label=$(repeat n 63)
    for name in "default/$(repeat p 253)" "$label/$(repeat p 253)" "$(repeat n 2000)/$(repeat p 9000)" \
        "default/quo'te" 'default/quo"te' 'default/back\slash' "default/\$(reboot)" 'default/`reboot`' \
        $'default/new\nline' $'default/new\n-A FORWARD -j ACCEPT' 'default/*' 'default/agent-?' '*/agent-1' \
        'kube-*/*' '[k]ube-system/agent-1' 'default/пöд-容器' $'default/\xff\xfe' 'default/a b c' \
        'default/x 1 kube-system/agent-1' 'default/-j ACCEPT' 'default/"; flush ruleset; "' '/agent-1' \
        'kube-system/' 'default/%s%n%n' "default/#" 'default/a=b=c' 'KUBE-system/agent-1'; do
        plugin ADD a "$name" >/dev/null || fail "ADD fails for $name" || return 1
        assert_dropped a || fail "named $name" || return 1
        assert_quiet plugin CHECK a "$name"
        assert_readable
        CNI_ARGS='' assert_quiet plugin DEL a
        assert_no_guards
        [ "$(others_rules)" = "" ]
    done
    # And who should pass, does.
    plugin ADD a kube-system/agent-1 >/dev/null
    assert_passes a
}

@test "a name that says a second one" {
    local args
    for args in 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=x;K8S_POD_NAMESPACE=kube-system;K8S_POD_NAME=agent-1' \
        'K8S_POD_NAMESPACE=kube-system;K8S_POD_NAME=agent-1;K8S_POD_NAMESPACE=default' \
        'k8s_pod_namespace=kube-system;k8s_pod_name=agent-1' ';;=;K8S_POD_NAMESPACE;K8S_POD_NAME=agent-1' \
        ' K8S_POD_NAMESPACE=kube-system; K8S_POD_NAME=agent-1' $'\nK8S_POD_NAMESPACE=kube-system\n;K8S_POD_NAME=agent-1' \
        'XK8S_POD_NAMESPACE=kube-system;K8S_POD_NAME=agent-1' 'K8S_POD_NAMESPACEX=kube-system;K8S_POD_NAME=agent-1' \
        'K8S_POD_NAMESPACE=kube-system,K8S_POD_NAME=agent-1'; do
        CNI_ARGS=$args plugin ADD a >/dev/null
        assert_dropped a || fail "with CNI_ARGS $args" || return 1
    done
}

@test "annotations that claim an exemption" {
    local annotations
    # By a pod of another namespace; then, in the right one, in every form but the right one.
    annotated default '{"imds-guard/allow": "true"}'
    for annotations in '{"imds-guard/allow": true}' '{"imds-guard/allow": "True"}' '{"imds-guard/allow": "true "}' \
        '{"imds-guard/allow": "true\n"}' '{"imds-guard/allow": "t*"}' '{"imds-guard/allow": ["true"]}' \
        '{"imds-guard/allow": {"": "true"}}' '{"imds-guard/Allow": "true"}' '{"imds-guard/allow\u0000": "false"}' \
        '{"imds-guard/allow": "true\u0000false"}' '{"imds-guard": {"allow": "true"}}' '{"": "true"}' \
        '{"imds-guard/allow": null}' '{"exempt": "[{\"namespace\": \"*\"}]"}' '{"mode": "audit"}' '{}'; do
        annotated legacy "$annotations" || return 1
    done
}

annotated() { # NAMESPACE ANNOTATIONS: is guarded, or refused
    if CONFIG=$(entry "$exempt | .runtimeConfig = {\"io.kubernetes.cri.pod-annotations\": $2}") \
        plugin ADD a "$1/a" >/dev/null; then
        assert_dropped a || fail "with $2"
    else
        assert_no_guards
    fi
}

@test "an annotation given twice" {
    local first second
    for first in true false; do
        second=$([ $first = true ] && echo false || echo true)
        { printf '{"runtimeConfig": {"io.kubernetes.cri.pod-annotations": {"imds-guard/allow": "%s",
            "imds-guard/allow": "%s"}}, ' $first "$second" && request a | tail -c +2; } |
            plugin_raw ADD a legacy/a >/dev/null
        assert_dropped a
    done
}

# Owners in pairs, of which one could be taken for the other. Each has an interface of its own.
@test "networks, containers and interfaces that begin, end or join alike" {
    local owners owner other pod
    owners=("net c1 eth0" "net c10 eth0" "net c eth0" "net c1 eth" "net c1 eth01" "ne tc1 eth0"
        "net.c1 eth0 eth0" "net c1.eth0 eth0" "net c1_eth0 eth0" "NET c1 eth0" "net c1 1"
        "net c1-eth0 eth0" "net-c1 eth0 eth0" "n c1 eth0" "net $(repeat c 200) eth0" "net $(repeat c 199) eth0")
    for other in "${!owners[@]}"; do
        pod_new "p$other"
        ip -n node link add "host$other" type veth peer name eth0 netns "p$other"
        as "${owners[other]}" ADD "p$other" >/dev/null
    done
    [ "$(stand)" -eq ${#owners[@]} ]
    for other in "${!owners[@]}"; do
        as "${owners[other]}" DEL "p$other"
        [ "$(stand)" -eq $((${#owners[@]} - other - 1)) ] || fail "after DEL of ${owners[other]}" || return 1
        [[ "$(guards)" != *" host$other "* ]] || fail "${owners[other]} is still guarded" || return 1
    done
}

as() { # OWNER VERB POD
    local network container ifname
    read -r network container ifname <<<"$1"
    NETWORK=$network CNI_CONTAINERID=$container CNI_IFNAME=$ifname PREV_RESULT="{\"cniVersion\": \"0.4.0\",
        \"interfaces\": [{\"name\": \"host${3#p}\"}, {\"name\": \"eth0\", \"sandbox\": \"/run/netns/$3\"}]}" \
        plugin "$2" "$3"
}

stand() { # how many links are guarded
    guards | awk '{ print $4 }' | sort -u | wc -l
}

@test "links of the node whose names look like options, patterns and rules" {
    local name
    conflist regular '.others = "pass"'
    pod_add other # an interface that no pattern may match: its pod is not guarded
    plugin DEL other
    assert_passes other
    for name in eni+ + 'eni*' '*' 'eth0;' -i -j ! 'a"b' "a'b" 'a\b' '$HOME' '`id`' IMDS-GUARD IMDS-GUARD-OUT imds-guard \
        imds_guard guards refuse drop vlan.eth.37 123456789012345 0 eth0,eth1 '{' 'ünï' $'\x01' eni. '#' lo0 eni@if2; do
        ip -n node link set "$(pod_host_links a)" down
        ip -n node link set "$(pod_host_links a)" name "$name" || fail "no such name: $name" || return 1
        ip -n node link set dev "$name" up
        wire_again "$name"
        assert_passes a || fail "the way out of $name is broken" || return 1
        if [ "$BACKEND" = iptables ] && [ "${name: -1}" = + ]; then
            # iptables would read it back as the beginning of a name: no guard, hence no pod.
            assert_error 101 as_named "$name" ADD || return 1
            assert_says "$name" nftables
            continue
        fi
        as_named "$name" ADD >/dev/null || fail "ADD fails for $name" || return 1
        assert_dropped a || fail "on $name" || return 1
        as_named "$name" CHECK || fail "CHECK fails on $name" || return 1
        assert_passes other || fail "$name drops what other sends" || return 1
        as_named "$name" DEL
        assert_passes a || fail "the guard on $name is left" || return 1
    done
}

# The result names the link as it is called now.
wire_again() { # NAME
    jq --arg name "$1" '.interfaces[0].name = $name' "$(result_file a)" >/run/result
    cp /run/result "$(result_file a)"
    ip -n node route replace "$(pod_addresses a)" dev "$1"
}

as_named() { # NAME VERB
    plugin "$2" a
}

@test "names that no link can have" {
    local name
    for name in '' . .. a/b a:b 'a b' $'a\nb' $'a\tb' 1234567890123456 "$(repeat x 5000)"; do
        PREV_RESULT=$(jq --arg name "$name" '.interfaces[0].name = $name' "$(result_file a)") \
            plugin ADD a >/run/answer || [ "$(jq .code /run/answer)" = 7 ] || fail "$(cat /run/answer)" || return 1
        # Found by its other end; or refused.
        [ "$(jq .code /run/answer)" = 7 ] || assert_dropped a || return 1
        [ -z "$name" ] || CNI_IFNAME=$name assert_error 4 plugin ADD a || return 1
        plugin DEL a
    done
    assert_no_guards
}

@test "tables and chains of our name that somebody else has made" {
    on_node nft -f - <<'END'
table ip imds_guard { chain forward { type filter hook forward priority mangle; accept; }; }
table ip6 imds_guard { chain forward { type filter hook forward priority mangle; accept; }; }
table ip imds-guard { map in { type ifname : verdict; elements = { "eth0" : drop }; }; }
table arp imds_guard { }
table bridge imds_guard { }
table inet IMDS-GUARD { chain IMDS-GUARD { accept; }; }
END
    on_node iptables-nft -t mangle -N IMDS-GUARD
    on_node iptables-nft -t mangle -A FORWARD -j IMDS-GUARD
    on_node iptables-nft -t mangle -A IMDS-GUARD -j ACCEPT
    on_node iptables-legacy -t filter -N IMDS-GUARD
    on_node iptables-legacy -t filter -A FORWARD -j IMDS-GUARD
    on_node iptables-legacy -t filter -A IMDS-GUARD -j ACCEPT
    before=$(on_node nft --stateless list ruleset | sed '/^table inet imds_guard/,/^}/d'
        on_node iptables-legacy-save -t filter | grep IMDS)
    plugin ADD a >/dev/null
    assert_imds_silent a
    plugin DEL a
    [ "$(on_node nft --stateless list ruleset | sed '/^table inet imds_guard/,/^}/d'
        on_node iptables-legacy-save -t filter | grep IMDS)" = "$before" ]
    on_node "$IMDS_GUARD" flush --yes
    [ "$(on_node nft --stateless list ruleset | sed '/^table inet imds_guard/,/^}/d'
        on_node iptables-legacy-save -t filter | grep IMDS)" = "$before" ]
}

@test "our very table and chain, made by somebody else beforehand" {
    local link table
    link=$(pod_host_links a)
    while read -r table; do
        on_node nft "table inet $table"
        plugin ADD a >/dev/null || fail "ADD fails after: $table" || return 1
        assert_dropped a || fail "after: $table" || return 1
        assert_quiet plugin CHECK a
        plugin DEL a
        on_node nft "table inet imds_guard; delete table inet imds_guard; table inet imds-guard; delete table inet imds-guard"
    done <<END
imds_guard { flags dormant; }
imds_guard { chain forward { type filter hook forward priority mangle; iifname $link accept; }; }
imds_guard { chain forward { }; }
imds_guard { chain forward { type filter hook forward priority mangle; policy drop; }; }
imds_guard { set endpoints4 { type inet_service; }; }
imds_guard { map guards { type ipv4_addr : verdict; }; }
imds_guard { map guards { type ifname : verdict; flags timeout; timeout 1s; }; }
imds_guard { map guards { type ifname : verdict; flags timeout; timeout 1s; counter; }; }
imds_guard { map guards { type ifname : verdict; elements = { $link : accept }; }; }
imds_guard { chain judge { type filter hook input priority 0; }; }
imds_guard { chain refuse { accept; }; }
imds_guard { chain input { type filter hook input priority 0; }; }
imds_guard { counter guards { }; }
imds-guard { flags dormant; }
imds-guard { set endpoints4 { type inet_service; elements = { 80 }; }; }
imds-guard { map in { type ipv4_addr : verdict; elements = { 10.0.0.1 : drop }; }; }
imds-guard { map in { type ifname : verdict; elements = { $link : accept }; }; }
END
    for tool in iptables ip6tables; do
        # Where the iptables backend has made it already, it is emptied.
        on_node $tool-legacy -t mangle -N IMDS-GUARD 2>/dev/null ||
            on_node $tool-legacy -t mangle -F IMDS-GUARD
        on_node $tool-legacy -t mangle -A IMDS-GUARD -i "$link" -j ACCEPT
        on_node $tool-legacy -t mangle -I FORWARD -j IMDS-GUARD
        on_node $tool-legacy -t mangle -I FORWARD -i "$link" -j ACCEPT
    done
    plugin ADD a >/dev/null
    assert_imds_silent a
}

@test "our table, held by a process of somebody else" {
    [ "$BACKEND" = nftables ] || skip "only a table of nf_tables can have an owner"
    on_node nft --interactive >/dev/null 2>&1 3>&- 4>&- < <(
        echo 'add table inet imds_guard { flags owner; }'
        exec sleep 60 3>&- 4>&-) &
    wait_until 5 bash -c 'nsenter --net=/run/netns/node nft list tables | grep -q imds_guard' ||
        unavailable "the kernel has no owners of tables"
    assert_error 101 plugin ADD a
    assert_no_guards
    kill %%
}
