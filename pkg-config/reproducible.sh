#!/usr/bin/env bash
# Builds the last commit twice, from two clones at different paths and times, and compares every byte
# of what a release is. Says which files differ, and fails, if any do.
#
#   pkg-config/reproducible.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(dirname "$here")
export IMDS_GUARD_ROOT=${IMDS_GUARD_ROOT:-$source_dir/build/debian13}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for place in first/imds-guard a/second/longer/path/source; do
    git clone -q "$source_dir" "$work/$place"
    IMDS_GUARD_PLACE=/build/$place "$work/$place/pkg-config/release.sh" "$work/out-${place%%/*}"
    sleep 2 # so that a time that slipped in shows
done
if diff -r "$work/out-first" "$work/out-a"; then
    echo "reproducible: the same bytes, $(wc -l <"$work/out-a/SHA256SUMS") files"
else
    echo "reproducible: the files above differ" >&2
    exit 1
fi
