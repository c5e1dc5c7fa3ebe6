# A way from a namespace to the node that no chain has made: it has no guard. Sourced by bats files.
# Its addresses are the internet's, so that nothing but IMDS cares where they come from.

stranger4=198.51.100.2
stranger6=2001:db8:2::2

# Gives the two ends of what leads from a namespace to the node addresses and routes.
wire_stranger() { # NAMESPACE LINK NODE_LINK
    ip -n node address add 198.51.100.1/24 dev "$3"
    ip -n node address add 2001:db8:2::1/64 dev "$3" nodad
    ip -n node link set "$3" up
    ip -n "$1" address add $stranger4/24 dev "$2"
    ip -n "$1" address add $stranger6/64 dev "$2" nodad
    ip -n "$1" link set "$2" up
    ip -n "$1" route replace default via 198.51.100.1
    ip -n "$1" route replace default via 2001:db8:2::1
    ip -n aws route replace 198.51.100.0/24 via 10.0.0.10
    ip -n aws route replace 2001:db8:2::/64 via 2600:1f14:abc:d00::10
}

# A veth that is put into the node: what a pod with CAP_NET_ADMIN can do through IFLA_TARGET_NETNSID,
# or root by hand.
stranger_by_veth() { # NAMESPACE
    ip netns add "$1"
    ip -n node link add shortcut type veth peer name eth7 netns "$1"
    wire_stranger "$1" eth7 shortcut
}
