#!/usr/bin/env bats
# What ADD answers when it cannot guard, and that nothing of ours is left then.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist_plain regular
    pod_add a
    conflist regular
}

@test "CNI_NETNS is no network namespace" {
    touch /run/file
    for netns in /run/absent /run/file /run /proc/self/ns/mnt /dev/null; do
        for verb in ADD CHECK; do
            CNI_NETNS=$netns assert_error 8 plugin $verb a
            assert_says "$netns"
        done
    done
    assert_no_guards
}

@test "host networking: handed through, nothing installed" {
    assert_same_json <(CNI_NETNS=/run/netns/node plugin ADD a) "$(result_file a)"
    assert_no_guards
    CNI_NETNS=/run/netns/node assert_quiet plugin CHECK a
}

@test "no interface at all" {
    pod_new bare
    PREV_RESULT='{"cniVersion": "0.4.0", "interfaces": [], "ips": []}' assert_error 100 plugin ADD bare
    PREV_RESULT='{"cniVersion": "0.4.0"}' assert_error 100 plugin ADD bare
    PREV_RESULT='{"cniVersion": "0.4.0", "interfaces": [{"name": "eni0d7763386da"},
        {"name": "dummy0d7763386da", "mac": "0", "sandbox": "0"}]}' assert_error 100 plugin ADD bare
    assert_says eni0d7763386da dummy0d7763386da
    assert_no_guards
}

@test "macvlan and ipvlan have no end on the node" {
    tried=0
    for kind in macvlan ipvlan; do
        ip -n node link add "$kind" link eth1 type $kind 2>/dev/null || continue
        tried=$((tried + 1))
        pod_new $kind
        ip -n node link set $kind netns $kind name eth0
        PREV_RESULT="{\"cniVersion\": \"0.4.0\", \"interfaces\": [{\"name\": \"eth0\",
            \"sandbox\": \"/run/netns/$kind\"}]}" assert_error 100 plugin ADD $kind
        assert_says eth0 $kind
    done
    [ $tried -gt 0 ] || unavailable "the kernel has neither macvlan nor ipvlan"
    assert_no_guards
}

@test "a bridge is shared, and not guarded" {
    pod_new bridged
    ip -n node link add cni0 type bridge || unavailable "the kernel has no bridge"
    ip -n node link add veth1 type veth peer name eth0 netns bridged
    ip -n node link set veth1 master cni0
    for interfaces in '{"name": "cni0"}, {"name": "veth1"},' '{"name": "veth1"},' ''; do
        PREV_RESULT="{\"cniVersion\": \"0.4.0\", \"interfaces\": [$interfaces {\"name\": \"eth0\",
            \"sandbox\": \"/run/netns/bridged\"}]}" assert_error 100 plugin ADD bridged
        assert_says veth1 bridge
    done
    assert_no_guards
}

@test "one interface of the pod has an end that cannot be guarded" {
    ip -n node link add more link eth1 type macvlan || unavailable "the kernel has no macvlan"
    ip -n node link set more netns a name net1
    PREV_RESULT=$(jq '.interfaces += [{name: "net1", sandbox: "/run/netns/a"}]' "$(result_file a)") \
        assert_error 100 plugin ADD a
    assert_says net1
    assert_no_guards
}

@test "a result that forgets the node's end leaves no hole" {
    PREV_RESULT=$(jq 'del(.interfaces[0])' "$(result_file a)") plugin ADD a >/dev/null
    assert_guards a drop
    assert_imds_silent a
    PREV_RESULT=$(jq 'del(.interfaces)' "$(result_file a)") plugin ADD a >/dev/null
    assert_guards a drop
    assert_imds_silent a
}

@test "without CAP_NET_ADMIN" {
    IMDS_GUARD=$world_root/test-netns/fixtures/without-net-admin assert_error 101 plugin ADD a
    assert_says CAP_NET_ADMIN
    assert_no_guards
    IMDS_GUARD=$world_root/test-netns/fixtures/without-net-admin CNI_VERSION=1.1.0 PREV_RESULT='' \
        assert_error 50 plugin STATUS a
    assert_says CAP_NET_ADMIN
}

@test "STATUS changes nothing" {
    before=$(on_node nft list ruleset; on_node cat /proc/net/ip_tables_names /proc/net/ip6_tables_names)
    CNI_VERSION=1.1.0 PREV_RESULT='' assert_quiet plugin STATUS a
    [ "$(on_node nft list ruleset
        on_node cat /proc/net/ip_tables_names /proc/net/ip6_tables_names)" = "$before" ]
}

@test "the xtables lock is not had in time" {
    conflist regular '.lockTimeoutSeconds = 1'
    lock_hold /run/xtables.lock
    if [ "$BACKEND" = iptables ]; then
        assert_error 11 plugin ADD a
        assert_says /run/xtables.lock
        assert_no_guards
    else
        # nf_tables has no such lock.
        plugin ADD a >/dev/null
        assert_guards a drop
    fi
    lock_let_go
}

@test "the xtables lock is had in the end" {
    local adding
    lock_hold /run/xtables.lock
    plugin ADD a >/dev/null 3>&- 4>&- &
    adding=$!
    # nf_tables has no such lock.
    [ "$BACKEND" = nftables ] || wait_until 5 lock_is_waited_for /run/xtables.lock
    lock_let_go
    wait "$adding"
    assert_guards a drop
}

@test "the chain fails as a whole when ADD fails, and can be taken down" {
    pod_del a
    conflist regular '.mode = "sometimes"'
    run pod_add a
    [ "$status" -ne 0 ]
    [[ $output == *mode*sometimes* ]]
    assert_no_guards
    pod_del a
}
