#!/usr/bin/env bash
# What AWS's two documented rules leave reachable, and what imds-guard does: one pod of each shape,
# each time on a fresh node, measured with packets. Prints a Markdown table.
set -euo pipefail

# shellcheck source=lib/world.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib/world.bash"
world_enter "$(realpath "$0")" "$@"

declare -A titles=(
    [regular]='regular pod'
    [custom-prefix]='custom veth prefix'
    [multi-nic]='multi-NIC pod'
    [branch-strict]='security groups for pods, strict mode'
    [branch-standard]='security groups for pods, standard mode'
    [branch-ipv6]='security groups for pods, IPv6 cluster'
    [ipv6-with-ipv4-egress]='IPv6 cluster with IPv4 egress'
    [ipv4-with-ipv6-egress]='IPv4 cluster with IPv6 egress'
)

# The rules as the EKS documentation gives them.
aws_rules() {
    on_node iptables-nft --insert FORWARD 1 --in-interface eni+ \
        --destination 169.254.169.254/32 --jump DROP
    on_node iptables-nft -t mangle -A POSTROUTING -o vlan+ --destination 169.254.169.254/32 --jump DROP
}

# What a network policy engine may put first, later.
accept_in_front() {
    on_node iptables-nft -I FORWARD 1 -j ACCEPT
    on_node ip6tables-nft -I FORWARD 1 -j ACCEPT
}

# What a person or another program does with the pod's link, later.
rename_link() {
    local link
    link=$(pod_host_links pod)
    ip -n node link set "$link" down
    ip -n node link set "$link" name renamed
    ip -n node link set renamed up
    ip -n node route replace "$(pod_addresses pod)" dev renamed
}

move_to_bridge() {
    local link
    link=$(pod_host_links pod)
    ip -n node link add br0 type bridge
    ip -n node link set br0 address "$(ip -n node -json link show "$link" | jq -r '.[0].address')" up
    ip -n node link set "$link" master br0
    ip -n node route replace "$(pod_addresses pod)" dev br0
    echo 1 | on_node tee /proc/sys/net/ipv4/conf/br0/proxy_arp >/dev/null
}

# The pod is there before whatever keeps it: the rules come, or another pod's ADD.
start_late() { # nothing|aws|nftables|iptables
    ip netns delete pod
    node_new
    conflist_plain regular
    pod_add pod
    case $1 in
    nothing) ;;
    aws) aws_rules ;;
    *) BACKEND=$1 conflist regular && pod_add other ;;
    esac
}

# In the place of a pod, a container that no chain of the node's has made.
start_container() {
    ip netns delete pod
    ip netns add pod
    ip -n node link add docker0 type bridge
    ip -n node link add port0 type veth peer name eth0 netns pod
    ip -n node link set port0 master docker0 up
    ip -n node address add 198.51.100.1/24 dev docker0
    ip -n node link set docker0 up
    ip -n pod address add 198.51.100.2/24 dev eth0
    ip -n pod link set eth0 up
    ip -n pod route add default via 198.51.100.1
    ip -n aws route replace 198.51.100.0/24 via 10.0.0.10
}

# A pod of the shape on a fresh node, kept from IMDS by one of three ways.
wire() { # SHAPE nothing|aws|nftables|iptables
    node_new
    case $2 in
    nothing) conflist_plain "$1" ;;
    aws) aws_rules && conflist_plain "$1" ;;
    *) BACKEND=$2 conflist "$1" ;;
    esac
    pod_add pod
}

# Whether IMDS answers, or at least hears, what the pod sends from an address.
probe() { # SOURCE
    local before answers
    before=$(arrived)
    answers=$(attack pod "$(imds_of "$1")" "$1")
    if [ -n "$answers" ]; then
        echo "**reachable**"
    elif [ "$(arrived)" != "$before" ]; then
        echo "**packets arrive**"
    else
        echo "blocked"
    fi
}

declare -A cells
ways=()

# Fills cells[ROW|WAY] for each address of the pod; the row's name is "title | link, address family".
measure() { # SHAPE WAY TITLE
    local address link row
    for address in $(pod_addresses pod); do
        link=$(ip -n pod -json address show | jq -r --arg address "$address" \
            '.[] | select(any(.addr_info[]; .local == $address)).ifname')
        row="$3 | \`$link\`, \`$(imds_of "$address")\`"
        [ "$2" != nothing ] || ways+=("$row")
        cells["$row $2"]=$(probe "$address")
    done
}

compare() { # SHAPE TITLE COMMAND: what happens after the pod is there; it is told the way
    local way
    for way in nothing aws nftables iptables; do
        wire "$1" "$way"
        "$3" "$way"
        measure "$1" "$way" "$2"
    done
}

print() {
    local row
    echo "| pod | its way to IMDS | no rule | AWS's two rules | imds-guard, nftables | imds-guard, iptables |"
    echo "| --- | --- | --- | --- | --- | --- |"
    for row in "${ways[@]}"; do
        echo "| $row | ${cells["$row nothing"]} | ${cells["$row aws"]} |" \
            "${cells["$row nftables"]} | ${cells["$row iptables"]} |"
    done
}

[ -x "$IMDS_GUARD" ] || { echo "no $IMDS_GUARD; build it, or name it in IMDS_GUARD" >&2; exit 1; }
world_start
for shape in "${world_shapes[@]}"; do
    compare "$shape" "${titles[$shape]}" true
done
compare regular 'regular pod, after an `ACCEPT` was inserted in front' accept_in_front
compare regular 'regular pod, its link renamed by root' rename_link
compare regular 'regular pod, its link made a port of a bridge' move_to_bridge
compare regular 'regular pod that ran before' start_late
compare regular 'container on a plain bridge' start_container
print
