#!/bin/bash
# A node whose kernel was booted with ipv6.disable=1: there is nothing to guard in IPv6, and nothing of it
# may fail.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

# The world's parts that are IPv6's are left out.
ip() {
    case " $* " in
    *' -batch '*) grep -v '[0-9a-f]::' | command ip "$@" ;;
    *) command ip "$@" ;;
    esac
}
world_servers_listen() {
    [ "$(in_aws ss --no-header --listening --tcp --udp --numeric | wc -l)" -eq 4 ]
}
assert_both_families() { # GUARDS
    [ -z "$(awk '$2 == 6' <<<"$1")" ] || fail "guards of IPv6 where there is none: $1"
}

guarded() { # SHAPE
    node_new 2>/dev/null || true # it says which settings of IPv6 there are not
    conflist_plain "$1"
    pod_add a
    assert_imds_answers a
    conflist "$1"
    pod_del a
    pod_add a
    assert_guards a drop
    assert_imds_silent a
    reaches a 203.0.113.10
    pod_check a
    on_node "$IMDS_GUARD" flush --yes
    on_node "$IMDS_GUARD" sync
    assert_imds_silent a
    pod_check a
    pod_del a
    assert_no_guards
}

world_start 2>/dev/null
modprobe ip_tables 2>/dev/null || true
for shape in regular branch-standard; do
    each_backend holds "without-ipv6-$shape" guarded "$shape"
done
ended
