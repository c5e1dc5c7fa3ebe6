# What every bats file starts with: a world for the file, a fresh node for each test, and assertions
# that look at packets. `load lib/suite.bash` is all a file needs.
#
# A test that cannot run here says so with `unavailable`: a skip for a person, a failure in CI.

# shellcheck source=world.bash
. "$BATS_TEST_DIRNAME/lib/world.bash"
# shellcheck source=release.bash
. "$BATS_TEST_DIRNAME/lib/release.bash"
# shellcheck source=trace.bash
. "$BATS_TEST_DIRNAME/lib/trace.bash"

BACKEND=${BACKEND:-nftables}
bats_require_minimum_version 1.5.0

setup_file() {
    world_start
}

setup() {
    node_new
}

# Processes of a test's own, which end with it.
background=()

# What a person wants to see when a test has failed; bats shows it only then.
teardown() {
    local process
    for process in "${background[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    echo "--- guards (backend $BACKEND):"
    guards
    echo "--- rules of others:"
    others_rules
}

unavailable() { # REASON
    if [ "${CI:-}" = true ]; then
        fail "cannot run here, and CI must not skip: $1"
    fi
    skip "$1"
}

fail() { # MESSAGE
    echo "$1" >&2
    return 1
}

# In place of build/dev the release build, if there is one.
prefer_release() {
    local release
    [ "$IMDS_GUARD" = "$(realpath -m "$world_root/build/dev/imds-guard")" ] || return 0
    release=$(release_build "$world_root") || return 0
    IMDS_GUARD=$release
    ln -sf "$IMDS_GUARD" /opt/cni/bin/imds-guard
}

# All rules of the backend go, as when nftables.service restarts or an operator cleans up.
flush_rules() {
    local tool
    if [ "$BACKEND" = nftables ]; then
        on_node nft flush ruleset
    else
        for tool in iptables ip6tables; do
            on_node "$tool-legacy-restore" -w <<<$'*mangle\nCOMMIT'
        done
    fi
}

assert_same() { # EXPECTED ACTUAL
    diff <(echo "$1") <(echo "$2")
}

# --- packets --------------------------------------------------------------------------------------

no_connection_ends() { # POD
    [ -z "$(in_pod "$1" ss -Htn state fin-wait-1 state fin-wait-2 state closing state last-ack)" ]
}

# IMDS answers over every way out of the pod.
assert_imds_answers() { # POD
    local address
    for address in $(pod_addresses "$1"); do
        reaches "$1" "$(imds_of "$address")" "$address" ||
            fail "IMDS does not answer $1 at $address" || return 1
    done
    # What ends the connections arrives as well, and shall not be taken for what comes next.
    wait_until 5 no_connection_ends "$1"
}

# Packets that have been sent to IMDS are seen there, though it may take a moment.
has_arrived() { # COUNT
    [ "$(arrived)" -ge "$1" ]
}

has_hits() { # POD drop|reject|pass COUNT
    [ "$(guard_hits "$1" "$2")" -ge "$3" ]
}

# From now on the pod sends pings without a pause; they end with the test.
pings_start() { # POD ADDRESS
    # Not by in_pod: to kill a function in the background does not kill what it runs.
    nsenter --net="/run/netns/$1" -- ping -n -q -i 0.002 "$2" </dev/null >/dev/null 2>&1 3>&- 4>&- &
    pinging=$!
    background+=("$pinging")
}

# Nothing that the pod sends to IMDS over any way out of it arrives, and it is a guard that stops it.
assert_imds_silent() { # POD
    assert_nothing_arrives "$1" || return 1
    assert_hits "$1" drop
}

assert_nothing_arrives() { # POD
    local before address answers after
    before=$(arrived)
    answers=$(for address in $(pod_addresses "$1"); do
        attack "$1" "$(imds_of "$address")" "$address" &
    done
    wait)
    after=$(arrived)
    [ -z "$answers" ] || fail "IMDS answered $1: $answers" || return 1
    [ "$before" = "$after" ] || fail "$((after - before)) packets of $1 arrived at IMDS"
}

