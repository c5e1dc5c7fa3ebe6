# A private world to wire pods in: a node, its pods and a piece of "AWS", each a network namespace.
# Sourced by the tests and by every script that sends packets.
#
#                 node                                aws
#   pod a  eth0 --- eni…\                        /--- 169.254.169.254  fd00:ec2::254   IMDS
#                        >  forwards  eth0 -----+---- 169.254.169.253  fd00:ec2::253   DNS
#   pod b  eth0 --- eni…/             eth1 -----+---- 169.254.169.123  fd00:ec2::123   time
#                          vlan.eth.N (per pod) +---- 169.254.170.23   fd00:ec2::23    Pod Identity
#                                               +---- 169.254.170.2                    ECS credentials
#                                                \--- 203.0.113.10     2001:db8:1::10  the internet
#
# Everything happens below `unshare --mount --net --pid`: names of namespaces, /run/xtables.lock,
# /etc/cni, /opt/cni and /var/lib/cni are the world's own, the machine's are neither read nor
# written, and when the first process of the world dies, for whatever reason, all of it is gone.
#
#   world_enter "$0" "$@"     a script's first step: start over inside a world (bats files: ../world)
#   world_start               "AWS", once for a world
#   node_new                  a fresh node without pods, without a rule; whatever was before is gone
#   on_node, in_aws COMMAND…
#
# pods.bash:
#   conflist SHAPE [FILTER]   what the runtime will use: aws-cni and egress-cni wired as SHAPE
#   conflist_plain SHAPE      (shapes: world_shapes), then our entry, edited by a jq filter; or none
#   pod_new POD               a pod's namespace, not wired
#   pod_add POD [NS/NAME]     cnitool: the chain's ADD, DEL, CHECK. The result of ADD is left in
#   pod_del, pod_check POD    result_file POD. POD is the name of the namespace
#   pod_gone POD              the namespace vanishes, as when a node reboots
#   plugin VERB POD [NS/NAME] our binary alone, with the conflist's entry and the pod's last result
#                             (or PREV_RESULT), network NETWORK (aws-cni); VAR=VALUE before it wins
#   in_pod POD COMMAND…
#
# packets.bash:
#   reaches POD ADDRESS [SOURCE]       HTTP; waits for an answer that may be slow
#   reaches_udp POD ADDRESS PORT
#   attack POD ADDRESS [SOURCE]        TCP, UDP and ICMP at once, with little patience; says what
#                                      came back, nothing if nothing did
#   arrived                            packets that have come to IMDS so far, whatever they were
#
# guards.bash:
#   guards                             what the kernel holds of ours, see there
#   others_rules                       what it holds of everybody else's
#
# A packet that a guard drops leaves two traces: `arrived` stays where it was, and the guard's own
# counter moves. The tests look at both and need not believe in a timeout.
#
# BACKEND (nftables) is the backend that our entry asks for, IMDS_GUARD the binary. PACKET is
# fixtures/packet.c as built: it sends frames of any shape. Both are from IMDS_GUARD_BUILD (build/dev)
# unless they are given.

world_root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
world_state=/run/imds-guard-world

world_shapes=(regular custom-prefix multi-nic branch-strict branch-standard
    ipv6-with-ipv4-egress ipv4-with-ipv6-egress branch-ipv6)

world_build=${IMDS_GUARD_BUILD:-$world_root/build/dev}
PACKET=${PACKET:-$world_build/test-netns/packet}

imds4=169.254.169.254
imds6=fd00:ec2::254

# shellcheck source=pods.bash
. "$world_root/test-netns/lib/pods.bash"
# shellcheck source=packets.bash
. "$world_root/test-netns/lib/packets.bash"
# shellcheck source=guards.bash
. "$world_root/test-netns/lib/guards.bash"

# --- the world ------------------------------------------------------------------------------------

world_is_entered() {
    [ "${IMDS_GUARD_WORLD:-}" = "$(readlink /proc/self/ns/net)" ]
}

