#!/usr/bin/env bats
# status: what it says is what the kernel does. And flush.

bats_require_minimum_version 1.5.0

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

status() { # OPTION...
    on_node timeout 1200 "$IMDS_GUARD" status "$@"
}

@test "all guarded: the table, its counters, exit code 0" {
    conflist branch-strict '.exempt = [{namespace: "kube-system"}]'
    pod_add a
    pod_add b kube-system/b
    assert_imds_silent a
    assert_imds_answers b
    run -0 status
    [[ ${lines[0]} == NAMESPACE/POD* ]]
    [[ ${lines[1]} =~ ^default/a\ +vlan[0-9a-f]+\ +drop\ +[1-9][0-9]*\ +[1-9][0-9]*\ +$BACKEND ]]
    [[ ${lines[2]} =~ ^kube-system/b\ +vlan[0-9a-f]+\ +pass\ +[1-9] ]]
    [[ ${lines[3]} =~ ^\(others\)\ +any\ other\ +drop\ +0\ +0\ +$BACKEND ]]
    [[ ${lines[-1]} =~ ^2\ guarded,\ 0\ open\;\ [1-9][0-9]*\ packets\ denied$ ]]
    [[ $output != *$'\033'* ]]
}

@test "a pod without a guard of its own stands out, and is none that is open" {
    conflist_plain regular
    pod_add a
    conflist regular
    pod_add b
    assert_nothing_arrives a
    run -0 status
    [[ ${lines[2]} =~ ^default/a\ +eni[0-9a-f]+\ +no\ guard ]]
    [[ ${lines[3]} == *"it has the verdict for others" ]]
    [[ ${lines[4]} =~ ^\(others\)\ .*\ drop\ +[1-9] ]]
    [[ ${lines[-1]} == "1 guarded, 1 unguarded, 0 open; "* ]]
}

@test "a pod that is open is one, exit code 1" {
    conflist_plain regular
    pod_add a
    conflist regular '.others = "pass"'
    pod_add b
    assert_imds_answers a
    run -1 status
    [[ ${lines[2]} =~ ^default/a\ +eni[0-9a-f]+\ +OPEN ]]
    [[ ${lines[3]} == *"packets pass that should be denied" ]]
    [[ ${lines[4]} =~ ^\(others\)\ .*\ pass\ +[1-9] ]]
    [[ ${lines[-1]} == "1 guarded, 1 open; "* ]]
}

@test "an exempt pod without its guard is cut off, exit code 1" {
    conflist regular '.exempt = [{namespace: "kube-system"}]'
    pod_add a kube-system/a
    assert_imds_answers a
    remove_guard_on "$(pod_host_links a)"
    assert_nothing_arrives a
    run -1 status
    [[ ${lines[1]} =~ ^kube-system/a\ +eni[0-9a-f]+\ +WRONG ]]
    on_node "$IMDS_GUARD" sync
    status
    assert_imds_answers a
}

@test "a guard that lets pass what should be denied is none" {
    conflist regular '.mode = "audit"'
    pod_add a
    status
    conflist regular
    run -1 status
    [[ $output == *"packets pass that should be denied"* ]]
    [[ $output == *"note: the verdict for interfaces without a guard is pass, not drop as configured"* ]]
}

@test "a pod that has no interface any more is no alarm" {
    conflist regular
    pod_add a
    pod_add b
    ip -n node link delete "$(pod_host_links a)"
    run -0 status
    [[ $output =~ default/a\ +eni[0-9a-f]+\ +no\ interface ]]
    [[ ${lines[-1]} == "1 guarded, 1 detached, 0 open; "* ]]
}

# The guards are there, and nothing leads to them.
break_skeleton() {
    if [ "$BACKEND" = nftables ]; then
        on_node nft -j list chains | jq -r '.nftables[].chain | select(. and .table == "imds_guard")
            | "flush chain inet imds_guard \(.name)"' | on_node nft -f -
    else
        on_node iptables-legacy -t mangle -F FORWARD
    fi
}

@test "a fault of the skeleton leaves everybody open, and sync repairs it" {
    conflist regular
    pod_add a
    status
    break_skeleton
    assert_imds_answers a
    run -1 status
    [[ $output == *OPEN* ]]
    [[ $output == *DAMAGED* ]]
    [ "$(grep -c "^note: $BACKEND: damaged" <<<"$output")" -eq 1 ]
    [ "$(grep -c "^note: the verdict for interfaces without a guard is pass" <<<"$output")" -eq 1 ]
    [ "$(grep -c ^note: <<<"$output")" -eq 2 ]
    on_node "$IMDS_GUARD" sync
    status
    assert_imds_silent a
}

