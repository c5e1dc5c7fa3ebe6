# Turns the results into the table of measures. Reads times.tsv, packets.tsv, watch.tsv, churn.tsv and
# instructions.tsv; prints Markdown, and with -v svg=FILE draws the plot.
BEGIN {
    FS = "\t"
    flavour_name["nft"] = "nftables"
    flavour_name["ipt"] = "iptables"
}

FILENAME ~ /times/ {
    median[$1, $2, $3] = $4
    resident[$1, $2, $3] = $7
    user[$1, $2, $3] = $9
    system_[$1, $2, $3] = $10
}
FILENAME ~ /packets/ { rate[$1] = $2; share[$1] = $3 }
FILENAME ~ /watch/ {
    watch[++watches] = $1
    watch_median[$1] = $2
    watch_worst[$1] = $3
    watch_limit[$1] = $4
}
FILENAME ~ /churn/ {
    pods[++churns] = $1
    stale[churns] = $2
    ended[churns] = $3
    cpu[churns] = $4
    memory[churns] = $5
    woken[churns] = $6
}
FILENAME ~ /instructions/ { instructions[$1, $2] = $3 }
FILENAME ~ /sizes/ { size[$1] = $2 }

function ms(us) {
    return us >= 100000 ? sprintf("%.0f ms", us / 1000) : \
           us >= 10000 ? sprintf("%.1f ms", us / 1000) : sprintf("%.2f ms", us / 1000)
}

# A row: what, the figure, what it is made of, and whether it is what it must be.
function row(what, figure, detail, must, met) {
    if (met != "" && !met)
        missed++
    printf "| %s | **%s** | %s | %s |\n", what, figure, detail,
        must == "" ? "" : must (met ? "" : " **missed**")
}

function at_most(what, value, base, limit, unit) {
    if (base > 0)
        row(what, sprintf("%.2f ×", value / base), ms(value) " / " ms(base), "≤ " limit " ×",
            value / base <= limit)
}

# Without a limit it is only told.
function at_least(what, slow, fast, limit) {
    if (fast > 0 && slow > 0)
        row(what, sprintf("%.1f × faster", slow / fast), ms(fast) " / " ms(slow),
            limit == "" ? "" : "≥ " limit " ×", slow / fast >= limit)
}

function has(scenario, who, verb) {
    return (scenario, who, verb) in median
}

function processes(flavour, linkage,    quiet, name, limit) {
    quiet = "quiet-" flavour
    if (!has(quiet, linkage, "ADD"))
        return
    name = flavour_name[flavour] ", " linkage
    limit = linkage == "static"
    at_most("ADD over an empty process: " name, median[quiet, linkage, "ADD"],
        median[quiet, "floor-" linkage, "RUN"], limit ? 1.45 : 1.65)
    at_most("ADD with the backend left to it, over ADD with it set: " name,
        median[quiet, linkage "-auto", "ADD"], median[quiet, linkage, "ADD"], 1.15)
    at_least("ADD against `firewall`: " name, median[quiet, "firewall", "ADD"],
        median[quiet, linkage, "ADD"], limit ? 17 : 12.5)
    at_least("ADD against the shell plugin: " name, median[quiet, "shell", "ADD"],
        median[quiet, linkage, "ADD"], 10)
    at_most("CHECK over ADD: " name, median[quiet, linkage, "CHECK"],
        median[quiet, linkage, "ADD"], "1.0")
    at_most("DEL over ADD: " name, median[quiet, linkage, "DEL"],
        median[quiet, linkage, "ADD"], flavour == "nft" ? 2 : "1.0")
    at_least("DEL against `firewall`: " name, median[quiet, "firewall", "DEL"],
        median[quiet, linkage, "DEL"])
    row("size of the binary: " linkage, sprintf("%.2f MB", size[linkage] / 1e6),
        sprintf("empty program %.2f MB", size["floor-" linkage] / 1e6), limit ? "≤ 1.0 MB" : "",
        limit ? size[linkage] <= 1e6 : "")
    row("peak resident memory of ADD: " name,
        sprintf("%.1f MiB", resident[quiet, linkage, "ADD"] / 1024),
        sprintf("empty process %.1f MiB", resident[quiet, "floor-" linkage, "RUN"] / 1024),
        "≤ " (limit ? 1.1 : 2.4) " MiB", resident[quiet, linkage, "ADD"] <= (limit ? 1.15 : 2.45) * 1024)
}

function loads(flavour, linkage,    name) {
    name = flavour_name[flavour] ", " linkage
    if (!has("loaded-" flavour, linkage "-quiet", "ADD"))
        return
    at_most("ADD among 10,000 + 10,000 foreign rules, over none: " name,
        median["loaded-" flavour, linkage "-foreign", "ADD"],
        median["loaded-" flavour, linkage "-quiet", "ADD"], 1.1)
    at_most("ADD with 1,000 pods guarded, over the first: " name,
        median["loaded-" flavour, linkage "-pods", "ADD"],
        median["loaded-" flavour, linkage "-quiet", "ADD"], flavour == "nft" ? 1.1 : 3)
}