# The short form: each of the pod's guards denies, TCP, UDP and ICMP to IMDS do not arrive, and other
# packets of the pod do. In a family that the pod does not speak nothing is sent.
assert_guarded() { # POD
    local expected before
    expected=$(pod_host_links "$1" | wc -l)
    [ "$BACKEND" = nftables ] || expected=$((expected * 2)) # a rule in each family
    [ "$(guards_of "$1" | grep -c -E " (drop|reject) ")" -eq "$expected" ] ||
        fail "$1 should have $expected guards: $(guards_of "$1")" || return 1
    before=$(arrived)
    [ -z "$(attack "$1" "$imds4")" ] || fail "IMDS answers $1" || return 1
    [ "$(arrived)" = "$before" ] || fail "packets of $1 arrive" || return 1
    reaches "$1" 203.0.113.10 || fail "$1 has lost more than IMDS"
}

# Every guard of the pod has counted packets; of one family's interface, in that family alone.
assert_hits() { # POD drop|pass
    local held link
    held=$(guards_of "$1")
    [ -n "$held" ] || fail "$1 has no guard" || return 1
    while read -r link; do
        awk -v link="$link" -v verdict="$2" \
            '$4 == link && $5 == verdict && $6 > 0 { hit = 1 } END { exit !hit }' <<<"$held" ||
            fail "no packet hit a $2 guard on $link of $1" || return 1
    done < <(cut -d ' ' -f 4 <<<"$held" | sort -u)
}

# Everything else that the pod may want still answers, over every way out.
assert_rest_answers() { # POD OTHER_POD
    local address
    for address in $(pod_addresses "$1"); do
        case $address in
        *:*) assert_answers "$1" "$address" fd00:ec2::253 fd00:ec2::123 fd00:ec2::23 2001:db8:1::10 ;;
        *) assert_answers "$1" "$address" 169.254.169.253 169.254.169.123 169.254.170.23 203.0.113.10 &&
            reaches "$1" 169.254.170.2 "$address" ;;
        esac || fail "$1 at $address has lost more than IMDS" || return 1
    done
    address=$(pod_addresses "$2" | head -n 1)
    in_pod "$1" ping -n -q -c 1 -W "$packets_patience" "$address" >/dev/null || fail "$2 does not answer $1"
}

assert_answers() { # POD SOURCE DNS TIME POD_IDENTITY INTERNET
    reaches_udp "$1" "$3" 53 || fail "DNS is gone" || return 1
    reaches_udp "$1" "$4" 123 || fail "time is gone" || return 1
    reaches "$1" "$5" "$2" || fail "Pod Identity is gone" || return 1
    reaches "$1" "$6" "$2" || fail "the internet is gone"
}

# --- what the kernel holds ------------------------------------------------------------------------

# A guard of the verdict stands on each of the pod's host-side links, in every family, and no other.
assert_guards() { # POD drop|pass
    local held expected actual
    held=$(guards_of "$1")
    expected=$(pod_host_links "$1" | sort | while read -r link; do
        echo "$link $2"
    done)
    actual=$(cut -d ' ' -f 4,5 <<<"$held" | sort -u)
    [ "$expected" = "$actual" ] ||
        fail "guards of $1 should be: $expected; are: $actual" || return 1
    [ "$BACKEND" = nftables ] || assert_both_families "$held"
}

assert_both_families() { # GUARDS
    [ "$(awk '$2 == 4' <<<"$1" | cut -d ' ' -f 3-5)" = "$(awk '$2 == 6' <<<"$1" | cut -d ' ' -f 3-5)" ] ||
        fail "IPv4 and IPv6 differ: $1"
}

