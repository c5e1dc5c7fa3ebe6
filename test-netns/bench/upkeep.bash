# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# sync and watch. Sourced. Results: times.tsv as in verbs.bash, $bench_out/watch.tsv: what, median and
# worst in milliseconds, and $bench_out/churn.tsv: pods, how many end and start, the milliseconds of a
# processor that watch takes for it, and its resident memory in KiB.

# A node with 1,001 pods, of which all but the first are guarded, by one sync.
full_make() { # FLAVOUR
    local node=$1-full
    node_make "$node" "$(number)" 1001
    requests_make "$1" "$node" 1
    conflist_make "$1"
    pods_cache "$node" 2 1001 "$bench_out/results-$1-1000"
    pods_cache "$node" 2 501 "$bench_out/results-$1-500"
    sync_command "$1" 1000 | step_take "$node" >/dev/null
}

conflist_make() { # FLAVOUR
    mkdir -p "$bench_out/net.d-$1"
    jq -n --arg backend "$(flavour_backend "$1")" '{cniVersion: "0.4.0", name: "aws-cni",
        plugins: [{type: "aws-cni"}, {type: "imds-guard", backend: $backend}]}' \
        >"$bench_out/net.d-$1/10-aws.conflist"
}

sync_command() { # FLAVOUR PODS [NAME]
    step_run "${3:-sync}" "$bench_out/dynamic" sync --conf-dir "$bench_out/net.d-$1" \
        --results-dir "$bench_out/results-$1-$2"
}

upkeep_sync() { # FLAVOUR
    local pods
    for pods in 500 1000; do
        contender "$pods" "$1-full"
        step_run flush "$bench_out/dynamic" flush --yes
        sync_command "$1" "$pods" missing
        sync_command "$1" "$pods" right
    done | measure "sync-$1" "$rounds_sync"
}

# What watch takes for pods that end and start among others, each with our DEL and ADD and libcni's file.
upkeep_churn() { # PODS
    local results=$bench_out/results-churned-$1 pod file watch before after
    pods_cache nft-full 1 "$1" "$results"
    for ((pod = 1; pod <= rounds_churn; pod++)); do
        pod_request nft-full "$pod" imds-guard '.backend = "nftables"' >"$bench_out/request-churn-$pod"
    done
    nsenter --net=/run/netns/nft-full -- "$bench_out/dynamic" watch --quiet --interval 600 \
        --conf-dir "$bench_out/net.d-nft" --bin-dir "$bench_out/bin" --results-dir "$results" \
        >/dev/null &
    watch=$!
    sleep 2
    before=$(cut -d ' ' -f 1 "/proc/$watch/schedstat")
    for ((pod = 1; pod <= rounds_churn; pod++)); do
        file=aws-cni-bench-$pod-nft-full.$pod
        churn_verb DEL "$pod"
        mv "$results/$file" "$bench_out/churned"
        churn_verb ADD "$pod"
        mv "$bench_out/churned" "$results/$file"
    done
    sleep 1
    after=$(cut -d ' ' -f 1 "/proc/$watch/schedstat")
    printf '%s\t%s\t%s\t%s\n' "$1" "$rounds_churn" "$(((after - before) / 1000000))" \
        "$(awk '/^VmRSS/ { print $2 }' "/proc/$watch/status")" >>"$bench_out/churn.tsv"
    kill "$watch"
    wait "$watch" || true
}

churn_verb() { # VERB POD
    node_run nft-full env CNI_COMMAND="$1" CNI_CONTAINERID="bench-$2" CNI_IFNAME="nft-full.$2" \
        CNI_NETNS=/run/netns/pods CNI_PATH=/nowhere \
        CNI_ARGS="K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-$2" \
        "$bench_out/dynamic" <"$bench_out/request-churn-$2" >/dev/null
}

# Runs COMMAND while `imds-guard watch` looks after the node and the pods 1 to LAST.
while_watched() { # LAST COMMAND...
    local results=$bench_out/results-watched-$1 watch status=0
    pods_cache nft-full 1 "$1" "$results"
    shift
    # Not through node_run: $! is to be its own process.
    nsenter --net=/run/netns/nft-full -- "$bench_out/dynamic" watch --quiet \
        --conf-dir "$bench_out/net.d-nft" --bin-dir "$bench_out/bin" --results-dir "$results" \
        >/dev/null &
    watch=$!
    sleep 1
    node_run nft-full "$@" || status=1
    node_is_guarded nft-full || status=1
    kill "$watch"
    wait "$watch" || true
    return $status
}

upkeep_watch() {
    local list=$bench_out/net.d-nft/10-aws.conflist pods
    say watch
    mkdir -p "$bench_out/bin"
    jq 'del(.plugins[1])' "$list" >"$bench_out/unpatched"
    while_watched 10 "$bench_out/react" conflist "$rounds_watch" "$list" "$bench_out/unpatched" |
        sed 's/^/conflist rewritten → patched\t/' >>"$bench_out/watch.tsv"
    for pods in 10 1000; do
        while_watched "$pods" "$bench_out/react" ruleset "$rounds_watch" |
            sed "s/^/ruleset flushed → restored, $pods pods\t/" >>"$bench_out/watch.tsv"
    done
    upkeep_churn 250
    upkeep_churn 1000
}
