# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# ADD, CHECK and DEL as whole processes. Sourced. Results: lines of measure.c, each with the name of
# the scenario in front, in $bench_out/times.tsv.
#
# A flavour is what a node's rules are written in: nft, or ipt for the legacy tables. It decides which
# backend imds-guard is given, and which iptables the shell plugin and `firewall` find.

flavour_backend() { # FLAVOUR
    case $1 in nft) echo nftables ;; ipt) echo iptables ;; esac
}

# A directory with the flavour's iptables, and jq.
flavour_path() { # FLAVOUR
    local dir=$bench_out/path-$1 suffix=nft name
    [ "$1" = nft ] || suffix=legacy
    mkdir -p "$dir"
    for name in iptables ip6tables iptables-save iptables-restore ip6tables-restore; do
        ln -sf "$(command -v "${name/tables/tables-$suffix}")" "$dir/$name"
    done
    # What a node has, not what stands for it in tests (lib/furnish.bash).
    ln -sf "$(PATH=${PATH#/run/bin:} type -P jq)" "$dir/jq"
    echo "$dir"
}

requests_make() { # FLAVOUR NODE POD
    local stem=$bench_out/request-$2-$3
    pod_request "$2" "$3" imds-guard ".backend = \"$(flavour_backend "$1")\" | .exitFence = \"off\"" \
        >"$stem-imds-guard"
    jq -c '.exitFence = "require"' "$stem-imds-guard" >"$stem-fence"
    jq -c '.backend = "auto"' "$stem-imds-guard" >"$stem-auto"
    pod_request "$2" "$3" shell >"$stem-shell"
    pod_request "$2" "$3" firewall '.backend = "iptables"' >"$stem-firewall"
}

verb() { # VERB CONTENDER FLAVOUR NODE POD
    local stem=$bench_out/request-$4-$5 path
    path="PATH=$bench_out/path-$3:$PATH"
    case $2 in
    dynamic | static) step_cni "$1" "$bench_out/$2" "$4" "$5" "$stem-imds-guard" ;;
    *-fence) step_cni "$1" "$bench_out/${2%-fence}" "$4" "$5" "$stem-fence" ;;
    *-auto) step_cni "$1" "$bench_out/${2%-auto}" "$4" "$5" "$stem-auto" ;;
    shell) step_cni "$1" "$bench_here/shell-plugin" "$4" "$5" "$stem-shell" "$path" ;;
    firewall) step_cni "$1" "$bench_firewall" "$4" "$5" "$stem-firewall" "$path" ;;
    esac
}

# ours: the builds of imds-guard that there are.
ours() {
    echo dynamic
    [ ! -x "$bench_out/static" ] || echo static
}

# --- what they do, shown with packets -----------------------------------------------------------

# Closed by default: where imds-guard has been, a DEL leaves nobody a way, and only a flush opens it.
prove() { # CONTENDER FLAVOUR NODE
    local before=node_is_open with=node_is_guarded after=node_is_open
    [[ $3 == *-full ]] || node_run "$3" "$bench_out/dynamic" flush --yes >/dev/null
    case $1 in
    firewall)
        before=node_lets_nothing_through with=node_lets_out after=$before
        node_run "$3" "$bench_out/path-$2/iptables" -w -P FORWARD DROP
        ;;
    dynamic | static) after=node_is_guarded ;;
    esac
    [[ $3 != *-full ]] || before=node_is_guarded
    "$before" "$3" || prove_failed "$@" "without it"
    verb ADD "$1" "$2" "$3" 1 | step_take "$3" >/dev/null || prove_failed "$@" "ADD"
    "$with" "$3" || prove_failed "$@" "after ADD"
    verb DEL "$1" "$2" "$3" 1 | step_take "$3" >/dev/null || prove_failed "$@" "DEL"
    "$after" "$3" || prove_failed "$@" "after DEL"
    [ "$1" != firewall ] || node_run "$3" "$bench_out/path-$2/iptables" -w -P FORWARD ACCEPT
}

node_lets_out() { # NODE
    node_reaches "$1" 203.0.113.1
}

node_lets_nothing_through() { # NODE
    ! node_reaches "$1" 203.0.113.1
}

prove_failed() { # CONTENDER FLAVOUR NODE WHEN
    echo "bench: $1 on $3: packets do not go as they should ($4)" >&2
    exit 1
}

# --- scenarios ------------------------------------------------------------------------------------

measure() { # SCENARIO ROUNDS [--at-once], the script on standard input
    local name=$1 rounds=$2
    shift 2
    say "$name"
    "$bench_out/measure" "$@" "$rounds" | sed "s/^/$name\t/" >>"$bench_out/times.tsv"
}

floors() {
    local linkage
    for linkage in $(ours); do
        contender "floor-$linkage"
        step_run RUN "$bench_out/floor-$linkage"
    done
}

