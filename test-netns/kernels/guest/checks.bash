# What every run in a machine starts with: the helpers and assertions of the packet tests, and a report
# in place of bats. Sourced, first of all, by a script that guest/start runs.
#
#   holds NAME COMMAND...     a check, in a shell of its own with `set -e`; reports
#                               BACKEND NAME ok
#                               BACKEND NAME lacks WHAT      `lacks` was called in it
#                               BACKEND NAME FAILED          and what it wrote, each line after "| "
#   lacks WHAT                this kernel or userland has no WHAT; ends the check
#   needs_module MODULE...    loads it, or lacks it
#   ended                     the last step: nothing of the run is missing in the report
#   kernel_is_before 5.7
#   count_with_iptables       after world_start, where nf_tables cannot count what arrives
#   each_backend COMMAND...   with BACKEND set to each that this kernel has
#
# The report goes to descriptor 9.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BATS_TEST_DIRNAME=$(cd "$here/../.." && pwd)
bats_require_minimum_version() { :; }
# shellcheck source=../../lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
set -uo pipefail

world_enter bash "$0" "$@"

# Of an emulated processor with others beside it.
packets_patience=300

# What a node's own CNI plugin makes here is no stand-in: 802.1Q on a trunk (fixtures/aws-cni).
export TRUNK=8021q

holds() { # NAME COMMAND...
    local name=$1 output=/run/output result
    shift
    (
        set -eE
        trap 'echo "failed in ${FUNCNAME:-}: $BASH_COMMAND" >&2' ERR
        "$@"
    ) >"$output" 2>&1
    result=$?
    case $result in
    0) echo "$BACKEND $name ok" >&9 ;;
    77) echo "$BACKEND $name lacks $(tail -n 1 "$output")" >&9 ;;
    *) { echo "$BACKEND $name FAILED" && evidence "$output" | sed 's/^/| /'; } >&9 ;;
    esac
    return $result
}

evidence() { # OUTPUT
    local netns
    cat "$1"
    echo "--- guards:"
    guards 2>&1
    echo "--- rules of others:"
    others_rules 2>&1
    echo "--- addresses and neighbours:"
    for netns in a node aws; do
        ip -n "$netns" -brief address
        ip -n "$netns" neighbour
    done 2>&1
    echo "--- modules:"
    cut -d ' ' -f 1 /proc/modules | sort | xargs
}

lacks() { # WHAT
    echo "$1"
    exit 77
}

ended() {
    echo ended >&9
}

unavailable() { # REASON
    lacks "$1"
}

needs_module() { # MODULE...
    local module
    for module; do
        modprobe "$module" 2>/dev/null || lacks "$module"
    done
}

kernel_is_before() { # VERSION
    [ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" != "$1" ]
}

# nft(8) before 1.0.0 prints counters of maps and cannot read them.
nft_reads_what_it_lists() {
    [[ $(nft --version) != 'nftables v0.'* ]]
}

each_backend() { # COMMAND...
    # Before 5.7 nf_tables keeps no counter with an element.
    for BACKEND in nftables iptables; do
        [ $BACKEND = iptables ] || ! kernel_is_before 5.7 || continue
        "$@"
    done
}

# Neither the iptables tool nor whoever boots a node's kube-proxy is here to load them.
load_legacy() {
    modprobe -a ip_tables ip6_tables 2>/dev/null || true
}

count_with_iptables() {
    load_legacy
    in_aws iptables-legacy -t raw -A PREROUTING -d "$imds4" || true
    in_aws ip6tables-legacy -t raw -A PREROUTING -d "$imds6" || true
    # shellcheck disable=SC2317 # in place of packets.bash's
    arrived() {
        { in_aws iptables-legacy-save -c -t raw && in_aws ip6tables-legacy-save -c -t raw; } 2>/dev/null |
            sed -n 's/^\[\([0-9]*\):.*-A PREROUTING.*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'
    }
}
