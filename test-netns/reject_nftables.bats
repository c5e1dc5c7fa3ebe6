#!/usr/bin/env bats
# "deny": "reject": who is kept from IMDS hears of it at once, and nobody else hears of anything.

BACKEND=nftables
# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
}

reject='.deny = "reject"'

# From now on the addresses are noted to which refusals go: of a node those that it sends, of any other
# namespace those that come in by any of its links. Every link of the world has an end in one of them.
listen() { # NAMESPACE...
    local namespace hook
    listeners=("$@")
    for namespace; do
        hook=prerouting
        [ "$namespace" != node ] || hook=output
        nsenter --net="/run/netns/$namespace" -- nft -f - <<END
table inet told
delete table inet told
table inet told {
    set to4 { type ipv4_addr; flags dynamic; size 256; }
    set to6 { type ipv6_addr; flags dynamic; size 256; }
    chain told {
        type filter hook $hook priority raw; policy accept;
        ip saddr $imds4 tcp flags & rst == rst add @to4 { ip daddr }
        ip6 saddr $imds6 tcp flags & rst == rst add @to6 { ip6 daddr }
        icmp type destination-unreachable icmp code 13 add @to4 { ip daddr }
        icmpv6 type destination-unreachable icmpv6 code 1 add @to6 { ip6 daddr }
    }
}
END
    done
}

