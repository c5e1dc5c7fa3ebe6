#!/usr/bin/env bats
# What the plugin may still do while it does it, as the kernel tells of the process.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist branch-strict
    pod_add a
}

# Stops the plugin when it makes a system call the first time, leaves what /proc says of it in $status,
# and lets it go on to its end.
status_at() { # CALL VERB POD
    local call=$1 started=$BATS_TEST_TMPDIR/started pid
    shift
    printf '#!/bin/sh\necho $$ >%s\nASAN_OPTIONS=detect_leaks=0 exec "%s"\n' \
        "$started" "$IMDS_GUARD" >"$BATS_TEST_TMPDIR/marked"
    printf '#!/bin/sh\nexec strace -qq -o %s -e trace=%s -e inject=%s:signal=STOP:when=1 %s\n' \
        "$BATS_TEST_TMPDIR/trace" "$call" "$call" "$BATS_TEST_TMPDIR/marked" >"$BATS_TEST_TMPDIR/stopping"
    chmod +x "$BATS_TEST_TMPDIR/marked" "$BATS_TEST_TMPDIR/stopping"
    rm -f "$started" "$BATS_TEST_TMPDIR/trace"
    IMDS_GUARD=$BATS_TEST_TMPDIR/stopping plugin "$@" >/dev/null 3>&- &
    wait_until 10 is_stopped
    pid=$(cat "$started")
    status=$(cat "/proc/$pid/status")
    kill -CONT "$pid"
    wait "$!"
}

assert_status() { # KEY VALUE
    [ "$(awk -v key="$1:" '$1 == key { print $2 }' <<<"$status")" = "$2" ] ||
        fail "not $1 $2, but: $status"
}

# CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13; to open CNI_NETNS takes 2 and 19. No exit fence, no CAP_SYS_ADMIN (21).
@test "the pod is looked into with what is needed then and later, and only that" {
    status_at sendmsg ADD a
    assert_status CapEff 0000000000083004
    assert_status CapPrm 0000000000083004
    assert_status NoNewPrivs 1
    assert_imds_silent a
}

@test "rules are changed with what that needs, and only that" {
    plugin DEL a
    # What comes before the first change: the socket for nf_tables is set up, the lock is taken.
    if [ "$BACKEND" = nftables ]; then
        status_at setsockopt ADD a
    else
        status_at flock ADD a
    fi
    for set in CapEff CapPrm; do
        assert_status $set 0000000000003000
    done
    for set in CapInh CapAmb; do
        assert_status $set 0000000000000000
    done
    assert_status NoNewPrivs 1
    assert_imds_silent a
}