assert_no_guards() { # [POD]
    local left
    left=$(if [ $# -gt 0 ]; then guards_of "$1"; else guards; fi)
    [ -z "$left" ] || fail "guards are left: $left"
}

# --- the protocol ---------------------------------------------------------------------------------

# The plugin (any helper that ends in it) fails with the code; its message stays in $message.
assert_error() { # CODE COMMAND...
    local code=$1 answer
    shift
    if answer=$("$@"); then
        fail "succeeded, and should have failed with $code: $*"
        return 1
    fi
    message=$(jq -r '.msg + " " + (.details // "")' <<<"$answer") ||
        fail "not JSON: $answer" || return 1
    [ "$(jq .code <<<"$answer")" = "$code" ] || fail "should be $code: $answer"
}

# $message says each of these.
assert_says() { # TEXT...
    local text
    for text; do
        [[ $message == *"$text"* ]] || fail "does not say '$text': $message" || return 1
    done
}

# The same for one thing that it says.
assert_fails() { # CODE TEXT COMMAND...
    local code=$1 text=$2
    shift 2
    assert_error "$code" "$@" || return 1
    assert_says "$text"
}

# One JSON value each, and the same, in whatever order the keys are.
assert_same_json() { # FILE FILE
    jq -n --exit-status --slurpfile one "$1" --slurpfile other "$2" \
        '$one == $other and ($one | length) == 1' >/dev/null ||
        fail "should be the same: $1, $2"
}

# Succeeds, and says nothing on standard output.
assert_quiet() { # COMMAND...
    local answer
    answer=$("$@") || fail "failed: $*: $answer" || return 1
    [ -z "$answer" ] || fail "should print nothing: $answer"
}

# Runs COMMAND with our binary under strace, which writes to $BATS_TEST_TMPDIR/trace and may have system
# calls fail. Leaks cannot be looked for in a traced process.
traced() { # STRACE-OPTION... -- COMMAND...
    local options=() binary=$BATS_TEST_TMPDIR/traced
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -qq -s 4096 -o %s %s "%s" "$@"\n' \
        "$BATS_TEST_TMPDIR/trace" "${options[*]}" "$IMDS_GUARD" >"$binary"
    chmod +x "$binary"
    IMDS_GUARD=$binary "$@"
}

# Who is traced so has got a SIGSTOP from the tracer and has come to a halt: until SIGCONT.
is_stopped() {
    grep -qs 'stopped by SIGSTOP' "$BATS_TEST_TMPDIR/trace"
}

transactions() { # of nf_tables, in the last trace
    grep -c NFNL_MSG_BATCH_END "$BATS_TEST_TMPDIR/trace" || true # what is only rehearsed has no end
}

# --- on CHECK -------------------------------------------------------------------------------------

check_fails() { # TEXT...
    assert_error 102 plugin CHECK a || return 1
    assert_says "$@"
}

# The pod's own ADD, as sync replays it, puts everything right.
add_repairs() {
    plugin ADD a >/dev/null
    assert_quiet plugin CHECK a || return 1
    assert_imds_silent a
}

# --- what others may do to us ---------------------------------------------------------------------

# Takes the guard on a link away behind the plugin's back, with the kernel's own tools.
remove_guard_on() { # LINK [FAMILY]
    if [ "$BACKEND" = nftables ]; then
        on_node nft "delete element inet imds_guard guards { \"$1\" }"
    else
        [ "${2:-4}" != 4 ] || delete_rule iptables-legacy "$1"
        [ "${2:-6}" != 6 ] || delete_rule ip6tables-legacy "$1"
    fi
}

nft_table() {
    on_node nft list table inet imds_guard
}

nft_base_chains() {
    on_node nft -j list table inet imds_guard | jq -r '.nftables[].chain | select(. and .hook).name'
}

delete_rule() { # TOOL LINK
    on_node "$1-save" -t mangle | sed -n "s/^-A \(.*-[io] $2 .*\)/-t mangle -D \1/p" |
        on_node xargs "$1"
}
