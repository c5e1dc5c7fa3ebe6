# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# The nodes that the benchmark measures on. Sourced, inside a private world (lib/world.bash).
#
#      pods                        NODE                          sink
#      NODE.1 ---------- eni1 \
#      NODE.2 ---------- eni2  >  forwards  uplink ------------- NODE   169.254.169.254  fd00:ec2::254
#      …                       /                                        203.0.113.1
#
#   nodes_start                   the namespaces `pods` and `sink`
#   node_make NODE NUMBER PODS    a node with so many pods; NUMBER (1 to 200) is in its addresses
#   node_run NODE COMMAND…
#   node_reaches NODE ADDRESS     whether its first pod gets an answer from there
#   node_is_open, node_is_guarded NODE    whether both IMDS answer its first pod, or neither
#   pod_request NODE POD TYPE [JQ]  what a runtime would send to a plugin of TYPE about that pod
#   pods_cache NODE FIRST LAST DIR  what libcni would remember of its pods with these numbers
#
# The pods' ends are in one namespace: what makes an attachment its own is its container ID and its
# interface, and a thousand namespaces would take minutes to make. Neighbours are given and there is
# no address generation, so nothing moves on the links but what is measured.

declare -A node_numbers

nodes_start() {
    local name
    for name in pods sink; do
        ip netns add "$name"
        ip -n "$name" link set lo up
        nsenter --net="/run/netns/$name" bash -c '
            cd /proc/sys/net
            for file in ipv4/conf/{all,default}/rp_filter; do echo 0 >$file; done
            echo 1 >ipv6/conf/default/addr_gen_mode # none'
    done
    ip -n sink -batch - <<'EOF'
address add 169.254.169.254/32 dev lo
address add 203.0.113.1/32 dev lo
address add fd00:ec2::254/128 dev lo nodad
EOF
}

node_run() { # NODE COMMAND...
    local node=$1
    shift
    nsenter --net="/run/netns/$node" -- "$@"
}

node_make() { # NODE NUMBER PODS
    local node=$1 number=$2 pods=$3 i
    node_numbers[$node]=$number
    ip netns add "$node"
    node_run "$node" bash -c '
        cd /proc/sys/net
        for file in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >$file; done
        for file in ipv4/conf/{all,default}/rp_filter; do echo 0 >$file; done
        echo 1 >ipv6/conf/default/addr_gen_mode # none'
    {
        echo link set lo up
        echo "link add uplink address 02:00:00:00:00:01 type veth" \
            "peer name $node netns sink address 02:00:00:00:00:02"
        for ((i = 1; i <= pods; i++)); do
            echo "link add eni$i address 02:00:00:00:00:03 type veth" \
                "peer name $node.$i netns pods address 02:00:00:00:00:04"
            echo "link set eni$i up"
        done
        echo link set uplink up
        echo route add default dev uplink
        echo route add ::/0 dev uplink
        # Whoever is asked for, it is the sink.
        for i in 169.254.169.254 203.0.113.1 203.0.113.10 fd00:ec2::254; do
            echo "neighbour add $i lladdr 02:00:00:00:00:02 dev uplink nud permanent"
        done
        for i in "10.9.$number.1" "fd00:9:$number::1"; do
            echo "route add $i dev eni1"
            echo "neighbour add $i lladdr 02:00:00:00:00:04 dev eni1 nud permanent"
        done
    } | ip -n "$node" -batch -
    node_ends "$node" "$number"
}

# The first pod's end and the sink's.
node_ends() { # NODE NUMBER
    local node=$1 number=$2 address
    ip -n pods -batch - <<EOF
link set $node.1 up
address add 10.9.$number.1/32 dev $node.1
address add fd00:9:$number::1/128 dev $node.1 nodad
route add 0.0.0.0/0 dev $node.1 metric $number
route add ::/0 dev $node.1 metric $((1000 + number))
EOF
    for address in 169.254.169.254 203.0.113.1 203.0.113.10 fd00:ec2::254; do
        ip -n pods neighbour add "$address" lladdr 02:00:00:00:00:03 dev "$node.1" nud permanent
    done
    ip -n sink link set "$node" up
    for address in "10.9.$number.1" "fd00:9:$number::1"; do
        ip -n sink route add "$address" dev "$node"
        ip -n sink neighbour add "$address" lladdr 02:00:00:00:00:01 dev "$node" nud permanent
    done
}

node_reaches() { # NODE ADDRESS
    nsenter --net=/run/netns/pods -- \
        ping -n -q -c 1 -W 0.5 -I "$1.1" "$2" >/dev/null 2>&1
}

node_is_open() { # NODE
    node_reaches "$1" 169.254.169.254 && node_reaches "$1" fd00:ec2::254
}

node_is_guarded() { # NODE
    ! node_reaches "$1" 169.254.169.254 && ! node_reaches "$1" fd00:ec2::254 &&
        node_reaches "$1" 203.0.113.1
}

# What aws-cni says of a pod. Each has an address of its own, but only the first one's is wired:
# `firewall` takes two pods with the same address for one, and has nothing to do for the second.
pod_result='{cniVersion: "0.4.0",
    interfaces: [{name: "eni\(.)", mac: "02:00:00:00:00:03"},
                 {name: "\($node).\(.)", mac: "02:00:00:00:00:04", sandbox: "/run/netns/pods"}],
    ips: [{version: "4", address: "10.\(9 + (. / 250 | floor)).\($number).\(. % 250)/32", interface: 1}],
    dns: {}}'

pod_request() { # NODE POD TYPE [JQ]
    jq -nc --arg node "$1" --arg number "${node_numbers[$1]}" --argjson pod "$2" --arg type "$3" "
        {cniVersion: \"0.4.0\", name: \"aws-cni\", type: \$type, prevResult: (\$pod | $pod_result)}
        | ${4:-.}"
}

pods_cache() { # NODE FIRST LAST DIR
    local pod line
    mkdir -p "$4"
    for ((pod = $2; pod <= $3; pod++)); do
        read -r line && printf '%s\n' "$line" >"$4/aws-cni-bench-$pod-$1.$pod"
    done < <(jq -nc --arg node "$1" --arg number "${node_numbers[$1]}" --argjson first "$2" --argjson last "$3" "
        range(\$first; \$last + 1) | {
            kind: \"cniCacheV1\", containerId: \"bench-\(.)\", config: \"\",
            networkName: \"aws-cni\", ifName: \"\(\$node).\(.)\", netns: \"/run/netns/pods\",
            cniArgs: [[\"K8S_POD_NAMESPACE\", \"default\"], [\"K8S_POD_NAME\", \"pod-\(.)\"]],
            result: $pod_result}")
}
