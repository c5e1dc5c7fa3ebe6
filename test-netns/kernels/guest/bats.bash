#!/bin/bash
# Whole bats files, as `files=NAME,NAME` on the kernel's command line names them: one line for each test.
# Hours, where the processor is emulated.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"
type -P bats >/dev/null || { echo "none bats lacks bats" >&9; ended; exit; }

# bats, as the packet tests' own runs have it; a world for each file.
bats_file() { # NAME
    local line
    IMDS_GUARD_WORLD='' bash "$BATS_TEST_DIRNAME/world" bats --tap --print-output-on-failure \
        "$BATS_TEST_DIRNAME/$1.bats" >/run/tap || true
    while read -r line; do
        case $line in
        'ok '*' # skip'*) echo "$BACKEND $1-${line#ok } lacks ${line##* # skip}" ;;
        'ok '*) echo "$BACKEND $1-${line#ok } ok" ;;
        'not ok '*) echo "$BACKEND $1-${line#not ok } FAILED" ;;
        '# '*) echo "| $line" ;;
        esac
    done </run/tap >&9
    grep -q '^1\.\.' /run/tap || echo "$BACKEND $1 FAILED (bats did not start)" >&9
}

export BACKEND
load_legacy
for file in ${FILES//,/ }; do
    case $file in
    *_nftables | *_iptables) BACKEND=${file##*_} bats_file "$file" ;;
    *) each_backend bats_file "$file" ;;
    esac
done
ended
