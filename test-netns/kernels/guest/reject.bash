#!/bin/bash
# "deny": "reject". To know whether its answer will find back, nf_tables looks for the way to the sender, which
# it can do for forwarded packets from Linux 5.19 on; iptables does not try.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

reject='.deny = "reject"'

hears_at_once() { # SHAPE
    local address
    node_new
    conflist "$1" "$reject"
    pod_add a
    assert_guards a reject
    for address in $(pod_addresses a); do
        is_refused a "$(imds_of "$address")" "$address"
    done
    assert_nothing_arrives a
    assert_hits a reject
    CNI_VERSION=1.1.0 assert_quiet plugin STATUS a
    pod_check a
    on_node "$IMDS_GUARD" sync
    assert_quiet plugin CHECK a
    pod_del a
    assert_no_guards
}

# ECONNREFUSED, long before a packet that is dropped would be given up.
is_refused() { # POD ADDRESS SOURCE
    local code=0
    in_pod "$1" curl --silent --output /dev/null --max-time 200 --interface "$3" "$(url "$2")" || code=$?
    [ $code -eq 7 ] || fail "$2 should refuse $1 at $3 (7), and curl says $code"
}

# The same sentence from all who are asked, and nothing is written.
is_told() { # BACKEND-ASKED-FOR CODE TEXT...
    local backend=$1 code=$2 command text
    shift 2
    node_new
    conflist_plain regular
    pod_add a
    BACKEND=$backend conflist regular "$reject"
    assert_error "$code" plugin ADD a
    assert_says "$@"
    assert_no_guards
    [ "$code" = 7 ] || code=50
    CNI_VERSION=1.1.0 assert_error "$code" plugin STATUS a
    assert_says "$@"
    # What is no configuration, status has not read.
    for command in sync $([ "$code" = 7 ] || echo status); do
        ! on_node "$IMDS_GUARD" "$command" >"/run/$command" 2>&1 || fail "$command succeeds"
        for text; do
            grep -F "$text" "/run/$command"
        done
    done
    # Another way to deny does. What that has made shows nothing of this one.
    conflist regular
    plugin ADD a
    assert_imds_silent a
    BACKEND=$backend conflist regular "$reject"
    CNI_VERSION=1.1.0 assert_error "$code" plugin STATUS a
    assert_says "$@"
    assert_guards a drop
    assert_imds_silent a
}

world_start
load_legacy
BACKEND=nftables
if kernel_is_before 5.19; then
    ! kernel_is_before 5.7 || BACKEND=iptables
    for backend in nftables auto; do
        holds "reject-$backend-is-told" is_told $backend 101 'Linux 5.19' 'set "deny" to "drop"'
    done
else
    for shape in regular ipv6-with-ipv4-egress; do
        holds "reject-$shape" hears_at_once "$shape"
    done
fi
BACKEND=iptables
holds reject-is-told is_told iptables 7 '"deny"'
ended
