# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# Builds what is measured and what measures. Sourced; leaves everything in $bench_out:
#
#   measure, blast, react          the helpers
#   dynamic, static                imds-guard as released
#   floor-dynamic, floor-static    an empty program, linked as those are
#
# The static pair needs a Debian 13 root (pkg-config/root.bash). Where there is none and it cannot be
# made, or must not because of --quick, a sentence says so and the benchmark goes without.

builds_make() {
    local helper
    mkdir -p "$bench_out"
    for helper in measure blast react; do
        cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o "$bench_out/$helper" \
            "$bench_here/$helper.c"
    done
    (cd "$world_root" && cmake --preset release >/dev/null &&
        cmake --build --preset release --target imds-guard >/dev/null)
    cp "$world_root/build/release/imds-guard" "$bench_out/dynamic"
    cc -O2 -fPIE -pie -Wl,-z,relro -Wl,-z,now -o "$bench_out/floor-dynamic" "$bench_here/empty.c"
    strip "$bench_out/dynamic" "$bench_out/floor-dynamic"
    rm -f "$bench_out/static" "$bench_out/floor-static"
    builds_static || echo "bench: without the static build" >&2
}

builds_static() {
    local root=${IMDS_GUARD_ROOT:-$world_root/build/debian13}
    local deps=${IMDS_GUARD_STATIC_DEPS:-/opt/imds-guard-static} arch
    # shellcheck source=../../pkg-config/root.bash
    . "$world_root/pkg-config/root.bash"
    arch=$(dpkg --print-architecture)
    if [ ! -e "$root$deps/$arch/SOURCES" ]; then
        if [ "$bench_mode" != full ]; then
            echo "bench: no Debian 13 root in $root, and making one takes minutes" >&2
            return 1
        fi
        packages_install debootstrap && root_make "$root" || return 1
        install -m 0755 "$world_root/pkg-config/static-deps.sh" "$root/usr/local/bin/" &&
            root_run "$root" static-deps.sh "$deps" || return 1
    fi
    builds_in_root "$root" "$deps"
}

builds_in_root() { # ROOT DEPS
    local place=/build/bench
    rm -rf "${1:?}$place"
    mkdir -p "$1$place"
    tar -C "$world_root" -c CMakeLists.txt CMakePresets.json LICENSE README.md plugin pkg-config \
        test-netns/bench/empty.c | tar -x -C "$1$place"
    # shellcheck disable=SC2016 # expanded by the inner shell
    root_run "$1" env "IMDS_GUARD_STATIC_DEPS=$2" bash -euc 'cd "$1"
        cmake --preset static >/dev/null
        cmake --build --preset static --target imds-guard >/dev/null
        cc -O2 -fPIE -static-pie -Wl,-z,relro -Wl,-z,now -o floor test-netns/bench/empty.c
        strip build/static/imds-guard floor' build "$place" || return 1
    cp "$1$place/build/static/imds-guard" "$bench_out/static"
    cp "$1$place/floor" "$bench_out/floor-static"
}
