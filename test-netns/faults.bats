#!/usr/bin/env bats
# Every system call that a verb or sync makes fails once, and the process is killed once at each.
# What is left is right, or the runtime's next call puts it right. Of equal calls, every third one;
# sync makes each for each of two pods. (faults_long.bats is this file: every call, with every error
# that fits, in the build with sanitizers. install and uninstall: install.bats.)

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/faults.bash
. "$BATS_TEST_DIRNAME/lib/faults.bash"

case $BATS_TEST_FILENAME in
*_long.bats) FAULTS=all STEP=1 ;;
*) FAULTS=first STEP=3 ;;
esac

setup() {
    node_new
    [ "$FAULTS" = all ] || prefer_release
    # LeakSanitizer cannot look at a process that strace looks at.
    export ASAN_OPTIONS=detect_leaks=0
    others_write
    conflist branch-strict '.lockTimeoutSeconds = 1'
    pod_add a
    pod_add b
    container=$(pod_container a)
    arguments=$(pod_args a)
    request a >/run/request
    with=$(ruleset)
    others=$(others_now)
    added=$(verb ADD)
    assert_ruleset "$with"
    verb DEL
    without=$(ruleset)
}

# Whatever ADD has left, a next ADD makes whole, and DEL takes away.
after_add() {
    assert_well_behaved "$added" || return 1
    if [ "$status" -eq 0 ]; then
        assert_ruleset "$with" || return 1
    else
        assert_others_untouched || return 1
        if [ "$fault" = KILL ]; then
            [ "$(verb ADD)" = "$added" ] || fail "the next ADD fails" || return 1
            assert_ruleset "$with" || return 1
        fi
    fi
    assert_quiet verb DEL || return 1
    assert_ruleset "$without"
}

@test "ADD" {
    each_fault after_add verb ADD
}

# A node's first ADD makes the table or the chains as well.
after_first_add() {
    assert_well_behaved "$added" || return 1
    if [ "$status" -ne 0 ]; then
        assert_others_untouched || return 1
        [ "$(verb ADD)" = "$added" ] || fail "the next ADD fails" || return 1
    fi
    assert_ruleset "$with" || return 1
    node_command flush --yes >/dev/null
}

@test "the first ADD on a node" {
    node_command flush --yes
    verb ADD
    with=$(ruleset)
    node_command flush --yes
    each_fault after_first_add verb ADD
}

# DEL does not fail for what the next sync can put right, or the pod could never be deleted; but then
# it says so.
after_del() {
    assert_well_behaved '' || return 1
    if [ "$status" -eq 0 ] && ! grep -q 'a guard may be left' /run/said; then
        assert_ruleset "$without" || return 1
    else
        assert_others_untouched || return 1
        assert_quiet verb DEL || return 1
        assert_ruleset "$without" || return 1
    fi
    verb ADD >/dev/null
}

@test "DEL" {
    verb ADD >/dev/null
    each_fault after_del verb DEL
}

after_check() {
    assert_well_behaved '' || return 1
    assert_ruleset "$with"
}

@test "CHECK" {
    verb ADD >/dev/null
    assert_quiet verb CHECK
    each_fault after_check verb CHECK
}

# Success means that it is so, or that a file was skipped which sync names; after anything else the
# next run makes it so.
after_sync() {
    ! grep -q 'skipped a cached result: .* cannot be read' /run/said || status=1
    case $fault:$status in
    *:0) assert_ruleset "$with" || return 1 ;;
    KILL:137 | *:1)
        assert_others_untouched || return 1
        node_command sync >/dev/null || fail "the next sync fails" || return 1
        assert_ruleset "$with" || return 1
        ;;
    *) fail "misbehaves" || return 1 ;;
    esac
    verb DEL
}

@test "sync" {
    each_fault after_sync node_command sync
}

# --- errors that are the kernel's last word -------------------------------------------------------

always() { # CALL ERROR COMMAND...
    local tracer=(strace -f -o /dev/null -e "trace=$1" -e "inject=$1:error=$2")
    shift 2
    "$@"
}

# Taken for a kernel without nf_tables, it would leave the guard, or a hole, and say that all is well.
@test "EINVAL from nf_tables is not taken for a kernel without it" {
    local call first code=101
    [ "$BACKEND" = nftables ] || code=102 # iptables tells that the guard is gone
    verb ADD >/dev/null
    # CHECK asks for links first: two messages, three answers.
    for call in sendmsg recvmmsg; do
        first=3
        [ $call = sendmsg ] || first=4
        assert_quiet always $call EINVAL verb DEL 2>/run/said
        grep 'nf_tables: cannot .*: Invalid argument; a guard may be left' /run/said
        assert_error $code always $call "EINVAL:when=$first+" verb CHECK
        assert_says "nf_tables: cannot "
        verb ADD >/dev/null # of two backends, DEL has emptied the one that answered
    done
}

sockets_of() { # COMMAND...: one a line, in their order
    local tracer=(strace -qq -o /run/trace -e trace=socket)
    "$@" && cat /run/trace
}

@test "a kernel without nf_tables holds nothing of ours" {
    local its
    verb ADD >/dev/null
    its=$(sockets_of verb DEL | grep -n -m 1 NETLINK_NETFILTER) # and not a legacy table's
    verb ADD >/dev/null
    assert_quiet always socket EPROTONOSUPPORT:when="${its%%:*}" verb DEL
    [ "$BACKEND" = nftables ] || assert_ruleset "$without"
}

@test "a table that the kernel refuses for good is no race" {
    [ "$BACKEND" = iptables ] || skip "legacy tables only"
    assert_error 101 always setsockopt EINVAL verb ADD
    assert_says "cannot write table mangle"
    assert_error 11 always setsockopt EAGAIN verb ADD
    assert_says "changed while it was being written"
    assert_ruleset "$without"
}
