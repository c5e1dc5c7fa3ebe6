# A storm: workers create and delete pods in random order, beside others who write rules, sync and
# GC. Sourced by storm.bats and storm_long.bats.
#
#   storm PODS SEED      until the last pod has had its turn; the same seed is the same storm, but for
#                        what the scheduler makes of it
#   assert_storm_guards  every pod that stays has its guard, and no other interface has one
#   assert_storm_right   when another sync has run: the kernel holds what the model says, no packet has
#                        arrived, nobody has complained, and no rule of others is lost
#
# Each worker has two names of pods, as a StatefulSet has, and so two names of interfaces, for all of
# its pods. A pod is wired, added, left alone for a moment, and deleted: at once, after its interface,
# or late, when its successor of the same name is there. From when ADD has returned until DEL is
# called it sends to IMDS without end, from addresses that no other pod ever has.

storm_workers=32
storm_mac=02:00:00:00:00:01

storm() { # PODS SEED
    local worker workers=()
    rm -rf /run/storm
    mkdir -p /run/storm/said /var/lib/cni/results
    storm_listen
    storm_beside
    for ((worker = 0; worker < storm_workers; worker++)); do
        storm_worker $((($1 + worker) / storm_workers)) "$2" >/dev/null 2>&1 3>&- 4>&- &
        workers+=($!)
    done
    for worker in "${workers[@]}"; do
        wait "$worker" || complain "a worker has died"
    done
    touch /run/storm/stop
    wait "${beside[@]}"
}

# What cannot be, wherever it is noticed.
complain() { # TEXT
    echo "$*" >>/run/storm/complaints
}

# --- who reaches IMDS -----------------------------------------------------------------------------

storm_listen() {
    in_aws nft -f - <<'END'
table inet storm
delete table inet storm
table inet storm {
    set from4 { type ipv4_addr; size 65535; flags dynamic; }
    set from6 { type ipv6_addr; size 65535; flags dynamic; }
    chain arriving {
        type filter hook prerouting priority raw; policy accept;
        ip daddr 169.254.169.254 update @from4 { ip saddr }
        ip6 daddr fd00:ec2::254 update @from6 { ip6 saddr }
    }
}
END
}

arrived_from() {
    in_aws nft -j list table inet storm | jq -r '.nftables[].set.elem? // [] | .[]
        | if type == "object" then .elem.val else . end' | sort
}

# A packet of each family every tenth of a second. What comes back, if anything, ends the wait. (Not by
# in_pod: to kill a function in the background does not kill what it runs.)
storm_probe() { # POD
    nsenter --net="/run/netns/$1" -- bash -c '
        until exec 3<>"/dev/udp/$0/80" && exec 4<>"/dev/udp/$1/80"; do sleep 0.02; done
        while :; do
            printf x >&3
            printf x >&4
            read -r -t 0.1 -u 3 _
        done' "$imds4" "$imds6" >/dev/null 2>&1 </dev/null &
    probe=$!
}

# Waits until what it has sent has gone its way, too.
storm_probe_stop() {
    kill -KILL "$probe"
    wait "$probe"
    sleep 0.05
}

# --- a pod ----------------------------------------------------------------------------------------

# Uses, and so do the others: $pod, its namespace; $link, its end on the node; $number, unlike any
# other pod's.
storm_wire() {
    local four=10.$((100 + number / 65536)).$((number / 256 % 256)).$((number % 256))
    local six=2001:db8:5::$((number / 10000)):$((number % 10000))
    ip netns add "$pod" && ip -n node -batch - <<END && ip -n "$pod" -batch - <<END
link add $link address $storm_mac type veth peer name eth0 netns $pod
link set $link up
route add $four dev $link
END
link set eth0 up
address add $four/32 dev eth0
address add $six/128 dev eth0 nodad
neigh add 169.254.1.1 lladdr $storm_mac dev eth0 nud permanent
neigh add fe80::1 lladdr $storm_mac dev eth0 nud permanent
route add 169.254.1.1 dev eth0
route add default via 169.254.1.1
route add default via fe80::1 dev eth0
END
}

