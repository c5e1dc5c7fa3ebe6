#!/usr/bin/env bats
# Requests and files that say what is not theirs to say: another pod's interface, another's guard.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist regular '.exempt = [{"namespace": "kube-system"}]'
    pod_add victim
    assert_guards victim drop
}

# A result of one pod that names the other's end on the node: "in its place", or "beside" it.
result_naming_victim() { # POD FILTER
    jq --arg link "$(pod_host_links victim)" "$2" "$(result_file "$1")"
}

@test "DEL with another pod's prevResult" {
    pod_add a
    PREV_RESULT=$(cat "$(result_file victim)") assert_quiet plugin DEL a
    assert_no_guards a
    assert_guards victim drop
    assert_imds_silent victim
}

@test "DEL of a pod that never was, with another pod's prevResult and namespace" {
    CNI_CONTAINERID=nobody PREV_RESULT=$(cat "$(result_file victim)") assert_quiet plugin DEL victim
    assert_guards victim drop
    assert_imds_silent victim
}

@test "ADD of an exempt pod whose prevResult names another pod's interface" {
    pod_add a kube-system/a
    for place in '.interfaces[0].name = $link' '.interfaces += [{name: $link}]' \
        '.interfaces = [{name: $link}] + .interfaces'; do
        PREV_RESULT=$(result_naming_victim a "$place") assert_error 100 plugin ADD a kube-system/a
        assert_says "$(pod_host_links victim)" "another network namespace"
        assert_guards victim drop
        assert_imds_silent victim
    done
    # By an alternative name it is the same link.
    on_node ip link property add dev "$(pod_host_links victim)" altname its-other-name
    PREV_RESULT=$(jq '.interfaces[0].name = "its-other-name"' "$(result_file a)") \
        assert_error 100 plugin ADD a kube-system/a
    assert_imds_silent victim
}

@test "a cached result that names another pod's interface" {
    local cache=/var/lib/cni/results file
    pod_add a kube-system/a
    # As the runtime would have written it, of a pod of an exempt namespace that lives.
    file=$(ls $cache/*"$(pod_container a)"*)
    result_naming_victim a '.interfaces[0].name = $link' >/run/result
    jq --slurpfile result /run/result '.result = $result[0]' "$file" >/run/crafted
    cp /run/crafted "$file"
    on_node timeout 300 "$IMDS_GUARD" sync || true
    assert_guards victim drop
    assert_imds_silent victim
    # Even if the victim's own is lost, and even after a flush there is no exemption to be had.
    rm "$cache"/*"$(pod_container victim)"*
    on_node timeout 300 "$IMDS_GUARD" sync || true
    assert_guards victim drop
    assert_imds_silent victim
}

@test "files in the cache that are not what they seem" {
    local cache=/var/lib/cni/results
    mkdir "$cache/aws-cni-directory-eth0"
    ln -s /dev/zero "$cache/aws-cni-zero-eth0"
    ln -s "$(ls $cache/*"$(pod_container victim)"*)" "$cache/aws-cni-link-eth0"
    truncate -s 20G "$cache/aws-cni-large-eth0"
    head -c 100000 /dev/zero | tr '\0' '[' >"$cache/aws-cni-deep-eth0"
    head -c 100000 /dev/urandom >"$cache/aws-cni-random-eth0"
    cp "$(ls $cache/*"$(pod_container victim)"*)" "$cache/aws-cni-copy-eth0"
    remove_guard_on "$(pod_host_links victim)"
    on_node timeout 300 "$IMDS_GUARD" sync || [ $? -eq 1 ]
    assert_guards victim drop
    assert_imds_silent victim
}

@test "two entries of ours in the conflist: the pod is guarded, and DEL leaves nothing" {
    jq '.plugins += [.plugins[-1]]' /etc/cni/net.d/10-aws.conflist >/run/twice
    cp /run/twice /etc/cni/net.d/10-aws.conflist
    pod_add a
    assert_guards a drop
    assert_imds_silent a
    pod_check a
    pod_del a
    assert_no_guards a
    assert_imds_silent victim
}

@test "flush while pods come: who is added after it is guarded" {
    local i flusher
    (while on_node "$IMDS_GUARD" flush --yes; do :; done) >/dev/null 2>&1 3>&- &
    flusher=$!
    for i in {1..20}; do
        plugin ADD victim >/run/answer || fail "$(cat /run/answer)" || break
    done
    kill $flusher
    wait $flusher || true
    [ "$i" -eq 20 ]
    plugin ADD victim >/dev/null
    assert_guards victim drop
    assert_imds_silent victim
}
