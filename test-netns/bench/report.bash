# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# Puts the results together. Sourced.

report() {
    local text
    text=$(report_text)
    printf '%s\n' "$text"
    if [ "$bench_record" = true ]; then
        printf '%s\n' "$text" >"$world_root/test-netns/BENCHMARKS.md"
        cp "$bench_out/benchmarks.svg" "$world_root/test-netns/benchmarks.svg"
    fi
}

report_text() {
    local flavour
    # shellcheck disable=SC2046 # one word a file
    (cd "$bench_out" && stat -L --printf="%n\t%s\n" $(ours) $(ours | sed "s/^/floor-/") >sizes.tsv)
    cat <<EOF
# Benchmarks

![ADD of one pod, and packets a second, beside the alternatives](benchmarks.svg)

Made by \`$bench_command\` on $(date -u +%Y-%m-%d), version $("$bench_out/dynamic" version | head -n 1);
$(report_machine). Load when it began: $bench_load.

What is compared and how is said at the head of [bench.sh](bench.sh). Times are wall clock of whole
processes, from before they are started until they have ended; medians; the contenders of a row took
turns. The two times of a row are those that its ratio is made of. \`firewall\` is the CNI project's
plugin ($(dpkg-query --show --showformat='${Version}' containernetworking-plugins)), with its iptables
backend in the node's flavour; the shell plugin is [this one](bench/shell-plugin).

EOF
    (cd "$bench_out" && awk -v svg=benchmarks.svg -f "$bench_here/report.awk" \
        times.tsv packets.tsv packets-fence.tsv packets-flood.tsv watch.tsv churn.tsv instructions.tsv sizes.tsv)
    if [ -r "$bench_here/remarks.md" ]; then
        printf '\n'
        cat "$bench_here/remarks.md"
    fi
    printf '\n## The system calls of one ADD\n'
    for flavour in "${flavours[@]}"; do
        printf '\nOn a healthy %s node, %s build, the pod'"'"'s first ADD after others:\n\n' \
            "$(flavour_backend "$flavour")" "$bench_counted"
        counts_calls_table "$flavour"
    done
}

report_machine() {
    local model
    model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
    printf '%s, %s processors, Linux %s' "${model:-$(uname -m)}" "$(nproc)" "$(uname -r)"
}