# Everybody, on a quiet node.
verbs_quiet() { # FLAVOUR
    local node=$1 who
    node_make "$node" "$(number)" 1
    requests_make "$1" "$node" 1
    for who in $(ours) shell firewall; do
        prove "$who" "$1" "$node"
    done
    {
        floors
        for who in $(ours) shell firewall; do
            contender "$who" "$node"
            verb ADD "$who" "$1" "$node" 1
            [[ $who == shell || $who == firewall ]] || verb CHECK "$who" "$1" "$node" 1
            verb DEL "$who" "$1" "$node" 1
        done
        for who in $(ours); do # who leaves the backend to imds-guard
            contender "$who-auto" "$node"
            verb ADD "$who-auto" "$1" "$node" 1
            verb DEL "$who-auto" "$1" "$node" 1
        done
    } | measure "quiet-$1" "$rounds_quiet"
}

# The exit fence beside the guards, where it stands already.
verbs_fence() {
    local who node=fence
    node_make fence "$(number)" 1
    node_make guard "$(number)" 1
    for node in fence guard; do
        requests_make nft "$node" 1
    done
    verb ADD dynamic-fence nft fence 1 | step_take fence >/dev/null
    {
        for who in $(ours); do
            contender "$who" guard
            verb ADD "$who" nft guard 1
            verb DEL "$who" nft guard 1
            contender "$who-fence" fence
            verb ADD "$who-fence" nft fence 1
            verb DEL "$who-fence" nft fence 1
        done
    } | measure fence "$rounds_loaded"
}

# ADD beside others who delete, one after the other; and beside as many who only look, so that the
# processors are as busy.
verbs_beside() {
    local who stream other=$bench_counted other_process
    node_make beside "$(number)" 2
    requests_make nft beside 1
    requests_make nft beside 2
    for stream in DEL CHECK; do
        verb ADD "$other" nft beside 2 | step_take beside >/dev/null
        {
            contender stream beside
            verb "$stream" "$other" nft beside 2
            [ $stream = CHECK ] || verb ADD "$other" nft beside 2
        } >"$bench_out/stream"
        "$bench_out/measure" 10000000 <"$bench_out/stream" >/dev/null &
        other_process=$!
        for who in $(ours); do
            contender "$who" beside
            verb ADD "$who" nft beside 1
            verb DEL "$who" nft beside 1
        done | measure "beside-$stream" "$rounds_loaded"
        kill $other_process
        wait $other_process || true
    done
}

# imds-guard with nothing on the node, among 10,000 rules of others, and after 1,000 pods.
verbs_loaded() { # FLAVOUR
    local load who node
    foreign_rules "$1"
    for load in quiet foreign pods; do
        prove dynamic "$1" "$(load_node "$1" "$load")"
    done
    {
        for load in quiet foreign pods; do
            node=$(load_node "$1" "$load")
            for who in $(ours); do
                contender "$who-$load" "$node"
                verb ADD "$who" "$1" "$node" 1
                verb DEL "$who" "$1" "$node" 1
            done
        done
    } | measure "loaded-$1" "$rounds_loaded"
}

load_node() { # FLAVOUR LOAD
    case $2 in quiet) echo "$1" ;; foreign) echo "$1-foreign" ;; pods) echo "$1-full" ;; esac
}

foreign_rules() { # FLAVOUR
    local node=$1-foreign
    node_make "$node" "$(number)" 1
    requests_make "$1" "$node" 1
    awk 'BEGIN {
        print "*filter"
        for (i = 0; i < 10000; i++)
            printf "-A FORWARD -s 100.64.%d.%d/32 -j ACCEPT\n", i / 250, i % 250
        print "COMMIT\n*nat"
        for (i = 0; i < 10000; i++)
            printf "-A PREROUTING -d 100.65.%d.%d/32 -p tcp -j DNAT --to-destination 10.9.0.1\n",
                i / 250, i % 250
        print "COMMIT"
    }' | node_run "$node" "$bench_out/path-$1/iptables-restore" -w
}

# A hundred pods at once.
verbs_at_once() { # FLAVOUR
    local node=$1-many who verb pod
    node_make "$node" "$(number)" 100
    for ((pod = 1; pod <= 100; pod++)); do
        requests_make "$1" "$node" "$pod"
    done
    for who in $(ours) firewall; do
        prove "$who" "$1" "$node"
    done
    {
        for who in $(ours) firewall; do
            contender "$who" "$node"
            for verb in ADD DEL; do
                for ((pod = 1; pod <= 100; pod++)); do
                    verb "$verb" "$who" "$1" "$node" "$pod"
                done
            done
        done
    } | measure "at-once-$1" "$rounds_at_once" --at-once
}
