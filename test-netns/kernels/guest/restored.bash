#!/bin/bash
# The boot after saved.bash: what was saved is loaded, with guards of a pod that is no more, and the next
# pod gets its interface's name.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

world_start
load_legacy

restore() {
    [ "$BACKEND" = iptables ] || nft_reads_what_it_lists || lacks 'an nft that can load what it lists (1.0.0)'
    node_new
    cp -a "/var/saved/cni-$BACKEND/." /var/lib/cni/
    if [ "$BACKEND" = nftables ]; then
        on_node nft -f /var/saved/nftables
    else
        on_node iptables-legacy-restore /var/saved/iptables
        on_node ip6tables-legacy-restore /var/saved/ip6tables
    fi
    [ -n "$(guards)" ]
    conflist regular
    # One of the same name, which has the same interface, and another one.
    pod_add b default/a
    pod_add c
    assert_imds_silent b
    assert_imds_silent c
    pod_check b default/a
    on_node "$IMDS_GUARD" sync
    # Nothing is left of the pod that is gone.
    assert_no_guards a
    assert_guards b drop
    assert_guards c drop
    assert_imds_silent b
    on_node "$IMDS_GUARD" sync >/run/sync
    cat /run/sync
    pod_del c
    pod_del b default/a
    assert_no_guards
}

each_backend holds restored restore
ended
