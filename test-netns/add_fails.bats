#!/usr/bin/env bats
# What an ADD that fails leaves: nothing that its DEL does not find, and every guard that stood before.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/faults.bash
. "$BATS_TEST_DIRNAME/lib/faults.bash"

setup() {
    node_new
    # LeakSanitizer cannot look at a process that strace looks at.
    export ASAN_OPTIONS=detect_leaks=0
    conflist multi-nic '.lockTimeoutSeconds = 1'
}

# A pod that aws-cni has wired; guarding it is left to the test.
wired_pod() { # POD
    conflist_plain multi-nic
    pod_add "$1"
    conflist multi-nic '.lockTimeoutSeconds = 1'
}

# Its guards are in force by the time it fails.
add_cannot_report() { # POD
    if plugin ADD "$1" >/dev/full 2>/run/said; then
        fail "ADD succeeds"
        return 1
    fi
    grep 'No space left on device' /run/said
}

@test "the first ADD of a pod leaves its guards to the DEL that the runtime owes it" {
    wired_pod a
    add_cannot_report a
    assert_guards a drop
    assert_quiet plugin DEL a
    assert_no_guards
    plugin ADD a >/dev/null
    assert_guards a drop
}

@test "another ADD of a pod that runs leaves its guards" {
    pod_add a
    add_cannot_report a
    assert_guards a drop
    assert_imds_silent a
    assert_quiet plugin DEL a
    assert_no_guards
}

@test "a guard that was in the other backend is still in one of them" {
    local other=iptables
    [ "$BACKEND" = nftables ] || other=nftables
    conflist multi-nic ".backend = \"$other\""
    pod_add a
    conflist multi-nic
    add_cannot_report a
    assert_imds_silent a
}

@test "an interface that was taken over keeps a guard" {
    pod_add a
    CNI_CONTAINERID=another add_cannot_report a
    assert_nothing_arrives a
}

# --- what the kernel refuses ----------------------------------------------------------------------

# Runs an ADD of pod a for each time that it makes one of the calls, which fails, and after each one
# CHECK; BEFORE each. At least two of them must fail.
each_refusal() { # BEFORE CHECK CALL...
    local before=$1 check=$2 calls failed=0
    shift 2
    calls=$(IFS='|' && echo "$*")
    container=$(pod_container a)
    arguments=$(pod_args a)
    request a >/run/request
    "$before"
    own_calls verb ADD | grep -E "^($calls) " >/run/calls
    while read -r call first last <&5; do
        fault=$(errors_of "$call")
        for ((number = first; number <= last; number++)); do
            "$before"
            one_fault "$call" "$number" verb ADD
            "$check" || return 1
            [ "$status" -eq 0 ] || failed=$((failed + 1))
        done
    done 5</run/calls
    [ "$failed" -ge 2 ]
}

del_leaves_none() {
    plugin DEL a
    assert_no_guards || fail "$fault at $call $number"
}

# Of iptables, one table may have been written already.
@test "whatever the kernel refuses a first ADD, its DEL leaves no guard" {
    wired_pod a
    each_refusal true del_leaves_none sendmsg setsockopt
}

lose_second() {
    local link family
    link=$(pod_host_links a | tail -n 1)
    for family in $(guards_of a | awk -v link="$link" '$4 == link { print $2 }'); do
        remove_guard_on "$link" "$family"
    done
}

first_is_silent() {
    local before after
    before=$(arrived)
    in_pod a ping -n -q -c 1 -W 0.1 -I "$(pod_addresses a | head -n 1)" "$imds4" >/dev/null || true
    after=$(arrived)
    [ "$before" = "$after" ] || fail "$fault at $call $number: $((after - before)) packets arrived"
}

@test "whatever the kernel refuses another ADD, the guards that stood still stand" {
    pod_add a
    each_refusal lose_second first_is_silent sendmsg recvmmsg setsockopt flock write
}
