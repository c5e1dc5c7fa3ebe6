#!/usr/bin/env bash
# Shows what imds-guard does, on this machine, in network namespaces of its own: a node with an IMDS
# behind it and two pods, first as AWS's CNI leaves them, then with imds-guard in the chain. Installs
# the Debian or Ubuntu packages it needs, builds the plugin, and removes whatever it has set up when it
# ends, however it ends. The machine's own rules, conflists and /opt/cni are not touched.
#
#   ./examples/quickstart.sh          as root; takes no arguments
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test-netns/lib/packages.bash
source "$root/test-netns/lib/packages.bash"
# shellcheck source=test-netns/lib/cnitool.bash
source "$root/test-netns/lib/cnitool.bash"
# shellcheck source=test-netns/lib/world.bash
source "$root/test-netns/lib/world.bash"

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' red='' green='' dim='' plain=''
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
bad() { printf '  %s✗ %s%s\n' "$red" "$*" "$plain"; }
good() { printf '  %s✓ %s%s\n' "$green" "$*" "$plain"; }
failed=0
wrong() { printf '  %s%s✗ NOT AS PROMISED: %s%s\n' "$bold" "$red" "$*" "$plain"; failed=1; }
run() { printf '  %s$ %s%s\n' "$dim" "$*" "$plain"; }

prepare() {
    title "Getting ready"
    packages_install "${packages_build[@]}" "${packages_demo[@]}"
    say "building imds-guard (build/release/imds-guard)"
    local log=$root/build/quickstart.log
    mkdir -p "$root/build"
    { cd "$root" && cmake --preset release && cmake --build --preset release; } >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        echo "the build failed; all of it is in $log" >&2
        exit 1
    }
    say "building cnitool, the CNI project's runtime for testing, from Debian's source"
    CNITOOL=$(cnitool_path "$root/build" 2>>"$log") || {
        tail -n 30 "$log" >&2
        exit 1
    }
    export CNITOOL
}

# --- what an attacker in a pod does, and what everybody else does -----------------------------------

credentials_url() { # ADDRESS
    url "$1" latest/meta-data/iam/security-credentials/node-role
}

# The command as one would type it there; curl takes the scheme for granted, and 80 columns are few.
run_in_pod() { # POD ADDRESS
    local shown
    shown=$(credentials_url "$2")
    say "in pod $1:"
    run "curl ${shown#http://}"
}

# Asks IMDS for the node's credentials, as any process in a pod can.
steal() { # POD ADDRESS SECONDS
    in_pod "$1" curl --silent --fail --max-time "$3" "$(credentials_url "$2")"
}

show_theft() { # POD ADDRESS
    local answer
    run_in_pod "$1" "$2"
    if answer=$(steal "$1" "$2" 5); then
        bad "answered: $(jq -r '"AccessKeyId \(.AccessKeyId), SecretAccessKey \(.SecretAccessKey[:8])…"' \
            <<<"$answer")"
        bad "whoever runs code in this pod is the node now"
    else
        wrong "IMDS does not answer even without a guard: the demonstration is broken"
    fi
}

show_refusal() { # POD ADDRESS
    run_in_pod "$1" "$2"
    if steal "$1" "$2" 1 >/dev/null; then
        wrong "IMDS answered pod $1"
    else
        good "no answer: dropped on the node"
    fi
}

show_reaches() { # WHAT POD ADDRESS [UDP-PORT]
    local how=(reaches "$2" "$3")
    [[ -z ${4:-} ]] || how=(reaches_udp "$2" "$3" "$4")
    if "${how[@]}"; then
        good "$1 ($3)"
    else
        wrong "$1 ($3) does not answer"
    fi
}

pod_address() { # POD
    jq -r '.ips[0].address | sub("/.*"; "")' "$(result_file "$1")"
}

# --- the story --------------------------------------------------------------------------------------

