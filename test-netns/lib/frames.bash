# Frames that no ordinary program sends (fixtures/packet.c), from a pod that has IPv4 through eth0 and
# IPv6 through v6if0 (shape ipv4-with-ipv6-egress). Sourced by what sends them, after suite.bash.

imds4_hex=a9fea9fe

# What the lists of packets are made of. Nothing on the node is to track connections, which would put
# fragments together and turn odd packets away.
frames_of() { # POD
    on_node nft delete table ip6 nat
    self4=$(in_pod "$1" ip -4 -json address show dev eth0 | jq -r '.[].addr_info[0].local')
    self6=$(in_pod "$1" ip -6 -json address show dev v6if0 scope global | jq -r '.[].addr_info[0].local')
    node4=10.0.0.10 node6=2600:1f14:abc:d00::10
}

# One frame to the node; layers as fixtures/packet.c has them. The first IP layer says through which
# interface: eth0 or v6if0.
send() { # POD LAYER...
    local pod=$1 link=eth0 host=0
    shift
    [[ " $*" =~ (ip[46]), ]]
    [ "${BASH_REMATCH[1]}" = ip4 ] || link=v6if0 host=3
    host=$(jq -r ".interfaces[$host].name" "$(result_file "$pod")")
    in_pod "$pod" "$PACKET" "$link" \
        "${MAC:-$(ip -n node -json link show dev "$host" | jq -r '.[0].address')}" "$@"
}

# Whatever was sent has been through the node once an answer to a later packet is back.
settle() { # POD
    in_pod "$1" ping -n -q -c 2 -i 0.01 -W 30 169.254.169.253 >/dev/null
}

how_many_arrive() { # POD LAYER...
    local before
    before=$(arrived)
    send "$@" || return 1
    settle "$1" || return 1
    echo $(($(arrived) - before))
}

# Waits for it, since a packet from another processor may overtake it.
assert_arrives() { # POD LAYER...
    local before
    before=$(arrived)
    send "$@" || return 1
    wait_until 5 has_arrived $((before + 1)) || fail "does not arrive even without a guard: $*" || return 1
    settle "$1"
}

# What gets to IMDS from a pod without a guard, one packet a line.
packets_to_imds() {
    cat <<END
ip4,$self4,$imds4 tcp,80
ip4,$self4,$imds4 udp,80
ip4,$self4,$imds4 icmp
ip4,$self4,$imds4 gre ip4,$self4,$imds4 tcp,80
ip4,10.0.12.99,$imds4 tcp,80
ip4,203.0.113.10,$imds4 tcp,80
ip4,169.254.169.253,$imds4 tcp,80
ip4,$self4,$imds4,01010101 tcp,80
ip4,$self4,$imds4,94040000 tcp,80
ip4,$self4,$imds4,0707040000000000 icmp
ip4,$self4,$imds4,4408050000000000 udp,80
ip4,$self4,$imds4,,0x2000 tcp,80 bytes,4
ip4,$self4,$imds4,,0x2000 bytes,8
ip4,$self4,$imds4,,1 bytes,64
ip4,$self4,$imds4,,0x2010 bytes,64
ip4,$self4,$imds4,,0x4000 tcp,80
ip4,$self4,$imds4,,0x8000 tcp,80
vlan,0 ip4,$self4,$imds4 tcp,80
ip6,$self6,$imds6 tcp,80
ip6,$self6,$imds6 udp,80
ip6,$self6,$imds6 icmp
ip6,2001:db8:bad::1,$imds6 tcp,80
ip6,$node6,$imds6 tcp,80
ip6,$self6,$imds6 hop-by-hop tcp,80
ip6,$self6,$imds6 hop-by-hop,050200000000 tcp,80
ip6,$self6,$imds6 destination tcp,80
ip6,$self6,$imds6 hop-by-hop destination routing,4,$node6 destination tcp,80
ip6,$self6,$imds6 routing,0,$node6 tcp,80
ip6,$self6,$imds6 routing,2,$node6 tcp,80
ip6,$self6,$imds6 fragment,0 tcp,80
ip6,$self6,$imds6 fragment,1 bytes,8
ip6,$self6,$imds6 fragment,8 bytes,64
ip6,$self6,$imds6 hop-by-hop fragment,1 destination bytes,8
ip6,$self6,$imds6 ip6,$self6,$imds6 tcp,80
ip6,$self6,$imds6 ip4,$self4,$imds4 tcp,80
vlan,0 ip6,$self6,$imds6 tcp,80
END
}
