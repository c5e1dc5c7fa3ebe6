#!/usr/bin/env bash
# Everything, from a bare clone: installs the packages that are missing, builds, runs all tests. As
# root, because the tests make network namespaces; they touch nothing of the machine's own network.
#
#   test-netns/run.sh                    everything but what takes long
#   test-netns/run.sh -L iptables        the packet tests of one backend (ctest's own options)
#   test-netns/run.sh -R netns.shapes    one file
#   test-netns/run.sh -L long            what takes long
#   test-netns/run.sh -L kernels         every kernel and processor of kernels/, in virtual machines
#   test-netns/run.sh -L release         makes a release, checks it, and runs the packet tests with it, on
#                                        every kernel too
#
# IMDS_GUARD=FILE has the packet tests run with another binary than the one that is built here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/packages.bash
. "$root/test-netns/lib/packages.bash"
# shellcheck source=lib/cnitool.bash
. "$root/test-netns/lib/cnitool.bash"
# shellcheck source=lib/unpacked.bash
. "$root/test-netns/lib/unpacked.bash"
# shellcheck source=lib/former.bash
. "$root/test-netns/lib/former.bash"

# Labels of tests that are run only when asked for.
on_demand='^(long|release|bench|kernels)$'

if [ "$(id -u)" -ne 0 ]; then
    echo "run.sh: only root can make network namespaces; try: sudo $0 $*" >&2
    echo "run.sh: the unit tests need no root: cmake --preset dev && cmake --build --preset dev &&" \
        "ctest --preset dev -L unit" >&2
    exit 1
fi

build() { # PRESET
    cmake -S "$root" --preset "$1" >/dev/null
    cmake --build "$root/build/$1" --parallel "$(nproc)"
}

[ -z "${IMDS_GUARD:-}" ] || IMDS_GUARD=$(realpath "$IMDS_GUARD")
packages_install "${packages_build[@]}" "${packages_test[@]}" "${packages_kernels[@]}"
cd "$root"
# Beside the compiler, and no longer than this script.
set -m
unpacked_fetch "$root/build" &
fetching=$!
set +m
trap 'kill -- -"$fetching" 2>/dev/null' EXIT
build release
build dev
cnitool_path "$root/build" >/dev/null
wait "$fetching"
trap - EXIT
former_path "$root/build" >/dev/null || true # the tests that want it say so

selection=(--label-exclude "$on_demand")
for argument; do
    case $argument in
    -LE | --label-exclude | *long* | *release* | *bench* | *kernels*) selection=() ;;
    esac
done
# The report of an hour, as it comes.
[[ " $* " != *' -L kernels '* ]] || selection+=(--verbose)
# Packet tests wait for most of their time, so three share a processor. A test that keeps one busy says
# that it counts for three (PROCESSORS).
exec ctest --test-dir "$root/build/dev" --output-on-failure --parallel "$(($(nproc) * 3 + 1))" \
    "${selection[@]}" "$@"
