# Which packages of Debian or Ubuntu the scripts need, and how they get there. Sourced.
#
#   packages_install "${packages_build[@]}" "${packages_test[@]}"
#
# Installs what is missing, and only that: what is there is neither upgraded nor removed. An entry
# `a|b` is content with either and installs a. Needs root only if something is missing.

packages_build=(
    gcc libc6-dev make cmake 'pkgconf|pkg-config'
    libcjson-dev libmnl-dev libnftnl-dev libiptc-dev
)

packages_test=(
    libcmocka-dev bats strace groff-base
    iproute2 iputils-ping iptables nftables util-linux socat curl jq gojq yq
    golang-go golang-github-appc-cni-dev dpkg-dev ca-certificates
    containerd busybox-static debootstrap git
    clang libclang-rt-dev clang-tidy clang-format cppcheck shellcheck valgrind gcovr
)

# What a person needs to watch an attack fail: everything that wires pods and sends packets.
packages_demo=(
    iproute2 iputils-ping iptables nftables util-linux socat curl jq
    golang-go golang-github-appc-cni-dev dpkg-dev ca-certificates
)

# What the benchmark measures, and measures with.
packages_bench=(
    iproute2 iputils-ping iptables nftables util-linux jq
    containernetworking-plugins strace valgrind
)

packages_has() { # PACKAGE
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Those of the given entries that are not installed, one a line.
packages_missing() { # ENTRY...
    local entry alternative
    for entry; do
        for alternative in ${entry//|/ }; do
            packages_has "$alternative" && continue 2
        done
        echo "${entry%%|*}"
    done
}

packages_get() { # PACKAGE...
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends \
        --no-upgrade --no-remove "$@" </dev/null >&2
}

packages_install() { # ENTRY...
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}" >&2
    # The package lists are fetched only if those that are there will not do.
    packages_get "${missing[@]}" 2>/dev/null && return 0
    apt-get update --quiet=2 >&2
    packages_get "${missing[@]}"
}
