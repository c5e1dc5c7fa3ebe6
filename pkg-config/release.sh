#!/usr/bin/env bash
# Makes everything that a release is, into one folder, from the last commit:
#
#   pkg-config/release.sh [OUT]          default: dist/
#
#   imds-guard-<version>-linux-{amd64,arm64}        static binaries, stripped
#   imds-guard_<version>_{amd64,arm64}.deb, imds-guard-<version>-1.{x86_64,aarch64}.rpm
#   imds-guard-<version>-linux-<arch>.spdx.json     what is linked in, with licences
#   SHA256SUMS
#
# Runs as root on any Debian or Ubuntu machine with debootstrap; builds in a Debian 13 root of its own
# (IMDS_GUARD_ROOT, default build/debian13), which is kept for the next time. Times are those of the
# commit, paths are mapped away: the same commit gives the same bytes (reproducible.sh).
#
# What dominates the size of a binary (amd64, about 1 MiB): glibc is more than two thirds of it. Its
# character tables, printf and scanf with their wide and 128-bit floating point halves (cJSON prints
# and reads numbers), malloc, the dynamic loader that even a static program has, and string functions
# once for every generation of processors. All of ours is about a seventh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(dirname "$here")
# shellcheck source=pkg-config/root.bash
source "$here/root.bash"

root=${IMDS_GUARD_ROOT:-$source_dir/build/debian13}
out=${1:-$source_dir/dist}
deps=/opt/imds-guard-static
# Where the source stands in the root; reproducible.sh sets another to show that it does not matter.
place=${IMDS_GUARD_PLACE:-/build/imds-guard}
SOURCE_DATE_EPOCH=$(git -C "$source_dir" log -1 --format=%ct)
export SOURCE_DATE_EPOCH

say() { printf 'release: %s\n' "$*" >&2; }

# Once, and again when what makes the archives has changed.
build_tools() {
    local made
    made=$(sha256sum <"$here/static-deps.sh")
    [[ -e $root/.tools && $(<"$root/.tools") == "$made" ]] && return
    say "installing build tools and the archives to link with"
    root_run "$root" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq \
        -y --no-install-recommends rpm jq qemu-user file iproute2 lintian ca-certificates >/dev/null' \
        >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; return 1; }
    install -m 0755 "$here/static-deps.sh" "$root/usr/local/bin/static-deps.sh"
    root_run "$root" static-deps.sh --arch amd64 "$deps"
    root_run "$root" static-deps.sh --arch arm64 "$deps"
    printf '%s\n' "$made" >"$root/.tools"
}

unpack_commit() {
    rm -rf "${root:?}$place"
    mkdir -p "$root$place"
    git -C "$source_dir" archive HEAD | tar -x -C "$root$place"
}

# Builds and packs one architecture; leaves the files in $place/dist of the root.
build() {
    local arch=$1
    say "building $arch"
    # shellcheck disable=SC2016 # expanded by the inner shell
    root_run "$root" env "IMDS_GUARD_STATIC_DEPS=$deps" bash -euc '
        cd "$1"; arch=$2; deps=$3
        cmake --preset static -B "build/$arch" -DIMDS_GUARD_ARCH="$arch" >build-$arch.log
        cmake --build "build/$arch" >>build-$arch.log
        version=$(sed -n "s/^CMAKE_PROJECT_VERSION:[^=]*=//p" "build/$arch/CMakeCache.txt")
        DESTDIR=$PWD/build/$arch/stage cmake --install "build/$arch" --strip >>build-$arch.log
        mkdir -p dist
        name=dist/imds-guard-$version-linux-$arch
        cp "build/$arch/stage/opt/cni/bin/imds-guard" "$name"
        pkg-config/sbom.sh "$name" "$deps/$arch/SOURCES" "$version" >"$name.spdx.json"
        (cd "build/$arch" && cpack -B packages >>../../build-$arch.log)
        cp build/"$arch"/packages/*.deb build/"$arch"/packages/*.rpm dist/
    ' build "$place" "$arch" "$deps" || { tail -n 30 "$root$place/build-$arch.log" >&2; return 1; }
}

build_tools_root() {
    say "making a Debian 13 root in $root"
    mkdir -p "$(dirname "$root")"
    root_make "$root"
    build_tools
}

build_tools_root
unpack_commit
build amd64
build arm64
rm -rf "$out"
mkdir -p "$out"
cp "$root$place"/dist/* "$out/"
(cd "$out" && sha256sum -- * >SHA256SUMS)
say "done:"
ls -l "$out" >&2