act_one() {
    title "1. A node as it comes: the AWS VPC CNI alone"
    say "An IPv4 cluster with IPv6 egress. cnitool starts pod shop/web-0."
    conflist_plain ipv4-with-ipv6-egress
    pod_new web-0
    pod_add web-0 shop/web-0
    show_theft web-0 "$imds4"
    show_theft web-0 "$imds6"
}

act_two() {
    title "2. imds-guard comes to the node"
    run "imds-guard install"
    on_node "$IMDS_GUARD" install | sed 's/^/  /'
    say "The entry comes after the VPC CNI's own: every pod that starts now is guarded."
    say "Pods that run already get theirs by sync; watch does both, and keeps it so:"
    run "imds-guard sync"
    on_node "$IMDS_GUARD" sync | sed 's/^/  /'
}

act_three() {
    title "3. The same attack"
    show_refusal web-0 "$imds4"
    show_refusal web-0 "$imds6"
    say "A pod that starts now has its guard before its first process:"
    pod_new web-1
    pod_add web-1 shop/web-1
    show_refusal web-1 "$imds4"
    say "And with a rule of somebody's network policy in front that accepts everything:"
    run "iptables -I FORWARD 1 -j ACCEPT"
    on_node iptables -I FORWARD 1 -j ACCEPT
    show_refusal web-1 "$imds4"
}

act_four() {
    title "4. Everything else still works"
    show_reaches "Amazon DNS" web-1 169.254.169.253 53
    show_reaches "time sync" web-1 169.254.169.123 123
    show_reaches "EKS Pod Identity" web-1 169.254.170.23
    show_reaches "the internet over IPv4" web-1 203.0.113.10
    show_reaches "the internet over IPv6" web-1 2001:db8:1::10
    if in_pod web-1 ping -c 1 -W 1 "$(pod_address web-0)" >/dev/null; then
        good "the other pod ($(pod_address web-0))"
    else
        wrong "the other pod does not answer"
    fi
}

act_five() {
    title "5. Who tried"
    run "imds-guard status"
    on_node "$IMDS_GUARD" status | sed 's/^/  /' || true
}

# How long a program waits that asks IMDS, and does not know that it may not.
show_wait() { # DENY
    local took code=0
    printf '{"deny": "%s"}\n' "$1" >"$world_state/keys.json"
    on_node "$IMDS_GUARD" install --config "$world_state/keys.json" >/dev/null
    on_node "$IMDS_GUARD" sync >/dev/null
    took=$(in_pod web-0 curl --silent --output /dev/null --max-time 5 --write-out '%{time_total}' \
        "$(credentials_url "$imds4")") || code=$?
    case $1-$code in
    drop-28) good "\"deny\": \"drop\", the default: no answer in $took s, when curl was told to give up" ;;
    reject-7) good "\"deny\": \"reject\": connection refused, after $took s" ;;
    *) wrong "with \"deny\": \"$1\" curl ends with $code after $took s" ;;
    esac
}

act_six() {
    title "6. For programs that wait"
    say "Every AWS SDK asks IMDS when it finds no credentials elsewhere, and again."
    say "In pod web-0, \"curl --max-time 5 $imds4\":"
    show_wait drop
    show_wait reject
}

epilogue() {
    pod_del web-0 shop/web-0
    pod_del web-1 shop/web-1
    title "The pods are deleted, and all of this world with them."
    say "On your machine only build/ is left, and the packages that were missing."
    [[ $failed == 0 ]] || { echo "Something was not as promised, see above." >&2; exit 1; }
    say "Next: README.md, \"Install\"."
}

[[ $# == 0 ]] || { sed -n 's/^# \{0,1\}//; 2,/^$/p' "$0" >&2; exit 2; }
# A program that is interrupted may end as if it had failed, and the story would go on.
trap 'printf "\ninterrupted: nothing of this world is left\n" >&2; exit 130' INT
world_is_entered || prepare
export IMDS_GUARD=${IMDS_GUARD:-$root/build/release/imds-guard}
world_enter "$0" "$@"
world_start
node_new
act_one
act_two
act_three
act_four
act_five
act_six
epilogue
