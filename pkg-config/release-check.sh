#!/usr/bin/env bash
# Looks whether what release.sh has made is what it should be:
#
#   pkg-config/release-check.sh [OUT]          default: dist/
#
# Each binary: no interpreter, no shared library, position-independent, hardened, small enough, one
# version. Each package: lintian has nothing to say, holds what it should, and the .deb installs. The
# digests and the lists of what is linked in. The arm64 binary and unit tests run under qemu-user.
# As root, with the root that release.sh leaves (IMDS_GUARD_ROOT).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(dirname "$here")
# shellcheck source=pkg-config/root.bash
source "$here/root.bash"

root=$(realpath "${IMDS_GUARD_ROOT:-$source_dir/build/debian13}")
out=$(realpath "${1:-$source_dir/dist}")
size_max=1200000 # bytes
version=$(sed -n 's/^ *VERSION \([0-9.]*\)$/\1/p' "$source_dir/CMakeLists.txt")

say() { printf 'release-check: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

in_root() { root_run "$root" "$@"; }

check_binary() { # ARCH
    local name=imds-guard-$version-linux-$1 file headers size
    file=/check/dist/$name
    headers=$(in_root readelf --wide --file-header --program-headers --dynamic "$file")
    ! grep -E 'INTERP|\(NEEDED\)' <<<"$headers" || die "$name needs something of the node"
    grep -q 'DYN (Position-Independent' <<<"$headers" || die "$name is not position-independent"
    grep -q 'GNU_RELRO' <<<"$headers" || die "$name has no RELRO"
    grep -q 'GNU_STACK.* RW ' <<<"$headers" || die "$name has an executable stack"
    ! in_root readelf --wide --sections "$file" | grep -E ' \.(symtab|debug)' || die "$name is not stripped"
    size=$(stat -c %s "$out/$name")
    ((size < size_max)) || die "$name has $size bytes, $size_max are too many"
    say "$name: $size bytes, needs nothing of the node"
}

# Every path that a person may rely on.
contents=(/opt/cni/bin/imds-guard /usr/lib/systemd/system/imds-guard.service
    /usr/share/pkgconfig/imds-guard.pc /usr/share/man/man8/imds-guard.8.gz
    /usr/share/doc/imds-guard/{README.md,SECURITY.md,copyright,examples/cluster/kustomization.yaml})

check_contents() { # PACKAGE LIST
    local path
    for path in "${contents[@]}"; do
        grep -qx "$path" <<<"$2" || die "$1 does not hold $path"
    done
}

check_packages() {
    local package
    for package in "$out"/*.deb; do
        package=${package##*/}
        in_root lintian --allow-root --fail-on error,warning "/check/dist/$package" ||
            die "lintian finds fault with $package"
        check_contents "$package" "$(in_root dpkg-deb --fsys-tarfile "/check/dist/$package" | tar -t | sed 's/^\.//')"
    done
    for package in "$out"/*.rpm; do
        package=${package##*/}
        check_contents "$package" "$(in_root rpm -qlp "/check/dist/$package")"
        [[ -z $(in_root rpm -qcp "/check/dist/$package") ]] || die "$package takes something for settings"
    done
    say "packages: lintian has nothing to say, nothing is missing"
}

# Into a folder that has nothing but dpkg's own records; what comes out must run there alone.
check_install() {
    local arch
    arch=$(in_root dpkg --print-architecture)
    in_root sh -euc '
        mkdir -p /check/scratch/var/lib/dpkg/updates /check/scratch/var/lib/dpkg/info
        touch /check/scratch/var/lib/dpkg/status
        dpkg --root=/check/scratch --force-not-root -i "$1" >/dev/null
        chroot /check/scratch /opt/cni/bin/imds-guard version
        test "$(PKG_CONFIG_LIBDIR=/check/scratch/usr/share/pkgconfig pkg-config \
            --variable=plugindir imds-guard)" = /opt/cni/bin
        dpkg --root=/check/scratch -r imds-guard >/dev/null
        test ! -e /check/scratch/opt/cni/bin/imds-guard' \
        install "/check/dist/imds-guard_${version}_$arch.deb" |
        grep -qx "imds-guard $version" || die "the .deb does not install, or what it installs does not run"
    say "the .deb installs into an empty folder, runs there, and goes"
}

check_lists() {
    (cd "$out" && sha256sum --quiet --check --strict SHA256SUMS) || die "SHA256SUMS are wrong"
    [[ $(wc -l <"$out/SHA256SUMS") == $(($(find "$out" -type f | wc -l) - 1)) ]] ||
        die "SHA256SUMS does not name every file"
    local arch
    for arch in amd64 arm64; do
        jq -e --arg digest "$(sha256sum "$out/imds-guard-$version-linux-$arch" | cut -d' ' -f1)" '
            .spdxVersion == "SPDX-2.3" and .packages[0].checksums[0].checksumValue == $digest and
            ([.packages[].name] | sort) == (["imds-guard", "cjson", "libiptc", "libmnl", "glibc",
                "libgcc"] | sort) and
            all(.packages[]; .versionInfo != "" and .licenseDeclared != "")' \
            "$out/imds-guard-$version-linux-$arch.spdx.json" >/dev/null || die "the SPDX list for $arch is wrong"
    done
    say "digests and SPDX lists are right"
}

# Against Debian's own shared libraries: some tests replace functions that an archive would bring along.
# All but the test of network namespaces, which asks what kind of namespace a file is (NS_GET_NSTYPE):
# qemu-user cannot pass that on.
check_arm64() {
    in_root sh -euc 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends libcmocka-dev:arm64 libcjson-dev:arm64 libiptc-dev:arm64' >/dev/null 2>&1 ||
        die "cannot install the libraries for the arm64 unit tests"
    in_root env IMDS_GUARD_STATIC_DEPS=/none sh -euc '
        cmake -S /check/source -B /check/tests --toolchain /check/source/pkg-config/static.cmake \
            -DIMDS_GUARD_ARCH=arm64 -DCMAKE_BUILD_TYPE=MinSizeRel -DBUILD_TESTING=ON \
            -DCMAKE_CROSSCOMPILING_EMULATOR=/usr/bin/qemu-aarch64
        cmake --build /check/tests
        ctest --test-dir /check/tests -L unit -E unit.kernel_netns_test --output-on-failure --timeout 300' >"$root/check/log" ||
        { tail -n 40 "$root/check/log" >&2; die "a unit test fails on arm64"; }
    say "arm64: $(grep 'tests passed' "$root/check/log")"
    in_root bash /check/source/pkg-config/arm64-check.sh "/check/dist/imds-guard-$version-linux-arm64" /check/source ||
        die "the arm64 binary does not do as it should"
}

command -v jq >/dev/null || die "jq is missing: apt-get install jq"
rm -rf "$root/check"
mkdir -p "$root/check/source"
trap 'rm -rf "$root/check"' EXIT
cp -r "$out" "$root/check/dist"
git -C "$source_dir" archive HEAD | tar -x -C "$root/check/source"
check_binary amd64
check_binary arm64
check_lists
check_packages
check_install
check_arm64
