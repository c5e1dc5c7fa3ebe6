# What is booted, from packages of any distribution and processor (../../lib/apt_of.bash): a kernel, or a
# root to boot it with. Nothing is installed, no maintainer script is run. Sourced.
#
#   kernel_get NAME ARCH SOURCE PATTERN   what packages_kernel prints: a directory with
#                                           image, package (its name and version), modules/VERSION
#   root_get SUITE ARCH                   prints the file: a file system to boot with
#
# Both are had once and kept below $cache, a root for as long as root_packages stays as it is; whoever wants
# newer ones removes them. SOURCE and SUITE are debian/CODENAME or ubuntu/CODENAME.
# On failure: what is missing goes to standard error, and 1.

# What the tests need of a userland.
root_packages=(
    bash coreutils dash diffutils findutils grep sed mawk tar hostname procps kmod busybox-static netbase
    mount util-linux iproute2 iputils-ping iptables nftables ipvsadm socat curl jq bats
)

# --- a kernel -------------------------------------------------------------------------------------

kernel_get() { # NAME ARCH SOURCE PATTERN
    local dir=$cache/kernels/$1-$2
    if [ ! -e "$dir/complete" ]; then
        rm -rf "$dir"
        mkdir -p "$dir/packages"
        (cd "$dir/packages" && kernel_download "$2" "$3" "$4") || return 1
        kernel_unpack "$dir" || return 1
        rm -rf "$dir/packages"
        touch "$dir/complete"
    fi
    echo "$dir"
}

# The newest that fits and can be had: a mirror may list what it has no more, or not yet.
kernel_download() { # ARCH SOURCE PATTERN
    local kernel packages
    for kernel in $(apt_of "$2" "$1" apt-cache search --names-only "^$3\$" | cut -d ' ' -f 1 | sort -rV); do
        # Some kernels come in several packages.
        packages=$(apt_of "$2" "$1" apt-cache depends --recurse --important "$kernel" |
            grep -E '^linux-(image|binary|modules)-[0-9]' | grep -v -- -unsigned | sort -u)
        # shellcheck disable=SC2086 # words
        apt_of "$2" "$1" apt-get --quiet=2 download $packages >&2 && return 0
        rm -f ./*.deb
    done
    echo "$2 has no package $3 for $1" >&2
    return 1
}

# Of the modules, those that a network and its tests may want, uncompressed: they travel in the initrd.
kernel_unpack() { # DIR
    local tree=$1/packages/tree to=$1/initrd/lib/modules package modules version part
    for package in "$1"/packages/*.deb; do
        dpkg-deb --extract "$package" "$tree" || return 1
    done
    basename -a -s .deb "$1"/packages/*.deb | grep -E '^linux-(image|binary)-' | head -n 1 >"$1/package"
    # From 7.3 on Debian's kernel lies beside its modules.
    find "$tree" -type f '(' -name 'vmlinuz-*' -o -name vmlinuz ')' -exec mv {} "$1/image" ';'
    [ -e "$1/image" ] || { echo "no kernel in $(<"$1/package")" >&2; return 1; }
    modules=$(find "$tree" -path '*/lib/modules/*/kernel' -printf '%h\n' -quit)
    version=$(basename "$modules")
    mkdir -p "$to/$version"
    (
        cd "$modules"
        shopt -s nullglob
        for part in modules.builtin* modules.order kernel/{net,lib,crypto,arch/*/crypto,arch/*/lib} \
            kernel/fs/{ext4,jbd2,mbcache*,overlayfs} kernel/drivers/{virtio,net/{*.ko*,ipvlan,vxlan}} \
            kernel/drivers/{block/virtio_blk*,char/virtio_console*}; do
            [ ! -e "$part" ] || cp --parents --recursive "$part" "$to/$version/"
        done
    ) || return 1
    find "$to" -name '*.ko.xz' -exec xz --decompress {} +
    find "$to" -name '*.ko.zst' -exec zstd --quiet --decompress --rm {} +
    depmod --basedir "$1/initrd" "$version"
}

# --- a root ---------------------------------------------------------------------------------------

root_get() { # SUITE ARCH
    local image=$cache/roots/${1/\//-}-$2.ext4 tree=$cache/roots/${1/\//-}-$2.tree
    if [ "$(cat "$image.packages" 2>/dev/null)" != "${root_packages[*]}" ]; then
        rm -rf "$tree"
        mkdir -p "$cache/roots"
        root_unpack "$1" "$2" "$tree" && root_jq "$2" "$tree" || return 1
        root_finish "$tree"
        cp "$tree/bin/busybox" "$image.busybox"
        mke2fs -q -t ext4 -d "$tree" "$image.new" 600M >/dev/null || return 1
        mv "$image.new" "$image"
        echo "${root_packages[*]}" >"$image.packages"
        rm -rf "$tree"
    fi
    echo "$image"
}

root_unpack() { # SUITE ARCH TREE
    local include sources
    include=$(IFS=, && echo "${root_packages[*]}")
    # Not what security adds: mirrors lose that first, and nobody attacks this root.
    sources=$(sources_of "$1" "$2" | grep -v -e '-security ') || return 1
    # shellcheck disable=SC2016 # mmdebstrap's
    mmdebstrap --quiet --mode=root --variant=extract --architectures="$2" --include="$include" \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "${1#*/}" "$3" - <<<"$sources" >&2
}

# furnish.bash says why. Not every distribution has it; it needs nothing of the one that it is in.
root_jq() { # ARCH TREE
    (
        cd "$2/usr/bin" || exit
        apt_of debian/trixie "$1" apt-get --quiet=2 download gojq >&2 || exit
        dpkg-deb --fsys-tarfile gojq_*.deb | tar -x --strip-components=3 ./usr/bin/gojq
        rm gojq_*.deb
    )
}

# What maintainer scripts would have done, as far as the tests see it.
root_finish() { # TREE
    local family tool
    ln -sf mawk "$1/usr/bin/awk"
    [ -e "$1/usr/bin/sh" ] || ln -s dash "$1/usr/bin/sh"
    for family in iptables ip6tables; do
        for tool in '' -save -restore; do
            ln -sf "$family-nft$tool" "$1/usr/sbin/$family$tool"
        done
    done
    echo 'root:x:0:0:root:/root:/bin/bash' >"$1/etc/passwd"
    echo 'root:x:0:' >"$1/etc/group"
    echo '127.0.0.1 localhost' >"$1/etc/hosts"
    mkdir -p "$1"/{usr/lib/modules,imds-guard,opt,mnt}
    rm -rf "$1"/usr/share/{doc,man,info,locale} "$1"/var/cache/*
}
