#!/usr/bin/env bats
# The binary as a person calls it, and what it does where its standard descriptors are not what they
# should be.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

bats_require_minimum_version 1.5.0

setup() {
    node_new
    conflist regular
}

@test "without a command it says what it is, and fails" {
    run -2 --separate-stderr "$IMDS_GUARD"
    [ -z "$output" ]
    # shellcheck disable=SC2154 # bats sets it
    [[ $stderr == *"CNI plugin"*"imds-guard help"* ]]
}

@test "what people try before they read" {
    run -0 "$IMDS_GUARD" --help
    [ "$output" = "$("$IMDS_GUARD" help)" ]
    run -0 "$IMDS_GUARD" -h
    [ "$output" = "$("$IMDS_GUARD" help)" ]
    run -0 "$IMDS_GUARD" --version
    [ "$output" = "$("$IMDS_GUARD" version)" ]
    run -2 --separate-stderr "$IMDS_GUARD" instal
    [[ $stderr == *'no command "instal"'* ]]
}

# Whoever may run it could choose the namespace, the configuration and the lock file.
@test "set-uid or set-gid it refuses to run" {
    cp "$IMDS_GUARD" /run/set
    chgrp nogroup /run/set
    chmod 2755 /run/set
    run -1 --separate-stderr /run/set version
    [[ $stderr == *"refuses to run set-uid"* ]]
    pod_new a
    run -1 --separate-stderr env CNI_COMMAND=ADD /run/set
    [ -z "$output" ]
    chown root:root /run/set
    chmod 755 /run/set
    run -0 /run/set version
}

@test "a closed standard output is an error, and nothing is written into a file instead" {
    pod_add a
    for command in version help status; do
        run -1 --separate-stderr bash -c 'exec nsenter --net=/run/netns/node -- "$@" >&-' \
            bash "$IMDS_GUARD" $command
        [[ $stderr == *"standard output"* ]]
    done
    run -0 bash -c 'exec nsenter --net=/run/netns/node -- "$@" <&- 2>&-' bash "$IMDS_GUARD" status
    [[ $output == *"1 guarded"* ]]
}

@test "an ADD whose answer nobody can hear fails, and its guard is its DEL's" {
    conflist_plain regular
    pod_add a
    conflist regular
    plugin_deaf() {
        plugin "$@" >&-
    }
    run -1 plugin_deaf ADD a
    assert_guards a drop
    assert_quiet plugin DEL a
    assert_no_guards
}

# With /dev/null missing, a descriptor of ours could get the number of a closed one.
@test "without standard descriptors and without /dev/null it does not begin" {
    run -1 bash -c 'ASAN_OPTIONS=detect_leaks=0 exec strace -o /run/strace -P /dev/null \
        -e trace=openat -e inject=openat:error=ENOENT -- "$@" >&-' bash "$IMDS_GUARD" version
    grep -q '/dev/null.*ENOENT.*INJECTED' /run/strace
}

# A table that is longer than what stdio writes at once: the first part is lost, the second is not.
@test "an answer of which a part is lost is an error" {
    mkdir -p /var/lib/cni/results
    on_node "$IMDS_GUARD" sync
    for number in {1..60}; do
        echo odd >"/var/lib/cni/results/no-result-of-libcni-at-all-but-a-long-name-$number"
    done
    run -0 on_node "$IMDS_GUARD" status --json
    [ ${#output} -gt 5000 ]
    run -1 --separate-stderr bash -c 'ASAN_OPTIONS=detect_leaks=0 exec nsenter --net=/run/netns/node \
        -- strace -qq -o /run/strace -e trace=write -e inject=write:error=ENOSPC:when=1 -- "$@" \
        >/run/answer' bash "$IMDS_GUARD" status --json
    grep -q 'write(1.*ENOSPC.*INJECTED' /run/strace
    [[ $stderr == *"standard output"* ]]
}

asked() { # ANSWER
    script --quiet --return --command "nsenter --net=/run/netns/node -- '$IMDS_GUARD' flush" /dev/null <<<"$1"
}

@test "flush asks a person first, and takes only yes for yes" {
    pod_add a
    for answer in n '' yess; do
        run -1 asked "$answer"
        [[ $output == *"Remove all guards?"*"nothing removed"* ]]
        assert_guards a drop
    done
    run -0 asked yes
    [[ $output == *"1 guard removed"* ]]
    assert_no_guards
    run -2 on_node "$IMDS_GUARD" flush </dev/null
}
