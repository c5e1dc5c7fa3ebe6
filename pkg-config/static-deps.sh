#!/usr/bin/env bash
# Makes what a static imds-guard is linked with and the distribution ships no archive of: cJSON and
# libiptc, built from the distribution's own source packages and offered through pkg-config files.
#
#   pkg-config/static-deps.sh [--arch amd64|arm64] PREFIX
#
# Runs as root on Debian 13 (a root made by root.bash, or the build stage of a container image),
# and installs the compilers and libraries it needs there. Leaves in PREFIX/<arch>:
#   lib/*.a  include/  lib/pkgconfig/*.pc   SOURCES (name, version, licence of all that is linked in)
set -euo pipefail

say() { printf 'static-deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

arch=$(dpkg --print-architecture)
if [[ ${1:-} == --arch ]]; then
    arch=$2
    shift 2
fi
[[ $# == 1 ]] || die "usage: static-deps.sh [--arch amd64|arm64] PREFIX"
case $arch in
amd64) triplet=x86_64-linux-gnu ;;
arm64) triplet=aarch64-linux-gnu ;;
*) die "no such architecture here: $arch (amd64 and arm64 are known)" ;;
esac
mkdir -p "$1/$arch"
prefix=$(cd "$1/$arch" && pwd)
native=$(dpkg --print-architecture)

# Source packages need sources of their own: the same places as the binaries', in whichever of apt's two
# formats those are written, so that keys (Signed-By) stay the same, too.
enable_sources() {
    local dir=/etc/apt/sources.list.d file
    if apt-get indextargets 2>/dev/null | grep '^Created-By: Sources' >/dev/null; then
        return
    fi
    for file in "$dir"/*.sources; do
        [[ ! -e $file ]] || sed 's/^Types:.*/Types: deb-src/' "$file" >"${file%.sources}-for-source.sources"
    done
    cat /etc/apt/sources.list "$dir"/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p' >"$work/list" || true
    [[ ! -s $work/list ]] || install -m 0644 "$work/list" "$dir/for-source.list"
}

install_packages() {
    local suffix='' compilers=(gcc libc6-dev)
    export DEBIAN_FRONTEND=noninteractive
    if [[ $arch != "$native" ]]; then
        dpkg --add-architecture "$arch"
        suffix=":$arch"
        compilers=("gcc-${triplet/_/-}" "libc6-dev-$arch-cross" gcc libc6-dev)
    fi
    enable_sources
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "${compilers[@]}" cmake ninja-build make pkg-config \
        dpkg-dev "libmnl-dev$suffix" >/dev/null
}

# The unpacked source of a source package, with the distribution's patches; prints its folder. Mirrors
# have been seen to hold a package's upstream archive but not the patches beside it: then the archive
# alone is taken (apt has checked its hash against the signed index all the same), and said so.
unpack_source() {
    local package=$1 dir=$work/$1
    mkdir -p "$dir"
    cd "$dir"
    if ! apt-get source -qq "$package" >/dev/null 2>&1; then
        rm -rf "${dir:?}"/*
        apt-get source -qq --download-only --tar-only "$package" >/dev/null 2>&1 ||
            die "no source package $package: is the mirror complete?"
        say "$package: the mirror lacks the distribution's patches, building upstream's archive"
        tar -xf "$dir"/*.orig.tar.*[!c]
    fi
    find "$dir" -mindepth 1 -maxdepth 1 -type d
}

# For size, as the presets `static` compile the rest. Nothing of the build's place may get into the
# archives: two builds anywhere give the same bytes.
flags_for() {
    printf '%s' "-Os -g0 -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2" \
        " -fno-asynchronous-unwind-tables -fno-unwind-tables" \
        " -ffunction-sections -fdata-sections -ffile-prefix-map=$1=."
}

fail_build() {
    tail -n 30 "$work/log" >&2
    die "$1 does not build"
}

build_cjson() {
    local source
    source=$(unpack_source cjson)
    cmake -S "$source" -B "$source/build" -G Ninja -DCMAKE_C_COMPILER="$triplet-gcc" \
        -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_BUILD_TYPE= -DCMAKE_C_FLAGS="$(flags_for "$source")" \
        -DBUILD_SHARED_LIBS=OFF -DENABLE_CJSON_TEST=OFF -DENABLE_CJSON_UTILS=OFF \
        -DENABLE_CUSTOM_COMPILER_FLAGS=OFF -DCMAKE_INSTALL_LIBDIR=lib \
        -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DCMAKE_INSTALL_PREFIX="$prefix" >"$work/log" 2>&1 || fail_build cJSON
    cmake --build "$source/build" --target install >>"$work/log" 2>&1 || fail_build cJSON
    note_source cjson cjson MIT
}

build_libiptc() {
    local source
    source=$(unpack_source iptables)
    (
        set -e
        cd "$source"
        ./configure --host="$triplet" --prefix="$prefix" --enable-static --disable-shared \
            --disable-nftables --disable-connlabel CFLAGS="$(flags_for "$source")"
        make -C libiptc install
        make -C include install
    ) >"$work/log" 2>&1 || fail_build libiptc
    note_source iptables libiptc GPL-2.0-or-later
}

note_source() {
    printf '%s\t%s\t%s\n' "$2" "$(apt-cache showsrc --only-source "$1" |
        awk '/^Version:/ { print $2; exit }')" "$3" >>"$prefix/SOURCES"
}

note_package() {
    printf '%s\t%s\t%s\n' "$2" "$(dpkg-query -W -f '${source:Version}' "$1:$arch")" "$3" \
        >>"$prefix/SOURCES"
}

# What the compiler brings along; for another architecture those are packages with other names.
note_archive() {
    local file
    file=$(readlink -f "$("$triplet-gcc" -print-file-name="$1")")
    printf '%s\t%s\t%s\n' "$2" "$(dpkg-query -W -f '${Version}' \
        "$(dpkg-query -S "$file" | sed 's/: .*//')")" "$3" >>"$prefix/SOURCES"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f "$prefix/SOURCES"
say "installing compilers and libraries for $arch"
install_packages
say "building cJSON"
build_cjson
say "building libiptc"
build_libiptc
note_package libmnl-dev libmnl LGPL-2.1-or-later
note_archive libc.a glibc LGPL-2.1-or-later
note_archive libgcc.a libgcc "GPL-3.0-or-later WITH GCC-exception-3.1"
say "done: $prefix"