@test "without a configuration it shows what the kernel holds, exit code 2" {
    conflist regular
    pod_add a
    rm /etc/cni/net.d/10-aws.conflist /var/lib/cni/results/*
    run -2 status
    [[ ${lines[1]} == default/a* ]]
    [[ $output == *"no conflist in /etc/cni/net.d yet"* ]]
}

@test "what is left of a pod that is gone is no alarm" {
    conflist regular
    pod_add a
    pod_gone a
    wait_until 5 gone
    run -0 status
    [[ $output == *leftover* ]]
}

gone() {
    ! ip -n node link show "$(pod_host_links a)" 2>/dev/null
}

@test "a name cannot move the cursor" {
    conflist regular
    pod_add a
    sed -i 's/"K8S_POD_NAME","a"/"K8S_POD_NAME","\\u001b[2Ja"/' /var/lib/cni/results/*
    run status
    [[ $output == *"default/?[2Ja"* ]]
    [[ $output != *$'\033'* ]]
}

@test "--json is one object that says the same" {
    conflist ipv6-with-ipv4-egress
    pod_add a
    assert_imds_silent a
    status --json >/run/status.json
    jq -e --arg backend "$BACKEND" '.network == "aws-cni" and .complete
        and .summary == {guarded: 1, detached: 0, leftover: 0, unguarded: 0, wrong: 0, open: 0}
        and .others.verdict == "drop" and .others.packets == 0
        and .others.backends[0].backend == $backend and .others.backends[0].inForce
        and .problems == [] and (.attachments | length) == 1' /run/status.json
    jq -e --arg container "$(pod_container a)" --arg backend "$BACKEND" '.attachments[0]
        | .namespace == "default" and .pod == "a" and .containerId == $container
        and .ifname == "eth0" and .state == "guarded" and (.guards | length) == 2
        and all(.guards[]; .verdict == "drop" and .backend == $backend
            and .families == ["ipv4", "ipv6"] and .packets > 0 and .bytes > .packets)' /run/status.json
}

@test "--prometheus has metrics with help, type and the pod's counters" {
    conflist regular
    pod_add a
    assert_imds_silent a
    run -0 status --prometheus
    promtool check metrics <<<"$output"
    [[ $output == *'imds_guard_attachments{state="unguarded"} 0'* ]]
    [[ $output == *'imds_guard_attachments{state="open"} 0'* ]]
    [[ $output == *"imds_guard_others_as_configured 1"* ]]
    [[ $output == *"imds_guard_others_packets_total{verdict=\"drop\",backend=\"$BACKEND\"} 0"* ]]
    [[ $output =~ imds_guard_packets_total\{namespace=\"default\",pod=\"a\",[^}]*\}\ [1-9] ]]
    [[ $output =~ imds_guard_attachment_guarded\{[^}]*\}\ 1 ]]
    # Every sample has its HELP and its TYPE before it.
    awk '/^# HELP/ { help[$3] = 1 } /^# TYPE/ { type[$3] = help[$3] }
        /^[^#]/ { sub(/[{ ].*/, ""); if (!type[$0]) exit 1 }' <<<"$output"
    # And no series is there twice.
    [ -z "$(sed -n 's/^\([^#].*\) [0-9]*$/\1/p' <<<"$output" | sort | uniq -d)" ]
}

# Families differ where somebody has taken a rule away, and put another pod's into its place.
@test "--prometheus has each series once, also where the families of iptables differ" {
    BACKEND=iptables conflist regular
    pod_add a
    BACKEND=iptables remove_guard_on "$(pod_host_links a)" 6
    on_node ip6tables-legacy -t mangle -I IMDS-GUARD 1 -i "$(pod_host_links a)" -m comment \
        --comment "aws-cni/0123/eth0 1 default/b" -j DROP
    run -0 status --prometheus
    [ "$(grep -c '^imds_guard_packets_total' <<<"$output")" -eq 1 ]
    [ -z "$(sed -n 's/^\([^#].*\) [0-9]*$/\1/p' <<<"$output" | sort | uniq -d)" ]
}

# As when somebody copies the cache, or a runtime has lost count.
@test "--prometheus has each series once, also where the cache has two files of one attachment" {
    conflist regular
    pod_add a
    cp "/var/lib/cni/results/aws-cni-$(pod_container a)-eth0" /var/lib/cni/results/aws-cni-copy-eth0
    run -0 status --prometheus
    [ "$(grep -c '^imds_guard_attachment_guarded' <<<"$output")" -eq 1 ]
    [ -z "$(sed -n 's/^\([^#].*\) [0-9]*$/\1/p' <<<"$output" | sort | uniq -d)" ]
    promtool check metrics <<<"$output"
}

