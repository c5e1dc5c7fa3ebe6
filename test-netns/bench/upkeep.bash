# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# sync and watch. Sourced. Results: times.tsv as in verbs.bash, $bench_out/watch.tsv: what, median, worst
# and limit in milliseconds, and $bench_out/churn.tsv: pods, stale files, how many pods end and start, the
# microseconds of a processor that watch takes for it, its resident memory in KiB, and how often it wakes
# up in three seconds in which nothing happens.

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

# Starts `imds-guard watch` on FLAVOUR's full node; leaves its process in $watch. Not through node_run: $!
# is to be its own process.
watch_start() { # FLAVOUR RESULTS [OPTION...]
    local flavour=$1 results=$2
    shift 2
    nsenter --net="/run/netns/$flavour-full" -- "$bench_out/dynamic" watch --quiet "$@" \
        --conf-dir "$bench_out/net.d-$flavour" --bin-dir "$bench_out/bin" --results-dir "$results" \
        >/dev/null &
    watch=$!
}

watch_stop() {
    kill "$watch"
    wait "$watch" || true
}

watch_says() { # FIELD
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$watch/status"
}

# What watch takes for pods that end and start among others, each with our DEL and ADD and libcni's file,
# beside the files of pods that were gone before.
upkeep_churn() { # PODS STALE
    local results=$bench_out/results-churned-$1-$2 pod file watch before after woken
    pods_cache nft-full 1 "$1" "$results"
    for ((pod = 1; pod <= rounds_churn; pod++)); do
        pod_request nft-full "$pod" imds-guard '.backend = "nftables"' >"$bench_out/request-churn-$pod"
    done
    if [ "$2" -gt 0 ]; then
        pods_cache nft-full 2001 $((2000 + $2)) "$results-stale"
        find "$results-stale" -type f -exec sed -i 's|/run/netns/pods|/run/netns/gone|' {} +
        find "$results-stale" -type f -exec mv -t "$results" {} +
    fi
    watch_start nft "$results" --interval 600
    sleep 5
    woken=$(watch_says voluntary_ctxt_switches)
    sleep 3
    woken=$(($(watch_says voluntary_ctxt_switches) - woken))
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
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$rounds_churn" "$(((after - before) / 1000))" \
        "$(watch_says VmRSS)" "$woken" >>"$bench_out/churn.tsv"
    watch_stop
}

churn_verb() { # VERB POD
    node_run nft-full env CNI_COMMAND="$1" CNI_CONTAINERID="bench-$2" CNI_IFNAME="nft-full.$2" \
        CNI_NETNS=/run/netns/pods CNI_PATH=/nowhere \
        CNI_ARGS="K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-$2" \
        "$bench_out/dynamic" <"$bench_out/request-churn-$2" >/dev/null
}

# Runs COMMAND while `imds-guard watch` looks after the node and the pods 1 to LAST; what it prints is a
# line of watch.tsv, with WHAT and LIMIT.
while_watched() { # FLAVOUR LAST WHAT LIMIT COMMAND...
    local flavour=$1 what=$3 limit=$4 results=$bench_out/results-watched-$1-$2 watch status=0 took
    pods_cache "$flavour-full" 1 "$2" "$results"
    shift 4
    watch_start "$flavour" "$results"
    sleep 1
    took=$(node_run "$flavour-full" "$@") || status=1
    sleep 0.5
    node_is_guarded "$flavour-full" || status=1
    watch_stop
    printf '%s\t%s\t%s\n' "$what" "$took" "$limit" >>"$bench_out/watch.tsv"
    return $status
}

upkeep_watch() {
    local list=$bench_out/net.d-nft/10-aws.conflist pods react=$bench_out/react
    say watch
    mkdir -p "$bench_out/bin"
    jq 'del(.plugins[1])' "$list" >"$bench_out/unpatched"
    while_watched nft 10 "conflist rewritten → patched" 2 \
        "$react" conflist "$rounds_watch" "$list" "$bench_out/unpatched"
    for pods in 10 1000; do
        while_watched nft "$pods" "ruleset flushed → others' verdict back, $pods pods" 1 \
            "$react" ruleset "$rounds_watch"
        while_watched nft "$pods" "ruleset flushed → all guards back, $pods pods" 5 \
            "$react" ruleset "$rounds_watch" eni1
    done
    for pods in 10 1000; do
        while_watched ipt "$pods" "legacy table flushed → all guards back, $pods pods" \
            "$([ "$pods" != 10 ] || echo 5)" \
            "$react" legacy "$rounds_watch" "$bench_out/path-ipt/iptables"
    done
    upkeep_churn 250 0
    upkeep_churn 1000 0
    upkeep_churn 1000 16000
}
