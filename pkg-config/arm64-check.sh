#!/usr/bin/env bash
# Runs the arm64 binary on whatever machine this is, under qemu-user, through everything that needs no
# kernel of its own: the protocol and its errors, install, uninstall, status on an empty node. What
# ADD asks the kernel, qemu-user cannot pass on: what kind of namespace a file is (NS_GET_NSTYPE), and
# anything of nf_tables and ip_tables. There, ADD has to refuse. Plans and rtnetlink are what the unit
# tests look at, which release-check.sh runs under qemu-user, too.
#
#   pkg-config/arm64-check.sh BINARY SOURCE
#
# SOURCE is this tree. Runs as root, in network and mount namespaces of its own.
set -euo pipefail

if [[ ${ARM64_CHECK_NAMESPACE:-} != "$(readlink /proc/self/ns/net)" ]]; then
    exec unshare --net --mount --propagation unchanged bash -c 'ARM64_CHECK_NAMESPACE=$(readlink /proc/self/ns/net) exec "$@"' \
        enter "$0" "$@"
fi

binary=$(realpath "$1") source=$(realpath "$2")
conflists=$source/plugin/tests/data/conflists
work=$(mktemp -d)
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
passed=0

# Runs a command under qemu; leaves its output, both streams, in $said. Fails unless it ends with CODE
# and says every TEXT that comes before "--".
expect() { # CODE TEXT... -- ARGUMENT...
    local code=$1 status=0 texts=()
    shift
    while [[ $1 != -- ]]; do
        texts+=("$1")
        shift
    done
    shift
    said=$(timeout 60 qemu-aarch64 "$binary" "$@" 2>&1) || status=$?
    for text in "${texts[@]}"; do
        [[ $said == *"$text"* ]] || fail "\"$text\" is not in what it says"
    done
    [[ $status == "$code" ]] || fail "it ends with $status, not $code"
    passed=$((passed + 1))
}

fail() {
    printf 'arm64-check: line %s: %s:\n%s\n' "${BASH_LINENO[1]}" "$1" "$said" >&2
    exit 1
}

same() { # WHAT FILE FILE
    said=$(diff "$2" "$3") || fail "$1 is not as expected"
    passed=$((passed + 1))
}

# A call of the protocol; the configuration, without its head, is $config.
cni() { # COMMAND CODE TEXT...
    local command=$1 netns=${netns:-/run/netns/pod}
    shift
    CNI_COMMAND=$command CNI_CONTAINERID=4f3c CNI_NETNS=$netns CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin \
        expect "$@" -- <<<"{\"cniVersion\": \"1.1.0\", \"name\": \"aws-cni\", \"type\": \"imds-guard\"${config:+, $config}}"
}

file "$binary" | grep -q 'ARM aarch64.*static-pie linked' || { said=$(file "$binary"); fail "it is not what it should be"; }

# --- the protocol ---------------------------------------------------------------------------------

expect 0 "imds-guard " "CNI 0.3.0" -- version
CNI_COMMAND=VERSION expect 0 '"supportedVersions":["0.3.0"' -- <<<'{"cniVersion": "1.0.0"}'
CNI_COMMAND=ADD expect 1 '"code":4' CNI_CONTAINERID CNI_NETNS CNI_IFNAME -- <<<'{}'
CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run CNI_IFNAME=eth0 CNI_PATH=/ expect 1 '"code":6' -- <<<'{'
cni ADD 1 '"code":7' prevResult
config='"mode": "off"' cni ADD 1 '"code":7' mode off
config='"exempt": [{"pod": "a"}]' cni ADD 1 '"code":7' 'exempt[0]' namespace

# --- the kernel's side ----------------------------------------------------------------------------

ip netns add pod
result='{"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/pod"}], "ips": []}'
config="\"prevResult\": $result" netns=/run/netns/absent cni ADD 1 '"code":8' /run/netns/absent
config="\"prevResult\": $result" cni ADD 1 '"code":8' /run/netns/pod
config='"backend": "nftables"' cni STATUS 1 '"code":50' nf_tables
cni DEL 0
config='"cni.dev/valid-attachments": []' cni GC 0

# --- the operator's side --------------------------------------------------------------------------

mkdir "$work/net.d" "$work/bin" "$work/results"
expect 2 "no conflist in $work/net.d" -- status --conf-dir "$work/net.d" --results-dir "$work/results"
cp "$conflists/aws.conflist" "$work/net.d/10-aws.conflist"
places=(--conf-dir "$work/net.d" --bin-dir "$work/bin")
expect 0 "$work/bin/imds-guard: written" "entry written" -- install "${places[@]}"
same "the conflist with us" "$conflists/aws.expected" "$work/net.d/10-aws.conflist"
same "the installed binary" "$binary" "$work/bin/imds-guard"
expect 0 "right already" -- install "${places[@]}"
expect 0 "0 guarded, 0 unguarded" -- status --conf-dir "$work/net.d" --results-dir "$work/results"
expect 0 "" -- uninstall --remove-binary "${places[@]}"
same "the conflist without us" "$conflists/aws.conflist" "$work/net.d/10-aws.conflist"
said=$(ls -A "$work/bin")
[[ -z $said ]] || fail "uninstall leaves something"

rm -rf "$work"
echo "arm64-check: $passed calls and files as expected"
