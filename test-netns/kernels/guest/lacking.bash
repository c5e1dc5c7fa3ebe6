#!/bin/bash
# A kernel that lacks a rule system, or half of one (imds-guard.without), or is too old for it: `auto`
# takes the one that works, and who asks for the other is told the same by every verb and command, before
# anything is written.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

has_nftables() {
    modprobe nf_tables 2>/dev/null && ! kernel_is_before 5.7
}

has_iptables() {
    modprobe -a ip_tables ip6_tables 2>/dev/null
}

# IPv4's half makes `auto` think of iptables first.
live_legacy_tables() {
    on_node iptables-legacy -t mangle -L >/dev/null 2>&1 || true
}

guarded() { # BACKEND-ASKED-FOR SHAPE
    node_new
    live_legacy_tables
    conflist_plain "$2"
    pod_add a
    assert_imds_answers a
    conflist "$2" ".backend = \"$1\""
    CNI_VERSION=1.1.0 plugin STATUS a
    plugin ADD a
    assert_guards a drop
    assert_imds_silent a
    assert_quiet plugin CHECK a
    on_node "$IMDS_GUARD" sync
    assert_quiet plugin DEL a
    assert_no_guards
}

# The same sentence, which says TEXT, from all who are asked.
refused() { # BACKEND-ASKED-FOR TEXT...
    local backend=$1 sentence other
    shift
    node_new
    live_legacy_tables
    conflist_plain regular
    pod_add a
    conflist regular ".backend = \"$backend\""
    assert_error 101 plugin ADD a
    assert_says "$@"
    # With what is wrong with the other backend, where there is a choice.
    sentence=${message%% nor *}
    other=${message#"$sentence"}
    sentence=${sentence% }
    other=${other# }
    CNI_VERSION=1.1.0 assert_error 50 plugin STATUS a
    assert_says "$sentence" "$other"
    assert_no_guards
    assert_imds_answers a

    says "$sentence" plugin CHECK a
    says "$other" plugin CHECK a
    says "$sentence" on_node "$IMDS_GUARD" sync
    says "$other" on_node "$IMDS_GUARD" sync
    says "$sentence" on_node "$IMDS_GUARD" status
    watch_says "$sentence"
}

# COMMAND fails, and says TEXT.
says() { # TEXT COMMAND...
    local text=$1 answer
    shift
    ! answer=$("$@" 2>&1) || fail "should fail: $*: $answer" || return 1
    [[ ${answer//\\\"/\"} == *"$text"* ]] || fail "does not say '$text': $*: $answer"
}

# It goes on trying, so it is ended once it has said so.
watch_says() { # TEXT
    local watching said=0
    nsenter --net=/run/netns/node -- "$IMDS_GUARD" watch >/run/watch 2>&1 & # $! is on_node's shell else
    watching=$!
    wait_until 60 grep -qF "$1" /run/watch || said=$?
    kill "$watching"
    wait "$watching" || true
    [ "$said" -eq 0 ] || fail "does not say '$1': watch: $(cat /run/watch)"
}

neither() {
    refused auto nf_tables 'load the modules' modules-load.d
    [[ $message != *'"backend"'* ]] || fail "sends the reader from one to the other: $message"
}

world_start
has_nftables || count_with_iptables
BACKEND=none
if has_nftables; then works=nftables; elif has_iptables; then works=iptables; else works=''; fi
if [ -z "$works" ]; then
    holds neither neither
else
    BACKEND=$works
    for shape in regular branch-strict; do
        holds "auto-$shape" guarded auto "$shape"
    done
fi
BACKEND=nftables
if has_nftables; then
    holds alone guarded nftables regular
elif kernel_is_before 5.7 && modprobe nf_tables 2>/dev/null; then
    holds refused refused nftables 'Linux 5.7' iptables
else
    holds refused refused nftables nf_tables
fi
BACKEND=iptables
if has_iptables; then
    holds alone guarded iptables regular
elif modprobe ip_tables 2>/dev/null; then
    holds refused refused iptables 'modules ip6_tables'
else
    holds refused refused iptables 'modules ip_tables'
fi
ended