# Who was told in a namespace, or in all of them: addresses, one a line.
told() { # [NAMESPACE...]
    local namespace
    [ $# -gt 0 ] || set -- "${listeners[@]}"
    for namespace; do
        nsenter --net="/run/netns/$namespace" -- nft -j list table inet told |
            jq -r '.nftables[].set | select(.).elem // [] | .[]'
    done | sort -u
}

# ECONNREFUSED, and not after curl's patience, which a packet that is dropped would wait out.
is_refused() { # POD ADDRESS SOURCE
    local code=0
    in_pod "$1" curl --silent --output /dev/null --max-time 120 --interface "$3" "$(url "$2")" || code=$?
    [ $code -eq 7 ] || fail "$2 should refuse $1 at $3 (7), and curl says $code"
}

# Denied packets, whoever's.
denied() {
    echo $(($(guards | awk '$5 != "pass" { sum += $6 } END { print sum + 0 }') + $(others_hits)))
}

# --- every shape ----------------------------------------------------------------------------------

# In front of a branch ENI's link, where the node's answer would not find back, packets are dropped.
hears() { # SHAPE
    [[ $1 != branch-* ]]
}

is_refused_by_shape() { # SHAPE
    local address before
    pod_add a
    pod_add b
    listen aws node a b
    assert_guards a reject
    before=$(arrived)
    for address in $(pod_addresses a); do
        ! hears "$1" || is_refused a "$(imds_of "$address")" "$address" || return 1
    done
    assert_nothing_arrives a && assert_hits a reject || return 1
    ! hears "$1" || assert_same "$(pod_addresses a | sort)" "$(told a)" || return 1
    hears "$1" || assert_same "" "$(told)" || return 1
    # From here on what is told is told for other reasons.
    assert_same "" "$(told aws b)" && assert_rest_answers a b || return 1
    [ "$(arrived)" = "$before" ]
}

@test "a pod of every shape is refused at once, but for branch ENIs, and gets everything else" {
    local shape
    for shape in "${world_shapes[@]}"; do
        node_new
        conflist "$shape" "$reject"
        is_refused_by_shape "$shape" || fail "shape $shape" || return 1
        pod_check a
        pod_del a
        assert_no_guards a
    done
}

@test "who has no guard is refused likewise" {
    conflist_plain regular
    pod_add a
    conflist regular "$reject"
    pod_add b
    assert_no_guards a
    listen aws node a b
    before=$(arrived)
    is_refused a "$imds4" "$(pod_addresses a)"
    assert_same "$(pod_addresses a)" "$(told)"
    [ "$(others_hits)" -gt 0 ]
    [ "$(arrived)" = "$before" ]
}

# --- other protocols, and connections that stood --------------------------------------------------

# The pod that speaks both families, with nothing on the node that would put fragments together.
dual_pod() { # POD...
    local pod
    for pod; do
        pod_add "$pod"
    done
    on_node nft delete table ip6 nat
    # No answer is missing because there has been another one within this second.
    on_node sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
    link4=$(jq -r '.interfaces[0].name' "$(result_file "$1")")
    link6=$(jq -r '.interfaces[3].name' "$(result_file "$1")")
    self4=$(pod_addresses "$1" | grep -v :)
    self6=$(pod_addresses "$1" | grep :)
}

# One frame out of the pod; its first layer says over which link.
send() { # POD LAYER...
    local pod=$1 link=eth0 host=$link4
    shift
    [[ $1 != ip6,* ]] || { link=v6if0; host=$link6; }
    in_pod "$pod" "$PACKET" $link "$(ip -n node -json link show dev "$host" | jq -r '.[0].address')" "$@"
    # Whatever was sent has been through the node once an answer to a later packet is back.
    in_pod "$pod" ping -n -q -c 2 -i 0.01 -W 30 169.254.169.253 >/dev/null
}

# The error that a program gets at once which has sent a datagram, and waits for an answer.
udp_error() { # POD ADDRESS
    in_pod "$1" timeout 120 socat -T 60 - "UDP:$(bracketed "$2"):80" <<<x 2>&1 | sed 's/.*: //'
}

@test "UDP, ICMP and GRE hear that it is prohibited" {
    conflist ipv4-with-ipv6-egress "$reject"
    dual_pod a b
    # What has no checksum, or may do without; the rest is answered only if that is right.
    for protocol in udp,80 gre; do
        listen aws node a b
        send a "ip4,$self4,$imds4" $protocol bytes,8
        assert_same "$self4" "$(told a)" || fail "$protocol over IPv4"
        assert_same "$self4" "$(told)"
    done
    listen aws node a b
    send a "ip6,$self6,$imds6" gre bytes,8
    assert_same "$self6" "$(told a)"
    listen aws node a b
    in_pod a ping -n -c 1 -W 20 "$imds6" | grep -q "Administratively prohibited"
    in_pod a ping -n -c 1 -W 20 "$imds4" | grep -q "Packet filtered"
    [[ $(udp_error a "$imds4") == *"No route to host"* ]]
    [[ $(udp_error a "$imds6") == *"Permission denied"* ]]
    assert_same "$(printf '%s\n' "$self4" "$self6" | sort)" "$(told)"
}

# Connects, says so, waits to be told, and asks: how reading the answer ended, and after how long.
stand_and_ask() { # POD ADDRESS
    # shellcheck disable=SC2016 # the pod's shell expands
    in_pod "$1" bash -c 'exec 3<>"/dev/tcp/$0/80" && touch "$1/open" || exit
        while [ ! -e "$1/go" ]; do sleep 0.02; done
        printf "GET / HTTP/1.0\r\n\r\n" >&3
        # 1: cut; more than 128: nothing has come for so long
        read -r -t 120 answer <&3; echo "ended with $? $answer" >"$1/ended"' "$2" "$BATS_TEST_TMPDIR" 2>/dev/null
}

@test "a connection that stood before is cut" {
    conflist_plain ipv4-with-ipv6-egress
    pod_add a
    for address in $imds4 $imds6; do
        rm -f "$BATS_TEST_TMPDIR"/{open,go,ended}
        stand_and_ask a "$address" 3>&- &
        background+=($!)
        wait_until 5 test -e "$BATS_TEST_TMPDIR/open"
        conflist ipv4-with-ipv6-egress "$reject"
        plugin ADD a >/dev/null
        touch "$BATS_TEST_TMPDIR/go"
        wait_until 30 test -e "$BATS_TEST_TMPDIR/ended"
        [ "$(<"$BATS_TEST_TMPDIR/ended")" = "ended with 1 " ]
        plugin DEL a
        on_node nft delete table inet imds_guard
    done
}

@test "fragments: the first hears, and none arrives" {
    conflist ipv4-with-ipv6-egress "$reject"
    dual_pod a b
    before=$(arrived)
    listen aws node a b
    send a "ip4,$self4,$imds4,,0x2000" gre bytes,8
    assert_same "$self4" "$(told)"
    listen aws node a b
    send a "ip4,$self4,$imds4,,1" bytes,64
    send a "ip4,$self4,$imds4,,0x2010" bytes,64
    send a "ip6,$self6,$imds6" fragment,8 bytes,64
    assert_same "" "$(told)"
    send a "ip6,$self6,$imds6" fragment,1 bytes,64
    send a "ip6,$self6,$imds6" fragment,1 tcp,80
    [ "$(arrived)" = "$before" ]
}

# --- no reflector ---------------------------------------------------------------------------------

# What comes under this source reaches the guard, and nobody hears of it.
nobody_is_told() { # POD LAYER...
    local before
    before=$(denied)
    send "$@" || return 1
    [ "$(denied)" -gt "$before" ] || fail "did not come to be judged: $*" || return 1
    [ -z "$(told)" ] || fail "$(told) hears of: $*"
}

@test "under another's source nobody is told" {
    conflist ipv4-with-ipv6-egress "$reject"
    dual_pod a b
    other4=$(pod_addresses b | grep -v :) other6=$(pod_addresses b | grep :)
    listen aws node a b
    # Under its own, these are answered: what follows is silent for its source alone.
    send a "ip4,$self4,$imds4" gre bytes,8
    send a "ip6,$self6,$imds6" gre bytes,8
    assert_same "$(printf '%s\n' "$self4" "$self6" | sort)" "$(told)"
    listen aws node a b
    before=$(arrived)
    # Another pod, none, the subnet's gateway, the internet, link-local, the endpoint itself.
    for source in "$other4" 10.0.12.99 10.0.0.1 203.0.113.10 169.254.169.253 169.254.1.2 $imds4; do
        for protocol in gre udp,80; do
            nobody_is_told a "ip4,$source,$imds4" $protocol bytes,8
        done
    done
    for source in "$other6" 2600:1f14:abc:d01::99 2600:1f14:abc:d00::1 2001:db8:1::10 fd00:ec2::253 $imds6 \
        2600:1f14:abc:d00::10; do
        nobody_is_told a "ip6,$source,$imds6" gre bytes,8
    done
    [ "$(arrived)" = "$before" ]
}

# Sources that a node does not forward at all: no guard sees them, and nobody must hear of them either.
@test "under a source that is nobody's nobody is told" {
    conflist ipv4-with-ipv6-egress "$reject"
    dual_pod a b
    listen aws node a b
    before=$(arrived)
    for source in 10.0.0.10 127.0.0.1 224.0.0.1 255.255.255.255 0.0.0.0 10.0.0.255; do
        send a "ip4,$source,$imds4" gre bytes,8
        send a "ip4,$source,$imds4" udp,80 bytes,8
    done
    for source in ::1 ff02::1 fe80::1 ::; do
        send a "ip6,$source,$imds6" gre bytes,8
    done
    assert_same "" "$(told)"
    [ "$(arrived)" = "$before" ]
}

# With checksums and all: the pod gives itself the address, and asks as any program would.
@test "TCP and ICMP under another's source are not answered" {
    conflist ipv4-with-ipv6-egress "$reject"
    dual_pod a b
    listen aws node a b
    before=$(denied)
    for source in "$(pod_addresses b | grep -v :)" 203.0.113.10 10.0.12.99; do
        ip -n a address add "$source/32" dev eth0
        [ -z "$(attack a "$imds4" "$source")" ]
    done
    for source in "$(pod_addresses b | grep :)" 2001:db8:1::10; do
        ip -n a address add "$source/128" dev v6if0 nodad
        [ -z "$(attack a "$imds6" "$source")" ]
    done
    [ "$(denied)" -ge $((before + 3 * 5)) ]
    assert_same "" "$(told)"
}

# --- in the configuration -------------------------------------------------------------------------

@test "changed in the configuration, it is in force for running pods after one sync" {
    conflist regular
    pod_add a
    address=$(pod_addresses a)
    assert_guards a drop
    for _ in 1 2; do
        conflist regular "$reject"
        on_node "$IMDS_GUARD" sync >/dev/null
        assert_guards a reject
        is_refused a "$imds4" "$address"
        plugin CHECK a
        on_node "$IMDS_GUARD" status >/dev/null
        conflist regular
        on_node "$IMDS_GUARD" sync >/dev/null
        assert_guards a drop
        assert_imds_silent a
        plugin CHECK a
    done
}

@test "an exempt pod beside it is let through" {
    conflist regular '.deny = "reject" | .exempt = [{namespace: "exempt"}]'
    pod_add a
    pod_add b exempt/b
    assert_imds_answers b
    is_refused a "$imds4" "$(pod_addresses a)"
}

@test "status and the metrics name it" {
    conflist regular "$reject"
    pod_add a
    attack a "$imds4"
    on_node "$IMDS_GUARD" status | grep -q "default/a .* reject "
    on_node "$IMDS_GUARD" status | grep -q "(others) .* reject "
    on_node "$IMDS_GUARD" status --json | jq -e '[.. | .verdict? | select(. == "reject")] | length >= 1' >/dev/null
    on_node "$IMDS_GUARD" status --prometheus | grep -q 'verdict="reject"'
}

@test "iptables cannot, and says so; auto takes nftables though legacy tables are live" {
    conflist regular
    pod_add a
    plugin DEL a
    on_node iptables-legacy -t filter -A FORWARD -m comment --comment theirs -j ACCEPT
    BACKEND=iptables conflist regular "$reject"
    assert_fails 7 '"deny"' plugin ADD a
    BACKEND=auto conflist regular
    plugin ADD a >/dev/null
    [ "$(guards_of a | cut -d ' ' -f 1 | sort -u)" = nftables ]
    on_node "$IMDS_GUARD" flush >/dev/null 2>&1 || on_node nft delete table inet imds_guard
    plugin ADD a >/dev/null
    [ "$(guards_of a | cut -d ' ' -f 1 | sort -u)" = iptables ]
    # Where all stand in iptables a pod that comes is there, too, and dropped, until sync moves them.
    BACKEND=auto conflist regular "$reject"
    plugin ADD a >/dev/null
    [ "$(guards_of a | cut -d ' ' -f 1,5 | sort -u)" = "iptables drop" ]
    assert_imds_silent a
    on_node "$IMDS_GUARD" sync >/dev/null
    [ "$(guards_of a | cut -d ' ' -f 1 | sort -u)" = nftables ]
    is_refused a "$imds4" "$(pod_addresses a)"
}
