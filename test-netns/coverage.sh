#!/usr/bin/env bash
# Which lines and branches of the sources the tests reach, unit tests and packet tests together: room
# by room, and the lines that none reaches. As root, like run.sh, and somewhat slower: every process
# of every test adds what it has reached to the counts of all others.
#
#   test-netns/coverage.sh             everything, counted from nothing
#   test-netns/coverage.sh -L unit     some tests only (ctest's own options)
#
# Fails if a test fails or, where all have run, if a room has less of its lines than it should. What
# does not count: a process that is killed, and the few lines before abort(3).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/coverage
# shellcheck source=lib/packages.bash
. "$root/test-netns/lib/packages.bash"
# shellcheck source=lib/cnitool.bash
. "$root/test-netns/lib/cnitool.bash"
# shellcheck source=lib/unpacked.bash
. "$root/test-netns/lib/unpacked.bash"

if [ "$(id -u)" -ne 0 ]; then
    echo "coverage.sh: only root can make network namespaces; try: sudo $0 $*" >&2
    exit 1
fi

# Every line of what decides, nine in ten of the rest, where some take a kernel that misbehaves.
enough() { # < the table
    awk '$1 ~ /^(guard|cni|kernel|node|main\.c)$/ {
        rooms++
        least = $1 ~ /^(guard|cni)$/ ? 100 : 90
        if ($2 + 0 < least) { print "coverage.sh: " $1 " should have " least "% of its lines"; few = 1 }
    } END { exit few || rooms != 5 }'
}

packages_install "${packages_build[@]}" "${packages_test[@]}"
cd "$root"
cmake --preset coverage >/dev/null
cmake --build "$build" --parallel "$(nproc)"
cnitool_path "$root/build" >/dev/null
unpacked_fetch "$root/build"
find "$build" -name '*.gcda' -delete

selection=(--label-regex '^(unit|netns)$')
[ $# -eq 0 ] || selection=("$@")
failed=0
ctest --test-dir "$build" --output-on-failure --parallel "$(($(nproc) + 1))" "${selection[@]}" || failed=1
plugin/tests/coverage "$build" | tee "$build/coverage.txt"
[ $# -gt 0 ] || enough <"$build/coverage.txt" || failed=1
exit $failed
