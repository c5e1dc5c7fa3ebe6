#!/usr/bin/env bats
# Whose guard is it: only an attachment's own DEL lifts a guard from an interface that still exists.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular
}

# The node's end of the pod's interface goes some time after the pod's namespace.
pod_gone_for_good() { # POD
    local links link
    links=$(pod_host_links "$1")
    pod_gone "$1"
    for link in $links; do
        wait_until 10 no_link "$link"
    done
}

no_link() { # LINK
    ! ip -n node link show dev "$1" >/dev/null 2>&1
}

gc() { # POD JSON: the attachments that are still valid
    CNI_VERSION=1.1.0 PREV_RESULT='' \
        CONFIG=$(entry ".\"cni.dev/valid-attachments\" = $2 | .\"cni.dev/attachments\" = $2") \
        plugin GC "$1"
}

attachment() { # POD
    echo "[{\"containerID\": \"$(pod_container "$1")\", \"ifname\": \"eth0\"}]"
}

@test "a StatefulSet's pod comes back under the same interface name, then the old one's DEL" {
    for shape in regular branch-strict; do
        conflist $shape
        pod_add old default/web-0
        pod_add new default/web-0
        assert_no_guards old
        assert_guards new drop
        pod_del old default/web-0
        assert_no_guards old
        assert_guards new drop
        assert_imds_silent new
        pod_del new default/web-0
        assert_no_guards
        rm "$(result_file old)" "$(result_file new)"
        pod_gone old
        pod_gone new
    done
}

@test "the old one's DEL comes without prevResult" {
    pod_add old default/web-0
    pod_add new default/web-0
    PREV_RESULT='' plugin DEL old
    assert_guards new drop
    assert_imds_silent new
}

@test "ADD twice leaves one guard" {
    pod_add a
    before=$(guards | cut -d ' ' -f 1-5,7-)
    assert_same_json <(plugin ADD a) "$(result_file a)"
    [ "$(guards | cut -d ' ' -f 1-5,7-)" = "$before" ]
    assert_imds_silent a
}

@test "an exempt pod replaces the drop of a former owner" {
    pod_add old default/web-0
    assert_guards old drop
    conflist regular '.exempt = [{"namespace": "default"}]'
    pod_add new default/web-0
    assert_no_guards old
    assert_guards new pass
    assert_imds_answers new
    assert_hits new pass
}

@test "a guarded pod replaces the pass of an exempt owner" {
    conflist regular '.exempt = [{"namespace": "default"}]'
    pod_add old default/web-0
    assert_guards old pass
    conflist regular
    pod_add new default/web-0
    assert_guards new drop
    assert_imds_silent new
}

@test "DEL without prevResult" {
    conflist multi-nic
    pod_add a
    assert_guards a drop
    PREV_RESULT='' assert_quiet plugin DEL a
    assert_no_guards
    assert_nothing_arrives a
}

@test "DEL without CNI_NETNS" {
    pod_add a
    assert_guards a drop
    CNI_NETNS='' assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL without prevResult and CNI_NETNS, every shape" {
    for shape in "${world_shapes[@]}"; do
        conflist "$shape"
        pod_add a
        pod_add b
        CNI_NETNS='' PREV_RESULT='' assert_quiet plugin DEL a
        assert_no_guards a
        assert_guards b drop
        pod_del a
        pod_del b
    done
}

@test "DEL with our keys broken" {
    pod_add a
    assert_guards a drop
    CONFIG='{"type": "imds-guard", "mode": 7, "endpoints": "none", "exempt": {}, "backend": "pf",
        "lockTimeoutSeconds": "long"}' assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL with a broken prevResult" {
    pod_add a
    assert_guards a drop
    PREV_RESULT='{"interfaces": 5}' plugin DEL a || [ $? -eq 1 ]
    # Refused or not: the next one, without, finds everything.
    PREV_RESULT='' assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL with the interface gone" {
    pod_add a
    assert_guards a drop
    pod_gone_for_good a
    assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL with another prevResult than ADD had" {
    conflist multi-nic
    pod_add a
    assert_guards a drop
    PREV_RESULT=$(jq 'del(.interfaces[2:4])' "$(result_file a)") assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL twice, and DEL of what was never there" {
    pod_new a
    assert_quiet plugin DEL a
    pod_add a
    assert_quiet plugin DEL a
    assert_quiet plugin DEL a
    assert_no_guards
}

@test "DEL of another network, interface or container lifts nothing" {
    pod_add a
    container=$(pod_container a)
    NETWORK=aws assert_quiet plugin DEL a
    NETWORK=aws-cn assert_quiet plugin DEL a
    CNI_IFNAME=eth assert_quiet plugin DEL a
    CNI_IFNAME=net1 assert_quiet plugin DEL a
    CNI_CONTAINERID=${container%?} assert_quiet plugin DEL a
    CNI_CONTAINERID=${container}0 assert_quiet plugin DEL a
    assert_guards a drop
    assert_imds_silent a
}

@test "GC keeps the guard of an interface that lives, valid or not" {
    pod_add a
    assert_quiet gc a '[]'
    assert_quiet gc a null
    assert_guards a drop
    assert_imds_silent a
}

@test "GC removes what is not valid any more and has no interface" {
    pod_add a
    pod_add b
    pod_gone_for_good a
    assert_quiet gc b "$(attachment b)"
    assert_no_guards a
    assert_guards b drop
}

@test "GC keeps what is valid, though its interface is gone" {
    pod_add a
    pod_gone_for_good a
    assert_quiet gc a "$(attachment a)"
    assert_guards a drop
}

@test "GC leaves another network's guards alone" {
    pod_add a
    pod_gone_for_good a
    NETWORK=aws assert_quiet gc a '[]'
    assert_guards a drop
    assert_quiet gc a '[]'
    assert_no_guards
}

@test "container ids as long as they get" {
    conflist_plain regular
    pod_add a
    conflist regular
    local long
    long=$(printf 'c%.0s' {1..200})
    CNI_CONTAINERID=$long plugin ADD a >/dev/null
    is_dropped_for "$long"
    CNI_CONTAINERID=${long%?} assert_quiet plugin DEL a
    is_dropped_for "$long"
    CNI_CONTAINERID=$long assert_quiet plugin DEL a
    assert_no_guards
}

is_dropped_for() { # CONTAINER
    assert_nothing_arrives a
    [[ $(guards) == *" drop "*"/$1/eth0 "* ]]
}
