# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# What repeats exactly: system calls, by strace, and instructions, by callgrind. Sourced. Results:
# $bench_out/calls-FLAVOUR (strace's lines of one ADD), $bench_out/instructions.tsv (flavour, verb,
# number).

counts_calls() { # FLAVOUR
    verb ADD "$bench_counted" "$1" "$1" 1 >"$bench_out/step"
    sed "s|^run .*|run $(command -v strace)\nrun -f\nrun -o\nrun $bench_out/calls-$1\n&|" \
        "$bench_out/step" | step_take "$1" >/dev/null
    verb DEL dynamic "$1" "$1" 1 | step_take "$1" >/dev/null
}

# Fails where the source says otherwise (plugin/cni/add.c).
counts_calls_table() { # FLAVOUR
    local column=1
    [ "$1" = nft ] || column=2
    awk -v column="$column" -v linkage="$bench_counted" -f "$bench_here/calls.awk" \
        "$world_root/plugin/cni/add.c" "$bench_out/calls-$1"
}

counts_instructions() { # FLAVOUR
    local verb
    for verb in ADD DEL; do
        verb "$verb" dynamic "$1" "$1" 1 |
            sed "s|^run .*|run $(command -v valgrind)\nrun --tool=callgrind\nrun --log-file=$bench_out/callgrind\nrun --callgrind-out-file=/dev/null\n&|" |
            step_take "$1" >/dev/null
        printf '%s\t%s\t%s\n' "$1" "$verb" \
            "$(sed -n 's/.*Collected : //p' "$bench_out/callgrind")" >>"$bench_out/instructions.tsv"
    done
}

counts_measure() { # FLAVOUR
    say "counts-$1"
    counts_calls "$1"
    counts_calls_table "$1" >/dev/null
    counts_instructions "$1"
}
