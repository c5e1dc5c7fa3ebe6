# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# What a guard costs the packets that it is not for. Sourced. Results, in $bench_out/packets.tsv:
# node, packets a second, that over the node without a rule, packets for IMDS that came out of 100.
# Lines that begin with "kubelet-" are of nodes as kubelet leaves them.

packets_nodes() {
    local flavour
    echo none
    for flavour in "${flavours[@]}"; do
        echo "$flavour-aws $flavour-each $flavour-full"
    done
}

# AWS's one rule, as documented for nodes; and one rule a pod, as the shell plugin leaves them.
packets_prepare() { # FLAVOUR
    local tool=$bench_out/path-$1/iptables
    node_make "$1-aws" "$(number)" 1
    node_run "$1-aws" "$tool" -w -I FORWARD -i eni+ -d 169.254.169.254 -j DROP
    node_make "$1-each" "$(number)" 1
    awk 'BEGIN {
        print "*filter"
        for (i = 1; i <= 1000; i++)
            printf "-A FORWARD -i eni%d -d 169.254.169.254/32 -j DROP\n", i
        print "COMMIT"
    }' | node_run "$1-each" "$tool-restore" -w
    packets_unfence "$1"
    verb ADD dynamic "$1" "$1-full" 1 | step_take "$1-full" >/dev/null
}

# What the exit fence costs, which the node's sync has put on, has rows of its own.
packets_unfence() { # FLAVOUR
    local unfenced=$bench_out/net.d-$1-unfenced
    mkdir -p "$unfenced"
    jq '.plugins[1].exitFence = "off"' "$bench_out/net.d-$1/10-aws.conflist" >"$unfenced/10-aws.conflist"
    node_run "$1-full" "$bench_out/dynamic" sync --conf-dir "$unfenced" \
        --results-dir "$bench_out/results-$1-1000" >/dev/null
}

# What makes legacy tables live on every Kubernetes node that has them: the chains without a rule by
# which kubelet and kube-proxy see that somebody has flushed a table (kubernetes,
# pkg/util/iptables, Monitor). They are in these three tables, of both families.
packets_kubelet() { # NODE
    local family table owner
    for family in iptables ip6tables; do
        for table in mangle nat filter; do
            for owner in KUBELET PROXY; do
                node_run "$1" "$bench_out/path-ipt/$family" -w -t "$table" -N "KUBE-$owner-CANARY"
            done
        done
    done
}

packets_blast() { # [--flood] NODE...
    local open=203.0.113.10 flood=()
    if [ "$1" = --flood ]; then
        open=169.254.169.254 flood=("$1")
        shift
    fi
    nsenter --net=/run/netns/pods -- taskset -c "$(($(nproc) - 1))" "$bench_out/blast" "${flood[@]}" \
        "$slices" "$slice_ms" /run/netns/sink $open 169.254.169.254 "$@"
}

# What the exit fence costs packets that go through the node, and the node's own.
packets_fence() {
    verb ADD dynamic nft guard 1 | step_take guard >/dev/null
    verb ADD dynamic-fence nft fence 1 | step_take fence >/dev/null
    packets_blast guard fence >"$bench_out/packets-fence.tsv"
    packets_blast /run/netns/guard /run/netns/fence >>"$bench_out/packets-fence.tsv"
}

# What the node has to do with a pod that asks for IMDS as fast as it can.
packets_flood() {
    node_make refuse "$(number)" 1
    requests_make nft refuse 1
    jq -c '.deny = "reject"' "$bench_out/request-refuse-1-imds-guard" >"$bench_out/step"
    cp "$bench_out/step" "$bench_out/request-refuse-1-imds-guard"
    verb ADD dynamic nft refuse 1 | step_take refuse >/dev/null
    packets_blast --flood guard refuse | sed 's/^/flood-/' >"$bench_out/packets-flood.tsv"
}

packets_measure() {
    local flavour node
    say packets
    packets_fence
    packets_flood
    node_make none "$(number)" 1
    for flavour in "${flavours[@]}"; do
        packets_prepare "$flavour"
    done
    # shellcheck disable=SC2046 # one word a node
    packets_blast $(packets_nodes) >"$bench_out/packets.tsv"
    for node in none ipt-aws ipt-full; do
        packets_kubelet "$node"
    done
    packets_blast none ipt-aws ipt-full | sed 's/^/kubelet-/' >>"$bench_out/packets.tsv"
    awk -F '\t' '($1 ~ /none$/) != ($4 >= 90) || ($1 !~ /none$/ && $4 > 2) {
        print "bench: node " $1 ": " $4 " of 100 packets for IMDS came out"; wrong = 1
    } END { exit wrong }' "$bench_out/packets.tsv" >&2
    for flavour in "${flavours[@]}"; do
        verb DEL dynamic "$flavour" "$flavour-full" 1 | step_take "$flavour-full" >/dev/null
    done
}