# Runs COMMAND in a world, in place of the calling process. Returns only if this is one already.
world_enter() { # COMMAND...
    world_is_entered && return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "${1##*/}: only root can make network namespaces; try: sudo $1" >&2
        exit 1
    fi
    # shellcheck source=cnitool.bash
    . "$world_root/test-netns/lib/cnitool.bash"
    CNITOOL=${CNITOOL:-$(cnitool_path "$world_root/build")} || exit 1
    IMDS_GUARD=$(realpath -m "${IMDS_GUARD:-$world_build/imds-guard}")
    NSENTER=$world_build/test-netns/nsenter
    export CNITOOL IMDS_GUARD NSENTER
    exec unshare --mount --propagation unchanged --net --pid --fork --kill-child \
        bash "$world_root/test-netns/lib/furnish.bash" "$@"
}

# Starts "AWS": one interface for each of the node's, all the addresses, and servers on them.
world_start() {
    world_is_entered || { echo "not in a private world; run: test-netns/world $0" >&2; return 1; }
    mkdir -p "$world_state"
    ip netns add aws
    world_tune aws
    ip -n aws -batch - <<'END'
link set lo up
address add 169.254.169.254/32 dev lo
address add 169.254.169.253/32 dev lo
address add 169.254.169.123/32 dev lo
address add 169.254.170.23/32 dev lo
address add 169.254.170.2/32 dev lo
address add 203.0.113.10/32 dev lo
address add fd00:ec2::254/128 dev lo nodad
address add fd00:ec2::253/128 dev lo nodad
address add fd00:ec2::123/128 dev lo nodad
address add fd00:ec2::23/128 dev lo nodad
address add 2001:db8:1::10/128 dev lo nodad
END
    # Counts whatever arrives for IMDS, of any protocol, before anything can go wrong with it.
    in_aws nft -f - <<'END'
table inet seen {
    counter imds { }
    chain arriving {
        type filter hook prerouting priority raw; policy accept;
        ip daddr 169.254.169.254 counter name imds
        ip6 daddr fd00:ec2::254 counter name imds
    }
}
END
    world_servers
}

world_servers() {
    local http=$world_root/test-netns/fixtures/http address
    serve "TCP4-LISTEN:80,fork,reuseaddr,backlog=128" "EXEC:$http"
    serve "TCP6-LISTEN:80,fork,reuseaddr,backlog=128,ipv6only=1" "EXEC:$http"
    # A wildcard UDP socket would answer from another address than it was asked at.
    for address in 169.254.169.254:80 169.254.169.253:53 169.254.169.123:123; do
        serve "UDP4-RECVFROM:${address#*:},bind=${address%:*},fork" EXEC:cat
    done
    for address in fd00:ec2::254,80 fd00:ec2::253,53 fd00:ec2::123,123; do
        serve "UDP6-RECVFROM:${address#*,},bind=[${address%,*}],fork" EXEC:cat
    done
    wait_until 5 world_servers_listen
}

# For as long as the world lives. bats would wait for whoever holds one of its descriptors, and a
# function in the background would: its shell keeps what it has redirected.
serve() { # SOCAT_ADDRESS SOCAT_ADDRESS
    nsenter --net=/run/netns/aws -- socat "$@" </dev/null >/dev/null 2>&1 3>&- 4>&- &
}

world_servers_listen() {
    [ "$(in_aws ss --no-header --listening --tcp --udp --numeric | wc -l)" -eq 8 ]
}

# Forwards, answers at once (no duplicate address detection), takes packets from any side.
world_tune() { # NAMESPACE
    nsenter --net="/run/netns/$1" sh -c '
        cd /proc/sys/net
        for file in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >$file; done
        for conf in all default; do
            echo 0 >ipv4/conf/$conf/rp_filter
            echo 0 >ipv6/conf/$conf/accept_dad
        done'
}