function at_once(flavour, linkage,    scenario) {
    scenario = "at-once-" flavour
    if (!has(scenario, linkage, "ADD"))
        return
    at_least("100 ADDs at once against 100 of `firewall`: " flavour_name[flavour] ", " linkage,
        median[scenario, "firewall", "ADD"], median[scenario, linkage, "ADD"], 15)
    row("100 DELs at once: " flavour_name[flavour] ", " linkage,
        ms(median[scenario, linkage, "DEL"]),
        "`firewall` " ms(median[scenario, "firewall", "DEL"]), "")
}

function fence_verb(verb, linkage,    with, without) {
    if (!has("fence", linkage, verb))
        return
    with = median["fence", linkage "-fence", verb]
    without = median["fence", linkage, verb]
    row(verb " with the exit fence over without: " linkage, sprintf("%+.2f ms", (with - without) / 1000),
        ms(with) " / " ms(without), verb == "ADD" ? "≤ 0.15 ms" : "",
        verb == "ADD" ? with - without <= 150 : "")
}

function fence_packets(what, with, without) {
    if (with in share)
        row("packet rate with the exit fence over without: " what, sprintf("%.3f", share[with]),
            sprintf("%d/s; without %d/s", rate[with], rate[without]), "≥ 0.96", share[with] >= 0.96)
}

function flood() {
    if ("flood-refuse" in share)
        row("a pod floods the endpoint, `deny: reject` over `drop`: nftables",
            sprintf("%.3f", share["flood-refuse"]),
            sprintf("%d/s; dropped %d/s", rate["flood-refuse"], rate["flood-guard"]), "")
}

function beside(linkage) {
    at_most("ADD beside a stream of DELs, over beside one of CHECKs: nftables, " linkage,
        median["beside-DEL", linkage, "ADD"], median["beside-CHECK", linkage, "ADD"], 1.1)
}

# On a bare node, or one as kubelet leaves it (packets.bash), which `where` names.
function packets_over(where, none, full, aws, must) {
    row("packet rate with 1,000 guarded pods, over no rule: " where,
        sprintf("%.3f", share[full]), sprintf("%d/s; no rule %d/s", rate[full], rate[none]),
        must ? "≥ 0.98" : "", must ? share[full] >= 0.98 : "")
    row("— the same, beside AWS's one rule", sprintf("%.3f", share[full] / share[aws]),
        sprintf("AWS's rule alone: %.3f of no rule", share[aws]), "≥ 1.0 (± 1 %)",
        share[full] / share[aws] >= 0.99)
}

function packets(flavour,    full, kubelet) {
    full = flavour "-full"
    kubelet = "kubelet-" full
    if (!(full in share))
        return
    packets_over(flavour_name[flavour] (kubelet in share ? ", no table live before" : ""), "none",
        full, flavour "-aws", !(kubelet in share))
    row("— one FORWARD rule a pod instead", sprintf("%.3f", share[flavour "-each"]),
        sprintf("%d/s", rate[flavour "-each"]), "")
    if (kubelet in share)
        packets_over(flavour_name[flavour] ", a node as kubelet leaves it", "kubelet-none",
            kubelet, "kubelet-" flavour "-aws", 1)
}

function sync(flavour, state,    scenario, name) {
    scenario = "sync-" flavour
    if (!has(scenario, "1000", state))
        return
    name = state == "right" ? "all right already" : "all missing"
    row("sync of 1,000 attachments, " name ": " flavour_name[flavour],
        ms(median[scenario, "1000", state]),
        sprintf("user %s, system %s; %.1f × the time of 500", ms(user[scenario, "1000", state]),
            ms(system_[scenario, "1000", state]),
            median[scenario, "1000", state] / median[scenario, "500", state]),
        (state == "right" ? "≤ 30 ms, " : "") "linear: ≤ 2.4 × of 500",
        median[scenario, "1000", state] <= 2.4 * median[scenario, "500", state] &&
        (state != "right" || median[scenario, "1000", state] <= 30000))
}

function churn(i, where) {
    row("watch: processor for one pod that ends or starts, " where,
        sprintf("%.2f ms", cpu[i] / ended[i] / 2000), sprintf("%d ended and started", ended[i]),
        "≤ 2 ms", cpu[i] / ended[i] / 2000 <= 2)
    row("watch: resident memory, " where, sprintf("%.1f MiB", memory[i] / 1024), "", "≤ 6 MiB",
        memory[i] <= 6.05 * 1024)
    row("watch: wake-ups in 3 s without news, " where, woken[i], "the exit fence is looked at every 3 s",
        "≤ 1", woken[i] <= 1)
}

