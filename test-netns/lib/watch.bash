# A `watch` for a test of its own, and what others do to the conflist that it watches. Sourced by bats
# files, after suite.bash: setup and teardown are its own.

# shellcheck disable=SC2120
list=/etc/cni/net.d/10-aws.conflist

setup() {
    node_new
    rm /opt/cni/bin/imds-guard
    log=/run/watch.log
    watching=
    started_by=()
}

teardown() {
    if [ -n "$watching" ]; then
        # Ended by itself, it says what it has reached, in a build that measures coverage.
        kill -TERM "$watching" 2>/dev/null && kill -CONT "$watching" 2>/dev/null
        wait_until 5 watch_has_ended || kill -KILL "$watching"
        wait "$watching" 2>/dev/null || true
    fi
    [ -n "${BATS_TEST_COMPLETED:-}" ] || [ ! -e "$log" ] || tail -n 50 "$log"
}

# It has done all that there was to do: it sleeps, and has not run since the last look. Before that it
# may have slept as well, for as long as a look takes.
watch_rests() {
    local before
    before=$(watch_has_run)
    sleep 1
    [[ $before == *'S (sleeping)'* ]] && [ "$(watch_has_run)" = "$before" ]
}

watch_has_run() {
    grep -E '^State:|ctxt_switches:' "/proc/$watching/status"
}

watch_is_traced() {
    ! grep -qs '^TracerPid:.0$' "/proc/$watching/status"
}

watch_has_ended() {
    ! grep -qs '^State:.[^Z]' "/proc/$watching/status"
}

# A long re-check, so that nothing happens without a cause, unless a test asks for another.
start_watch() { # OPTION...
    # Not on_node: the number of the process is wanted, not that of a shell before it.
    ASAN_OPTIONS=detect_leaks=0 nsenter --net=/run/netns/node -- "${started_by[@]}" \
        "$IMDS_GUARD" watch --interval 600 "$@" 2>"$log" >/dev/null 3>&- &
    watching=$!
}

# The configuration that the tests' entry is written from: the backend under test.
config() { # [FILTER]
    entry "${1:-.}"
}

# As aws-node writes it: another name, a rename, the mode.
aws_node_writes() {
    cp /run/plain "$list.tmp"
    mv "$list.tmp" "$list"
    chmod 644 "$list"
}

has_entry() {
    [ "$(jq '[.plugins[].type | select(. == "imds-guard")] | length' "$list" 2>/dev/null)" = 1 ]
}

has_guards() { # POD drop|pass
    assert_guards "$1" "$2" 2>/dev/null
}

said() { # TEXT
    grep -qF "$1" "$log"
}

count_said() { # TEXT
    grep -cF "$1" "$log" || true
}

prepare() { # SHAPE
    conflist_plain "$1"
    cp "$list" /run/plain
    mkdir -p /run/config
    config >/run/config/imds-guard.json
}