storm_result() {
    printf '{"cniVersion":"%s","interfaces":[{"name":"%s"},{"name":"eth0","sandbox":"%s"}]}' \
        1.1.0 "$link" "/run/netns/$pod"
}

storm_request() { # [FIELDS]
    printf '{"cniVersion":"1.1.0","name":"aws-cni","type":"imds-guard","backend":"%s",%s
        "lockTimeoutSeconds":300}' "$BACKEND" "${1:-}"
}

storm_call() { # VERB REQUEST [COMMAND...]
    local verb=$1 request=$2
    shift 2
    CNI_COMMAND=$verb CNI_CONTAINERID=$pod CNI_NETNS=${netns-/run/netns/$pod} CNI_IFNAME=eth0 \
        CNI_PATH=/opt/cni/bin CNI_ARGS="K8S_POD_NAMESPACE=default;K8S_POD_NAME=$link" \
        on_node "$@" "$IMDS_GUARD" <<<"$request" >"/run/storm/said/$pod" 2>&1
}

storm_add() {
    local request
    request=$(storm_request "\"prevResult\":$(storm_result),")
    # Now and then the first try is killed under way, or there are two.
    [ $((RANDOM % 8)) -ne 0 ] || storm_call ADD "$request" timeout -s KILL "0.00$((RANDOM % 9 + 1))"
    [ $((RANDOM % 8)) -ne 0 ] || storm_call ADD "$request" || complain "$pod: ADD: $(storm_said)"
    storm_call ADD "$request" || complain "$pod: ADD: $(storm_said)"
    printf '{"kind":"cniCacheV1","containerId":"%s","config":"","ifName":"eth0","networkName":"aws-cni",
        "netns":"%s","cniArgs":[["K8S_POD_NAMESPACE","default"],["K8S_POD_NAME","%s"]],"result":%s}' \
        "$pod" "/run/netns/$pod" "$link" "$(storm_result)" >"$(storm_cached)"
}

storm_cached() {
    echo "/var/lib/cni/results/aws-cni-$pod-eth0"
}

storm_said() {
    cat "/run/storm/said/$pod"
}

# With prevResult or without, with the namespace or without.
storm_del() {
    local fields='' netns=/run/netns/$pod
    [ $((RANDOM % 2)) -eq 0 ] || fields="\"prevResult\":$(storm_result),"
    [ $((RANDOM % 2)) -eq 0 ] || netns=
    storm_call DEL "$(storm_request "$fields")" || complain "$pod: DEL: $(storm_said)"
    [ -z "$(storm_said)" ] || complain "$pod: DEL says: $(storm_said)"
    rm -f "$(storm_cached)"
}

# --- a worker -------------------------------------------------------------------------------------

storm_worker() { # PODS SEED
    local turn name late=('' '') pod link number probe
    set +e # what fails is said, not died of
    RANDOM=$(($2 * 100 + worker))
    for ((turn = 0; turn < $1; turn++)); do
        name=$((turn % 2))
        link=eni$worker-$name
        pod=w$worker-$name-$turn
        number=$((turn * storm_workers + worker + 1))
        storm_wire || complain "$pod: cannot be wired"
        storm_add
        storm_probe "$pod"
        storm_late_del
        sleep "0.$((RANDOM % 4))"
        # The last pod of each name may stay.
        if [ $((turn + 2)) -ge "$1" ] && [ $((RANDOM % 2)) -eq 0 ]; then
            echo "$link $pod" >>/run/storm/model
            echo "$probe" >>/run/storm/probes
            disown "$probe"
            continue
        fi
        storm_probe_stop
        storm_end
    done
    for name in 0 1; do
        link=eni$worker-$name
        storm_late_del
    done
}

# Of the pod that had this name before.
storm_late_del() {
    local pod=${late[name]}
    [ -n "$pod" ] || return 0
    storm_del
    ip netns delete "$pod" 2>/dev/null
    late[name]=
}