# SECONDS are a quiet machine's: one with ten times the load gets ten times as long. It looks often at first,
# and then leaves the processor to whom it waits for.
wait_until() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1 * 10)) naps=(0.02 0.02 0.05 0.1)
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || { echo "waited in vain for: $*" >&2; return 1; }
        sleep "${naps[0]:-0.2}"
        naps=("${naps[@]:1}")
    done
}

# Who holds a file's lock has it from when this returns, until lock_let_go.
lock_hold() { # FILE
    touch "$1"
    flock --no-fork "$1" sleep 36000 </dev/null >/dev/null 2>&1 3>&- 4>&- 8>&- &
    lock_holder=$!
    wait_until 5 lock_is_held "$1"
}

lock_is_held() { # FILE
    ! flock --nonblock "$1" true
}

lock_let_go() {
    kill "$lock_holder"
    wait "$lock_holder" 2>/dev/null || true
}

# So many processes of ours (1) wait for a lock that somebody else has.
lock_is_waited_for() { # FILE [PROCESSES]
    local inode
    inode=$(stat -c %i "$1")
    [ "$(grep -c -- "-> FLOCK .*:$inode 0 EOF" /proc/locks)" -ge "${2:-1}" ]
}

# --- the node -------------------------------------------------------------------------------------

on_node() {
    nsenter --net=/run/netns/node -- "$@"
}

in_aws() {
    nsenter --net=/run/netns/aws -- "$@"
}

# Two network interfaces (the second carries the second NIC of multi-NIC pods), and what aws-node
# and kubelet would have put on the disk.
node_new() {
    node_gone
    ip netns add node
    world_tune node
    ip -n node -batch - <<'END'
link set lo up
link add eth0 type veth peer name nic0 netns aws
link add eth1 type veth peer name nic1 netns aws
address add 10.0.0.10/24 dev eth0
address add 10.0.1.10/24 dev eth1
address add 2600:1f14:abc:d00::10/64 dev eth0 nodad
address add 2600:1f14:abc:d11::10/64 dev eth1 nodad
link set eth0 up
link set eth1 up
route add default via 10.0.0.1
route add default via 2600:1f14:abc:d00::1
route add default via 10.0.1.1 table 102
route add default via 2600:1f14:abc:d11::1 table 102
END
    ip -n aws -batch - <<'END'
address add 10.0.0.1/24 dev nic0
address add 10.0.1.1/24 dev nic1
address add 2600:1f14:abc:d00::1/64 dev nic0 nodad
address add 2600:1f14:abc:d11::1/64 dev nic1 nodad
link set nic0 up
link set nic1 up
route add 10.0.12.0/24 via 10.0.0.10
route add 10.0.96.0/24 via 10.0.1.10
route add 2600:1f14:abc:d01::/64 via 2600:1f14:abc:d00::10
END
    mkdir -p /opt/cni/bin /etc/cni/net.d "$world_state/results"
    ln -sf "$world_root"/test-netns/fixtures/{aws,egress}-cni /opt/cni/bin/
    ln -sf "$IMDS_GUARD" /opt/cni/bin/imds-guard
}

# Pods first: a namespace that vanishes takes its links with it, but not before the kernel gets
# round to it.
node_gone() {
    local name gone=
    for name in /run/netns/*; do
        [ "$name" = /run/netns/aws ] || gone+="netns delete ${name##*/}"$'\n'
    done
    ip -batch - <<<"$gone"
    gone=
    while read -r name _; do
        gone+="link delete ${name%%@*}"$'\n'
    done < <(ip -n aws -brief link show type veth)
    ip -n aws -force -batch - <<<"$gone" 2>/dev/null || true
    # What is still to end would be sent again, to the next node: its answer would count as a packet to IMDS.
    in_aws ss --kill --tcp state connected >/dev/null 2>&1 || true
    rm -rf "${world_state:?}"/* /var/lib/cni/* /etc/cni/net.d/* /run/xtables.lock
}
