# Pods of a private world, and the chain of plugins that wires and guards them. Sourced by world.bash,
# where its functions are listed.

# --- the chain ------------------------------------------------------------------------------------

# The conflist as aws-node writes it, less `disableCheck`, which would make the runtime skip CHECK.
# Branch ENIs are on a real trunk if TRUNK is 8021q.
conflist_plain() { # SHAPE
    conflist_of "$1" empty
}

conflist() { # SHAPE [FILTER]
    conflist_of "$1" "$our_entry | ${2:-.}"
}

conflist_of() { # SHAPE ENTRY
    local shape=regular family=4 prefix=eni egress=''
    case $1 in
    custom-prefix) prefix=pod ;;
    multi-nic | branch-strict | branch-standard) shape=$1 ;;
    branch-ipv6) shape=branch-strict family=6 ;;
    ipv6-with-ipv4-egress) family=6 egress=4 ;;
    ipv4-with-ipv6-egress) egress=6 ;;
    regular) ;;
    *) echo "no such shape: $1" >&2; return 1 ;;
    esac
    jq -n --arg shape "$shape" --arg family "$family" --arg prefix "$prefix" --arg egress "$egress" \
        --arg trunk "${TRUNK:-none}" --arg version "${CNI_VERSION:-0.4.0}" \
        --arg backend "${BACKEND:-nftables}" --arg fence "${EXIT_FENCE:-off}" '{
        cniVersion: $version,
        name: "aws-cni",
        plugins: [
            {name: "aws-cni", type: "aws-cni", vethPrefix: $prefix, mtu: "9001",
             podSGEnforcingMode: "strict", standIn: {shape: $shape, family: $family, trunk: $trunk}},
            {name: "egress-cni", type: "egress-cni", mtu: "9001",
             enabled: (if $egress == "" then "false" else "true" end),
             standIn: {family: $egress}}
        ]} | .plugins += ['"$2"']' >/etc/cni/net.d/10-aws.conflist
}

# Our entry of the conflist, edited by a jq filter. Without the exit fence, unless EXIT_FENCE says so: what
# a guard lets through must not be stopped behind its back. With all the patience that there is.
# shellcheck disable=SC2016 # jq's variables
our_entry='{
    type: "imds-guard",
    capabilities: {"io.kubernetes.cri.pod-annotations": true},
    backend: $backend,
    exitFence: $fence,
    lockTimeoutSeconds: 300
}'

entry() { # [FILTER]
    jq -n --arg backend "${BACKEND:-nftables}" --arg fence "${EXIT_FENCE:-off}" "$our_entry | ${1:-.}"
}

# --- pods -----------------------------------------------------------------------------------------

in_pod() { # POD COMMAND...
    local pod=$1
    shift
    nsenter --net="/run/netns/$pod" -- "$@"
}

pod_new() { # POD
    ip netns add "$1"
    pod_container "$1" >"$world_state/container-$1"
    nsenter --net="/run/netns/$1" sh -c '
        echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
        exec ip link set lo up'
}

pod_gone() { # POD
    ip netns delete "$1"
}

# What cnitool makes of the namespace's path; asked for often, so pod_new keeps it.
pod_container() { # POD
    local kept=$world_state/container-$1 container
    if [ -s "$kept" ]; then
        read -r container <"$kept"
    else
        container=$(printf '/run/netns/%s' "$1" | sha512sum)
        container=cnitool-${container:0:20}
    fi
    echo "$container"
}

# As kubelet says it.
pod_args() { # POD [NAMESPACE/NAME]
    local who=${2:-default/$1}
    printf 'IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_INFRA_CONTAINER_ID=%s\n' \
        "${who%%/*}" "${who#*/}" "$(pod_container "$1")"
}

result_file() { # POD
    echo "$world_state/results/$1.json"
}

chain() { # VERB POD [NAMESPACE/NAME]
    CNI_PATH=/opt/cni/bin NETCONFPATH=/etc/cni/net.d CNI_ARGS=$(pod_args "$2" "${3:-}") \
        on_node "$CNITOOL" "$1" aws-cni "/run/netns/$2"
}

pod_add() { # POD [NAMESPACE/NAME]
    [ -e "/run/netns/$1" ] || pod_new "$1"
    chain add "$@" >"$world_state/results/.$1" || { cat "$world_state/results/.$1"; return 1; }
    mv "$world_state/results/.$1" "$(result_file "$1")"
}

pod_del() { # POD [NAMESPACE/NAME]
    chain del "$@"
}

pod_check() { # POD [NAMESPACE/NAME]
    chain check "$@"
}

# The pod's own addresses, one a line: one for each way out it has.
pod_addresses() { # POD
    local link address rest
    while read -r _ link _ address rest; do
        [[ $link == lo || " $rest" != *' scope global '* && $address != 169.254.* ]] || echo "${address%/*}"
    done < <(ip -n "$1" -oneline address show)
}

# The host's ends of the pod's interfaces, one a line: where its guards must stand.
pod_host_links() { # POD
    jq -r '.interfaces[] | select((.sandbox // "") == "" and (.name | startswith("dummy") | not))
        | .name' "$world_state/results/$1.json"
}

# The request that the runtime would send to our plugin alone. Without CONFIG, our entry of the
# conflist; without PREV_RESULT, what ADD of the pod gave; an empty PREV_RESULT leaves it out.
request() { # POD
    local config=${CONFIG:-} entry=. result=${PREV_RESULT:-} kept=$world_state/results/$1.json
    [ -n "$config" ] || config=$(</etc/cni/net.d/10-aws.conflist) entry='.plugins[-1]'
    [ -n "${PREV_RESULT+given}" ] || [ ! -e "$kept" ] || result=$(<"$kept")
    jq -n --argjson config "$config" --argjson result "${result:-null}" \
        --arg version "${CNI_VERSION:-0.4.0}" --arg network "${NETWORK:-aws-cni}" '
        {cniVersion: $version, name: $network} + ($config | '"$entry"')
        + (if $result == null then {} else {prevResult: $result} end)'
}

plugin() { # VERB POD [NAMESPACE/NAME]
    request "$2" | plugin_raw "$@"
}

# The same with the request on standard input.
plugin_raw() { # VERB POD [NAMESPACE/NAME]
    local status=0
    CNI_COMMAND=$1 CNI_CONTAINERID=${CNI_CONTAINERID-$(pod_container "$2")} \
        CNI_NETNS=${CNI_NETNS-/run/netns/$2} CNI_IFNAME=${CNI_IFNAME-eth0} \
        CNI_ARGS=${CNI_ARGS-$(pod_args "$2" "${3:-}")} CNI_PATH=/opt/cni/bin \
        on_node "$IMDS_GUARD" || status=$?
    # A guard that nftables lets go has ten milliseconds left.
    if [[ $1 == DEL || $1 == GC ]]; then sleep 0.02; fi
    return $status
}
