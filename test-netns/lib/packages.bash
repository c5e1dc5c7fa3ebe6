# Which packages of Debian or Ubuntu the scripts need, and how they get there. Sourced.
#
#   packages_install "${packages_build[@]}" "${packages_test[@]}"
#
# Installs what is missing, and only that: what is there is neither upgraded nor removed. Nothing that a
# machine would start as a service is among them (that, and what Debian 12 lacks, is unpacked.bash's). An entry
# `a|b` is content with either and installs a. Needs root only if something is missing.

packages_build=(
    gcc libc6-dev make cmake 'pkgconf|pkg-config'
    libcjson-dev libmnl-dev libiptc-dev
)

packages_test=(
    libcmocka-dev bats strace groff-base
    libnftnl-dev # version 0.1.0's (former.bash)
    iproute2 iputils-ping iptables nftables util-linux socat curl jq gojq
    golang-go golang-github-appc-cni-dev dpkg-dev ca-certificates
    runc containernetworking-plugins protobuf-compiler busybox-static debootstrap
    debian-archive-keyring git
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

# What boots other kernels than the machine's own (kernels/run).
packages_kernels=(
    qemu-system-x86 qemu-system-arm mmdebstrap debootstrap debian-archive-keyring kmod cpio e2fsprogs
    xz-utils zstd util-linux clang libc6-dev
    golang-go golang-github-appc-cni-dev dpkg-dev ca-certificates
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

# How long to wait for a lock that somebody else holds: a cloud machine updates itself when it is new.
packages_lock_seconds=${IMDS_GUARD_LOCK_SECONDS:-900}

# apt-get, which would wait for dpkg's lock itself if told to, but for those of lists and archives not.
# What it had to say of a failure is in $packages_said.
packages_apt() { # ARGUMENT...
    local deadline=$((SECONDS + packages_lock_seconds)) told=
    until packages_said=$(DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get --quiet=2 "$@" 2>&1 </dev/null); do
        [[ $packages_said =~ 'Could not get lock '(/[^ ]*[^ .]) ]] || return 1
        [ $SECONDS -lt $deadline ] || return 1
        [ "$told" = "${BASH_REMATCH[1]}" ] || echo "waiting for another apt or dpkg (${BASH_REMATCH[1]})" >&2
        told=${BASH_REMATCH[1]}
        sleep 1
    done
}

packages_are_locked() {
    [[ $packages_said == *"Could not get lock "* ]]
}

packages_get() { # PACKAGE...
    packages_apt install --yes --no-install-recommends --no-upgrade --no-remove "$@"
}

packages_install() { # ENTRY...
    local missing packages_said
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}" >&2
    packages_get "${missing[@]}" && return 0
    # The package lists are fetched only if those that are there will not do.
    ! packages_are_locked && packages_apt update && packages_get "${missing[@]}" && return 0
    echo "$packages_said" >&2
    return 1
}