# The link goes before the namespace, so that the name is free when the successor comes.
storm_end() {
    case $((RANDOM % 3)) in
    0) storm_del ;;
    1)
        ip -n node link delete "$link"
        storm_del
        ;;
    2)
        ip -n node link delete "$link"
        [ $((RANDOM % 2)) -eq 0 ] || ip netns delete "$pod"
        late[name]=$pod
        return
        ;;
    esac
    ip -n node link delete "$link" 2>/dev/null
    ip netns delete "$pod"
}

# --- who else is at work --------------------------------------------------------------------------

storm_beside() {
    local who
    on_node nft 'add table inet mine; add chain inet mine c'
    beside=()
    for who in write_iptables write_nft sync gc; do
        : >"/run/storm/$who"
        while [ ! -e /run/storm/stop ]; do
            "storm_$who" && echo once >>"/run/storm/$who"
            sleep 0.1
        done >/dev/null 2>&1 3>&- 4>&- &
        beside+=($!)
    done
}

storm_write_iptables() {
    on_node iptables-legacy -w 600 -t mangle -A INPUT -s 10.9.8.7 -j ACCEPT
}

storm_write_nft() {
    on_node nft -f - <<<'add rule inet mine c ip saddr 10.9.8.7 accept'
}

# It may see a pod that is half gone, and say so; it must not be lost over it.
storm_sync() {
    local status=0
    on_node timeout 1200 "$IMDS_GUARD" sync >/run/storm/sync-said 2>&1 || status=$?
    [ "$status" -le 1 ] || complain "sync: $status: $(cat /run/storm/sync-said)"
    [ "$status" -eq 0 ]
}

# With what the runtime has in its cache, in which the pods whose ADD is under way are not.
storm_gc() {
    local valid pod=gc link=gc netns=
    valid=$(cd /var/lib/cni/results && for file in aws-cni-*; do
        file=${file#aws-cni-}
        printf '{"containerID":"%s","ifname":"eth0"},' "${file%-eth0}"
    done)
    storm_call GC "$(storm_request "\"cni.dev/valid-attachments\":[${valid%,}],")" ||
        complain "GC: $(storm_said)"
}

# --- what must be true ----------------------------------------------------------------------------

storm_expected() {
    while read -r link pod; do
        if [ "$BACKEND" = nftables ]; then
            echo "nftables 46 in $link drop aws-cni/$pod/eth0"
        else
            echo "iptables 4 in $link drop aws-cni/$pod/eth0"
            echo "iptables 6 in $link drop aws-cni/$pod/eth0"
        fi
    done </run/storm/model | sort
}

storm_held() {
    guards | cut -d ' ' -f 1-5,7 | sort
}

# Every pod that stays has its guard. A sync that has looked while a DEL was under way may have set that
# guard once more; its interface goes with the pod, so it keeps nobody out, and the next sync takes it
# away.
assert_storm_guards() {
    local line more
    more=$(diff <(storm_expected) <(storm_held) | grep '^[<>]') || return 0
    while read -r line; do
        case $line in
        '> '*) ! ip -n node link show "$(cut -d ' ' -f 5 <<<"$line")" ;;
        *) false ;;
        esac || fail "the kernel (>) is not as the model (<): $more" || return 1
    done <<<"$more"
    echo "# $(wc -l <<<"$more") left by a sync that was beside a DEL" >&3
}

assert_storm_right() {
    local held
    [ ! -e /run/storm/complaints ] || fail "$(sort /run/storm/complaints | head -n 40)" || return 1
    held=$(storm_held)
    [ "$held" = "$(storm_expected)" ] ||
        fail "the kernel (>) is not as the model (<): $(diff <(storm_expected) <(echo "$held"))" ||
        return 1
    [ -z "$(arrived_from)" ] || fail "reached IMDS: $(arrived_from)" || return 1
    assert_storm_lost_no_rule
}

# Every rule that was written is there.
assert_storm_lost_no_rule() {
    [ "$(on_node iptables-legacy -t mangle -S INPUT | grep -c 10.9.8.7)" = \
        "$(wc -l </run/storm/write_iptables)" ] || fail "lost a rule of iptables" || return 1
    [ "$(on_node nft list chain inet mine c | grep -c 10.9.8.7)" = \
        "$(wc -l </run/storm/write_nft)" ] || fail "lost a rule of nft"
}
