# A Debian 13 root to build releases in, on any Debian or Ubuntu machine: made once by debootstrap from
# the machine's own mirror, used through a mount and PID namespace, so that nothing of it shows outside
# and nothing runs on after it. Source this file.
#
#   root_make DIR              makes it, or does nothing if it is there
#   root_run DIR COMMAND...    runs a command in it, with /proc, /dev and a private /tmp

# The mirror that this machine uses for Debian itself; another can be given in IMDS_GUARD_MIRROR.
root_mirror() {
    if [[ -n ${IMDS_GUARD_MIRROR:-} ]]; then
        printf '%s\n' "$IMDS_GUARD_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # apt expands it
    apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Created-By: Packages' 2>/dev/null |
        grep -v -- '-security' | head -n 1
}

root_make() {
    local dir=$1 mirror
    [[ -e $dir/.complete ]] && return
    command -v debootstrap >/dev/null || {
        echo "debootstrap is missing: apt-get install debootstrap" >&2
        return 1
    }
    mirror=$(root_mirror)
    rm -rf --one-file-system "$dir"
    mkdir -p "$dir"
    debootstrap --variant=minbase trixie "$dir" ${mirror:+"$mirror"} >"$dir.log" 2>&1 || {
        tail -n 20 "$dir.log" >&2
        return 1
    }
    touch "$dir/.complete"
}

root_run() {
    local dir=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        root=$1; shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        exec chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
            ${SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH"} "$@"' root "$dir" "$@"
}
