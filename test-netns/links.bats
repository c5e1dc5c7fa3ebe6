#!/usr/bin/env bats
# Which links of the node are the pod's, whatever prevResult says: found through the pod's own ends.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist_plain regular
    CONFIG=$(entry)
    no_interfaces='{"cniVersion": "0.4.0", "interfaces": [], "ips": [], "dns": {}}'
}

# What rtnetlink says of a link: `link_of on_node NAME`, `link_of in_pod POD NAME`.
link_of() { # COMMAND... NAME
    local name=${!#}
    "${@:1:$#-1}" ip -json -details link show dev "$name" | jq '.[0]'
}

guarded_links() {
    guards | awk '{ print $4 }' | sort -u
}

@test "a result that names no interface leaves no hole" {
    CONFIG=$(entry '.others = "pass"')
    pod_add a
    assert_imds_answers a
    PREV_RESULT=$no_interfaces plugin ADD a
    assert_guards a drop
    assert_imds_silent a
    PREV_RESULT=$no_interfaces plugin DEL a
    assert_no_guards
    assert_imds_answers a
}

@test "both ends of a pair may have the same index" {
    pod_new a
    on_node ip link add index 900 name same type veth peer name eth0 index 900 netns a
    PREV_RESULT=$no_interfaces plugin ADD a
    [ "$(guarded_links)" = same ]
}

# The pod's eth0 leads to a third namespace. There its other end has the index that the victim's link
# has on the node, and it has itself the index of the victim's eth0: in numbers everything agrees.
@test "a veth of another pod that has the right numbers by chance is not taken for the pod's" {
    pod_add victim
    link=$(pod_host_links victim)
    index=$(link_of on_node "$link" | jq .ifindex)
    far=$(link_of in_pod victim eth0 | jq .ifindex)
    pod_new attacker
    pod_new nested
    ip -n attacker link add index "$far" name eth0 type veth peer name eth0 index "$index" netns nested
    [ "$(link_of in_pod attacker eth0 | jq .link_index)" = "$index" ]
    [ "$(link_of on_node "$link" | jq .link_index)" = "$far" ]

    PREV_RESULT=$no_interfaces assert_error 100 plugin ADD attacker
    assert_says "eth0 (in the pod, veth)" "not in the node's network namespace"
    assert_no_guards
    assert_imds_answers victim
}

@test "a pair that is in the pod as a whole leads nowhere" {
    pod_new a
    ip -n a link add eth0 type veth peer name other
    PREV_RESULT=$no_interfaces assert_error 100 plugin ADD a
    assert_no_guards
}

@test "a pod may have more interfaces than go into one send" {
    pod_new a
    for i in {1..40}; do
        echo "link add host$i type veth peer name eth$i netns a"
    done | on_node ip -batch -
    many=$(jq '.interfaces = [range(1; 41) | {name: "eth\(.)", sandbox: "/run/netns/a"}]' <<<"$no_interfaces")
    CNI_IFNAME=eth1 PREV_RESULT=$many plugin ADD a
    [ "$(guarded_links)" = "$(printf 'host%d\n' {1..40} | sort)" ]
    CNI_IFNAME=eth1 PREV_RESULT=$many assert_quiet plugin DEL a
    assert_no_guards
}

# All that are given are asked for in one datagram, of which the last one is our own.
@test "of many pods and the node, none of which has a number, each gets one at once" {
    for i in {1..15}; do pod_add "p$i"; done
    conflist regular
    [ "$(on_node ip netns list-id | grep -c .)" -lt 17 ] # the pods', "AWS", and not the node's own
    # LeakSanitizer cannot look at a process that strace looks at.
    ASAN_OPTIONS=detect_leaks=0 on_node strace -o /run/trace -e trace=poll "$IMDS_GUARD" sync
    [ "$(grep -c "events=POLLIN}\], 1, " /run/trace)" -eq 0 ] # no answer was waited for
    for i in {1..15}; do assert_guards "p$i" drop; done
    assert_imds_silent p15
}

@test "a link that prevResult calls by an alternative name gets the guard under its own" {
    pod_add a
    link=$(pod_host_links a)
    on_node ip link property add dev "$link" altname other-name
    PREV_RESULT=$(jq '.interfaces[0].name = "other-name"' "$(result_file a)") plugin ADD a
    [ "$(guarded_links)" = "$link" ]
    assert_imds_silent a
}

@test "the node's own namespace is host networking: passed through, nothing guarded" {
    pod_add a
    answer=$(CNI_NETNS=/proc/self/ns/net plugin ADD a)
    jq --exit-status --argjson before "$(cat "$(result_file a)")" '. == $before' <<<"$answer"
    assert_no_guards
}

@test "what is no network namespace is error 8, at once" {
    pod_add a
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    SECONDS=0
    for path in /run/netns/nobody "$BATS_TEST_TMPDIR/fifo" "$BATS_TEST_TMPDIR" /dev/null \
        /proc/self/ns/mnt; do
        CNI_NETNS=$path assert_error 8 plugin ADD a
        assert_says "$path"
    done
    [ $SECONDS -lt 100 ]
    assert_no_guards
}

add_without() { # CAPABILITY...
    local all=${*/#/-}
    request a | CNI_COMMAND=ADD CNI_CONTAINERID=$(pod_container a) CNI_NETNS=/run/netns/a \
        CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin on_node timeout 300 setpriv --bounding-set "${all// /,}" \
        --inh-caps "${all// /,}" "$IMDS_GUARD"
}

@test "without CAP_NET_ADMIN, ADD fails and says that it is missing" {
    pod_add a
    assert_error 101 add_without net_admin
    assert_says CAP_NET_ADMIN
    assert_no_guards
}

@test "CAP_SYS_ADMIN is not needed: no namespace is entered" {
    pod_add a
    assert_imds_answers a
    add_without sys_admin sys_ptrace dac_read_search >/dev/null
    assert_imds_silent a
}
