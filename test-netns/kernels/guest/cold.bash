#!/bin/bash
# The first ADD after boot: no packet filter has been used yet, none of its modules is loaded. Packets
# are pings, because what counts them elsewhere (world_start) is a packet filter.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

pinged() { # SECONDS
    in_pod a ping -n -q -c 1 -W "$1" "$imds4" >/dev/null
}

wired() {
    ip netns add aws
    world_tune aws
    ip -n aws address add "$imds4/32" dev lo
    ip -n aws link set lo up
    node_new
    conflist_plain regular
    pod_add a
    pinged "$packets_patience"
    ! grep -E '^(nf_tables|ip6?_tables) ' /proc/modules
}

guarded() {
    conflist regular ".backend = \"$asked\""
    if [ "$BACKEND" = iptables ] && ! grep -q '/ip_tables\.ko' "/lib/modules/$(uname -r)/modules.builtin"; then
        # Nobody loads these for us; the plugin runs no other program, and says what to do.
        assert_fails 101 modules-load.d plugin ADD a
        CNI_VERSION=1.1.0 assert_fails 50 modules-load.d plugin STATUS a
        pinged "$packets_patience"
        load_legacy
    fi
    plugin ADD a
    guards_of a | grep "^$BACKEND .* drop " >/dev/null # to its end, or who writes is killed
    ! pinged 2 || fail "a packet came back"
    assert_quiet plugin CHECK a
    assert_quiet plugin DEL a
}

asked=$BACKEND
if [ "$asked" = auto ]; then
    BACKEND=nftables
    ! kernel_is_before 5.7 || BACKEND=iptables
fi
BACKEND=none holds "cold-$asked" wired && holds "cold-$asked" guarded
ended