@test "POD: only these, and the exit code is theirs" {
    conflist_plain regular
    pod_add a
    conflist regular '.others = "pass"'
    pod_add b
    pod_add c shop/web-0
    run -1 status
    run -0 status shop/web-0
    [[ ${lines[1]} =~ ^shop/web-0\ .*drop ]]
    [[ ${lines[-1]} == "1 guarded, 0 open; "* ]]
    run -0 status 'shop/*' b
    [[ ${lines[-1]} == "2 guarded, 0 open; "* ]]
    run -1 status 'default/*'
    run -2 status nobody
    [[ $output == *"no such pod runs here"* ]]
}

@test "--denied: who was, most packets first" {
    conflist regular '.exempt = [{namespace: "kube-system"}]'
    pod_add a
    pod_add b
    pod_add quiet
    pod_add d kube-system/d
    assert_imds_silent a
    assert_imds_silent b
    assert_imds_silent b
    assert_imds_answers d
    run -0 status --denied
    [[ ${lines[1]} =~ ^default/b\  ]]
    [[ ${lines[2]} =~ ^default/a\  ]]
    [[ ${lines[3]} =~ ^\(others\)\  ]]
    [ "${#lines[@]}" -eq 5 ]
    [ "$(status --denied --json | jq -r '[.attachments[].pod] | join(" ")')" = "b a" ]
}

@test "--watch renews itself on a terminal, and wants one" {
    conflist regular
    pod_add a
    run -2 status --watch
    [[ $output == *"needs a terminal"* ]]
    timeout 1200 script --quiet --return --command "nsenter --net=/run/netns/node '$IMDS_GUARD' status --watch" \
        /dev/null >/run/screen 2>&1 3>&- &
    background+=($!)
    wait_until 5 grep -q 'default/a .* drop  *0 ' /run/screen
    assert_imds_silent a
    wait_until 8 grep -q 'default/a .* drop  *[1-9]' /run/screen
    # From the top left corner, over what was there.
    grep -q $'\033\[HNAMESPACE/POD' /run/screen
}

@test "--quiet: is the node in force, whatever becomes of pods" {
    conflist regular '.exempt = [{namespace: "kube-system"}]'
    run -1 status --quiet
    [[ $output == *"the verdict for interfaces without a guard is pass, not drop"* ]]
    pod_add a kube-system/a
    run -0 status --quiet
    [ -z "$output" ]
    # Half way through a deletion: its guard has gone, all else is there.
    plugin DEL a
    run -1 status
    run -0 status --quiet
    on_node "$IMDS_GUARD" sync
    conflist_plain regular
    run status --quiet
    [ "$status" -ne 0 ]
    conflist regular
    flush_rules
    run -1 status --quiet
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "--quiet: a thousand pods are no reason to be late" {
    declare -A node_numbers
    # shellcheck source=bench/nodes.bash
    . "$BATS_TEST_DIRNAME/bench/nodes.bash"
    prefer_release
    ip netns delete node
    nodes_start
    node_make node 1 1000
    conflist regular
    pods_cache node 1 1000 /var/lib/cni/results
    run -0 on_node "$IMDS_GUARD" sync
    [[ $output == *"1000 guarded"* ]]
    # Of a processor's time, of which a busy machine has as much; of the clock's it would have less.
    TIMEFORMAT='%U %S'
    { time on_node "$IMDS_GUARD" status --quiet; } 2>/run/took
    # The probe gives it ten seconds, every ten seconds, on a node that has other things to do.
    awk '{ print "# " $1 + $2 " s"; exit $1 + $2 > 1 }' /run/took >&3
}

@test "who was started before imds-guard was in the chain is named, until it is made again" {
    conflist_plain regular
    pod_add a
    pod_add b
    conflist regular
    pod_add c
    on_node "$IMDS_GUARD" sync
    assert_guards a drop
    run -0 status
    [ "${lines[-2]}" = "started without imds-guard in their chain: default/a, default/b" ]
    run -0 status default/b
    [ "${lines[-2]}" = "started without imds-guard in their chain: default/b" ]
    pod_del b
    pod_add b
    [ "$(status --json | jq -c '[.attachments[] | select(.unchained).pod]')" = '["a"]' ]
    pod_del a
    pod_add a
    run -0 status
    run ! grep 'started without' <<<"$output"
}

@test "flush asks for --yes without a terminal, and then removes everything" {
    conflist regular
    pod_add a
    run -2 on_node "$IMDS_GUARD" flush </dev/null
    assert_guards a drop
    run -0 on_node "$IMDS_GUARD" flush --yes
    assert_no_guards
    run ! grep imds_guard <(on_node nft list tables)
    assert_imds_answers a
    run -1 status
    on_node "$IMDS_GUARD" sync
    assert_imds_silent a
}
