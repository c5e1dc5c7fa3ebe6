#!/usr/bin/env bats
# The guard holds whatever other rules stand, in either flavour of iptables, and leaves them alone.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

# Both families of one flavour: iptables -> iptables-legacy and ip6tables-legacy.
others() { # legacy|nft ARGUMENTS...
    local flavour=$1
    shift
    on_node "iptables-$flavour" --wait 5 "$@"
    on_node "ip6tables-$flavour" --wait 5 "$@"
}

# What a CNI with network policies does when it comes to its own pods.
accept_in_front() { # FLAVOUR TABLE
    others "$1" -t "$2" -I FORWARD 1 -j ACCEPT
}

both_families_silent() {
    conflist ipv6-with-ipv4-egress
    pod_add a
    pod_add b
    assert_imds_silent a
    assert_rest_answers a b
}

@test "ACCEPT in front in filter, there before ADD" {
    for flavour in legacy nft; do
        accept_in_front $flavour filter
    done
    both_families_silent
}

@test "ACCEPT in front in filter, put there after ADD" {
    conflist ipv6-with-ipv4-egress
    pod_add a
    for flavour in legacy nft; do
        accept_in_front $flavour filter
        assert_imds_silent a
    done
}

@test "ACCEPT in front in mangle, there before ADD" {
    for flavour in legacy nft; do
        accept_in_front $flavour mangle
    done
    both_families_silent
}

@test "policy ACCEPT" {
    for flavour in legacy nft; do
        others $flavour -P FORWARD ACCEPT
    done
    both_families_silent
}

@test "policy DROP with ACCEPT for what pods send" {
    for flavour in legacy nft; do
        others $flavour -P FORWARD DROP
        others $flavour -A FORWARD -j ACCEPT
    done
    both_families_silent
}

@test "policy DROP still drops what it dropped" {
    conflist regular
    pod_add a
    reaches a 203.0.113.10
    for flavour in legacy nft; do
        others $flavour -P FORWARD DROP
        assert_imds_silent a
        run ! in_pod a curl --silent --max-time 0.3 http://203.0.113.10/
        others $flavour -P FORWARD ACCEPT
    done
    reaches a 203.0.113.10
}

# A Service address that leads to IMDS, as a user who may make Services and Endpoints can have it.
service_to_imds() { # FLAVOUR -A|-D
    on_node "iptables-$1" --wait 5 -t nat "$2" PREROUTING -d 10.100.0.1 -p tcp --dport 80 \
        -j DNAT --to-destination 169.254.169.254:80
    on_node "ip6tables-$1" --wait 5 -t nat "$2" PREROUTING -d fd00:5e::1 -p tcp --dport 80 \
        -j DNAT --to-destination "[fd00:ec2::254]:80"
}

service_is_dropped() { # FLAVOUR
    local before
    conflist_plain ipv6-with-ipv4-egress
    service_to_imds "$1" -A
    pod_add a
    reaches a 10.100.0.1
    reaches a fd00:5e::1
    pod_del a

    conflist ipv6-with-ipv4-egress
    pod_add a
    before=$(arrived)
    run ! in_pod a curl --silent --max-time 0.4 http://10.100.0.1/
    run ! in_pod a curl --silent --max-time 0.4 "http://[fd00:5e::1]/"
    [ "$(arrived)" = "$before" ]
    assert_hits a drop
}

@test "a Service that leads to IMDS, iptables-legacy" {
    service_is_dropped legacy
}

@test "a Service that leads to IMDS, iptables-nft" {
    service_is_dropped nft
}

# As kube2iam and kiam do it: the node's agent answers in place of IMDS.
agent_answers() { # FLAVOUR
    conflist regular
    pod_add a
    assert_imds_silent a
    on_node "iptables-$1" --wait 5 -t nat -A PREROUTING -d 169.254.169.254 -p tcp --dport 80 \
        -j DNAT --to-destination 10.0.0.10:8181
    nsenter --net=/run/netns/node -- socat TCP4-LISTEN:8181,fork,reuseaddr \
        "EXEC:$world_root/test-netns/fixtures/http" </dev/null >/dev/null 2>&1 3>&- 4>&- &
    agent=$!
    wait_until 5 on_node bash -c ': </dev/tcp/10.0.0.10/8181' 2>/dev/null
    [[ $(in_pod a curl --silent --max-time 30 http://169.254.169.254/) == "hello from 10.0.0.10" ]]
    kill $agent
}

@test "an agent in place of IMDS, iptables-legacy" {
    agent_answers legacy
}

@test "an agent in place of IMDS, iptables-nft" {
    agent_answers nft
}

@test "no rule of others is changed by ADD, CHECK, GC and DEL" {
    for flavour in legacy nft; do
        for table in filter nat mangle; do
            others $flavour -t $table -N MINE
            others $flavour -t $table -A MINE -p tcp --dport 80 -m comment --comment "mine, too" -j ACCEPT
        done
        others $flavour -t mangle -A FORWARD -j MINE
        others $flavour -t mangle -A POSTROUTING -j MINE
        others $flavour -P FORWARD DROP
    done
    on_node nft 'add table inet mine; add set inet mine s { type ipv4_addr; elements = { 10.1.2.3 }; }'
    before=$(others_rules)
    [[ $before == *"mine, too"* ]]

    conflist branch-strict
    pod_add a
    pod_check a
    CNI_VERSION=1.1.0 PREV_RESULT='' plugin GC a
    [ "$(others_rules | sort)" = "$(sort <<<"$before")" ]
    pod_del a
    [ "$(others_rules | sort)" = "$(sort <<<"$before")" ]
}
