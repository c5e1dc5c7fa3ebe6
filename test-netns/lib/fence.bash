# What gets past the guards, and the exit fence in its way. Sourced by bats files, after suite.bash.

FENCE=$world_build/test-netns/fence-room
DATAPLANE=$world_build/test-netns/dataplane.o

fence_is_possible() {
    [ -s "$DATAPLANE" ] || unavailable "no compiler for BPF"
    on_node "$FENCE" probe || unavailable "no exit fence on this kernel"
}

# The room by itself.
fence() {
    on_node "$FENCE" "$@"
}

# The host's ends of the pod's interfaces.
host_links() { # POD
    pod_host_links "$1" | grep -v '^vlan\.eth'
}

index_of() { # LINK
    ip -n node -json link show dev "$1" | jq ".[0].ifindex"
}

# The dataplane takes over the pod. Its program wants to know the neighbours already.
dataplane() { # POD PROGRAM
    local link address
    for address in $(pod_addresses "$1"); do
        packets_patience=1 reaches "$1" "$(internet_of "$address")" "$address" || true
    done
    for link in $(host_links "$1"); do
        on_node tc qdisc replace dev "$link" clsact &&
            on_node tc filter replace dev "$link" ingress pref 1 handle 1 \
                bpf direct-action object-file "$DATAPLANE" section "$2" || return 1
    done
}

no_dataplane() { # POD
    local link
    for link in $(host_links "$1"); do
        on_node tc filter delete dev "$link" ingress
    done
}

internet_of() { # ADDRESS
    case $1 in
    *:*) echo 2001:db8:1::10 ;;
    *) echo 203.0.113.10 ;;
    esac
}

# The guard stands, and packets arrive all the same: over each way out of the pod, if it says so.
assert_leaks() { # POD
    local address before
    for address in $(pod_addresses "$1"); do
        before=$(arrived)
        attack "$1" "$(imds_of "$address")" "$address" >/dev/null
        wait_until 5 has_arrived $((before + 1)) ||
            fail "nothing of $1 at $address arrives: this proves nothing" || return 1
    done
}

# The node's own requests.
assert_node_reaches_imds() {
    local address
    for address in "$imds4" "$imds6"; do
        on_node curl --silent --fail --output /dev/null --max-time "$packets_patience" "$(url "$address")" ||
            fail "the node itself does not reach $address" || return 1
    done
}

stopped_at() { # UPLINK
    fence list | awk -v name="$1" '$1 == "uplink" && $2 == name { print $6 }'
}

place_at() { # UPLINK
    fence list | awk -v name="$1" '$1 == "uplink" && $2 == name { print $3 }'
}

# A pod on a macvlan of the node's uplink: the node receives nothing from it.
macvlan_pod() { # POD
    pod_new "$1"
    on_node ip link add mv0 link eth0 type macvlan || unavailable "the kernel has no macvlan"
    on_node ip link set mv0 netns "$1"
    ip -n "$1" -batch - <<'END'
address add 10.0.0.77/24 dev mv0
address add 2600:1f14:abc:d00::77/64 dev mv0 nodad
link set mv0 up
route add default via 10.0.0.1
route add default via 2600:1f14:abc:d00::1
END
    reaches "$1" 203.0.113.10 && reaches "$1" 2001:db8:1::10
}

