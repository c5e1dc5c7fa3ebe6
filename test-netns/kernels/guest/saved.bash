#!/bin/bash
# A node whose ruleset and cache of pods (/var/lib/cni) are saved, as a shutdown saves them. What was
# saved is on the machine's disk for the next boot (restored.bash).
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

world_start
load_legacy

save() {
    node_new
    conflist regular
    pod_add a
    mkdir -p /var/saved
    cp -a /var/lib/cni "/var/saved/cni-$BACKEND"
    if [ "$BACKEND" = nftables ]; then
        nft_reads_what_it_lists || lacks 'an nft that can load what it lists (1.0.0)'
        { echo flush ruleset && on_node nft list ruleset; } >/var/saved/nftables
    else
        on_node iptables-legacy-save >/var/saved/iptables
        on_node ip6tables-legacy-save >/var/saved/ip6tables
    fi
}

each_backend holds saved save
ended