# --- the plot -----------------------------------------------------------------------------------

function bar(label, value, text, length_, colour) {
    printf "<text x=\"200\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 13, label >svg
    printf "<rect x=\"208\" y=\"%d\" width=\"%.0f\" height=\"17\" rx=\"2\" fill=\"%s\"/>\n", y,
        length_ < 2 ? 2 : length_, colour >svg
    printf "<text x=\"%.0f\" y=\"%d\">%s</text>\n", 214 + (length_ < 2 ? 2 : length_), y + 13,
        text >svg
    y += 23
}

function heading(text) {
    y += 14
    printf "<text x=\"16\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y, text >svg
    y += 10
}

function colour_of(who) {
    return who ~ /^floor/ || who == "none" ? "#9aa5b1" : \
           who ~ /static|dynamic|full/ ? "#2f7d5b" : "#c77b30"
}

# Whole processes; a bar's length is the logarithm of its time over a tenth of a millisecond.
function plot_add(label, value, who) {
    if (value > 0)
        bar(label, value, ms(value), log(value / 100) / log(10) * 140, colour_of(who))
}

function plot_adds(flavour,    i, n, who, label, best) {
    n = split("floor-static floor-dynamic static dynamic firewall shell", who, " ")
    split("empty process, static|empty process, dynamic|imds-guard, static|imds-guard, dynamic|" \
          "firewall plugin|shell + jq + iptables", label, "|")
    heading("ADD of one pod, whole process, " flavour_name[flavour] " node (logarithmic)")
    for (i = 1; i <= n; i++) {
        plot_add(label[i], median["quiet-" flavour, who[i], who[i] ~ /^floor/ ? "RUN" : "ADD"], who[i])
        best = has("fence", "static", "ADD") ? "static" : "dynamic"
        if (who[i] != "dynamic" || flavour != "nft")
            continue
        plot_add("with the exit fence, " best, median["fence", best "-fence", "ADD"], best)
        plot_add("beside a stream of DELs, " best, median["beside-DEL", best, "ADD"], best)
    }
}

function plot_packets(flavour,    i, who, label) {
    split("none " flavour "-aws " flavour "-full " flavour "-each", who, " ")
    split("no rule|AWS's one rule|imds-guard|one rule a pod", label, "|")
    heading("Packets a second through a node with 1,000 pods, " flavour_name[flavour])
    for (i = 1; i <= 4; i++)
        bar(label[i], rate[who[i]], sprintf("%.0f %% of no rule", 100 * share[who[i]]),
            380 * share[who[i]], colour_of(who[i]))
}

function plot(    flavour) {
    y = 12
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"690\" " \
          "viewBox=\"0 0 720 690\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\">" >svg
    print "<rect width=\"720\" height=\"690\" fill=\"#ffffff\"/>" >svg
    plot_adds("nft")
    plot_adds("ipt")
    plot_packets("nft")
    plot_packets("ipt")
    print "</svg>" >svg
}

END {
    print "| measure | figure | made of | must be |"
    print "| --- | --- | --- | --- |"
    for (f = 1; f <= 2; f++) {
        flavour = f == 1 ? "nft" : "ipt"
        for (l = 1; l <= 2; l++)
            processes(flavour, l == 1 ? "static" : "dynamic")
        for (l = 1; l <= 2; l++)
            loads(flavour, l == 1 ? "static" : "dynamic")
        for (l = 1; l <= 2; l++)
            at_once(flavour, l == 1 ? "static" : "dynamic")
        packets(flavour)
        sync(flavour, "right")
        sync(flavour, "missing")
        row("instructions of ADD, DEL: " flavour_name[flavour],
            instructions[flavour, "ADD"] ", " instructions[flavour, "DEL"], "callgrind, dynamic", "")
    }
    for (l = 1; l <= 2; l++) {
        fence_verb("ADD", l == 1 ? "static" : "dynamic")
        fence_verb("DEL", l == 1 ? "static" : "dynamic")
    }
    fence_packets("forwarded", "fence", "guard")
    fence_packets("the node's own", "/run/netns/fence", "/run/netns/guard")
    for (l = 1; l <= 2; l++)
        beside(l == 1 ? "static" : "dynamic")
    flood()
    for (i = 1; i <= watches; i++)
        row("watch: " watch[i], watch_median[watch[i]] " ms", "worst " watch_worst[watch[i]] " ms",
            watch_limit[watch[i]] == "" ? "" : "≤ " watch_limit[watch[i]] " ms",
            watch_limit[watch[i]] == "" ? "" : watch_median[watch[i]] <= watch_limit[watch[i]])
    for (i = 1; i <= churns; i++)
        churn(i, pods[i] " pods" (stale[i] > 0 ? " and " stale[i] " stale files" : ""))
    if (svg != "")
        plot()
}
