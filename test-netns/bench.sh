#!/usr/bin/env bash
# How fast imds-guard is, beside what else one could use, on this machine:
#
#   test-netns/bench.sh [--quick | --smoke] [--record]
#
# Prints a Markdown table, and draws build/bench/benchmarks.svg. --quick takes about a minute, and its
# figures are rough; --smoke only sees that everything works. --record also writes both into
# test-netns/BENCHMARKS.md and test-netns/benchmarks.svg.
#
# Needs root and installs what it needs (packages.bash). It measures in network namespaces of its own,
# in a private world that is gone when it ends (lib/world.bash); the machine's rules are neither read
# nor written. Contenders take turns, so that what else the machine does hits all alike; figures are
# medians. Everybody's effect is shown with packets before it is timed.
set -euo pipefail

# shellcheck source=lib/world.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib/world.bash"
# shellcheck source=lib/packages.bash
. "$world_root/test-netns/lib/packages.bash"
bench_here=$world_root/test-netns/bench
bench_out=$world_root/build/bench
bench_firewall=/usr/lib/cni/firewall
bench_mode=full
bench_record=false
flavours=(nft ipt) # what each means: bench/verbs.bash
bench_command="test-netns/bench.sh${*:+ $*}"
bench_load=$(cut -d " " -f 1 /proc/loadavg)

for part in builds nodes steps verbs upkeep packets counts report; do
    # shellcheck source=/dev/null
    . "$bench_here/$part.bash"
done

say() { # WHAT
    echo "bench: $1 ($((SECONDS))s)" >&2
}

# A number for a node, each time another one; kept in a file, as it is asked for in subshells.
number() {
    local last=0
    [ ! -e "$bench_out/number" ] || last=$(<"$bench_out/number")
    echo $((last + 1)) | tee "$bench_out/number"
}

options() { # ARGUMENT...
    local argument
    for argument; do
        case $argument in
        --quick | --smoke) bench_mode=${argument#--} ;;
        --record) bench_record=true ;;
        *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        esac
    done
    case $bench_mode in
    full) rounds_quiet=300 rounds_loaded=300 rounds_at_once=5 rounds_sync=10 rounds_watch=50
        rounds_churn=100 slices=600 slice_ms=20 ;;
    quick) rounds_quiet=30 rounds_loaded=60 rounds_at_once=1 rounds_sync=3 rounds_watch=10
        rounds_churn=100 slices=150 slice_ms=20 ;;
    smoke) rounds_quiet=2 rounds_loaded=2 rounds_at_once=1 rounds_sync=1 rounds_watch=3
        rounds_churn=3 slices=5 slice_ms=20 ;;
    esac
}

measure_all() {
    local flavour
    rm -rf "$bench_out"/{times,watch,churn,packets,packets-fence,packets-flood,instructions}.tsv "$bench_out"/{results,request}-* \
        "$bench_out/number"
    nodes_start
    for flavour in "${flavours[@]}"; do
        flavour_path "$flavour" >/dev/null
        verbs_quiet "$flavour"
        full_make "$flavour"
        verbs_loaded "$flavour"
        upkeep_sync "$flavour"
        verbs_at_once "$flavour"
        counts_measure "$flavour"
    done
    verbs_fence
    verbs_beside
    packets_measure
    upkeep_watch
}

main() { # ARGUMENT...
    options "$@"
    if ! world_is_entered; then
        packages_install "${packages_build[@]}" "${packages_bench[@]}"
        builds_make
        CNITOOL=none IMDS_GUARD=$bench_out/dynamic world_enter "$0" "$@"
    fi
    bench_counted=$(ours | tail -n 1)
    measure_all
    report
}

main "$@"
