# The first process of a private world (world.bash, world_enter): gives it directories of its own,
# then runs the command. When it dies the kernel kills whatever still runs in the world.
set -euo pipefail

# A writable layer in memory over a directory of the machine, which stays as it is.
layer_over() { # DIRECTORY
    local layer
    layer=/run/layers$1
    mkdir -p "$layer/changes" "$layer/work"
    mount -t overlay -o "lowerdir=$1,upperdir=$layer/changes,workdir=$layer/work" world "$1"
}

# Nothing mounted from here on shows outside, and `ip -n` wants a root that is a mount. In a chroot it
# is none; then the world starts over in one that is.
if ! mount --make-rprivate / 2>/dev/null; then
    mount --rbind / /mnt
    mount --make-rprivate /mnt
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec chroot /mnt bash -c 'cd "$1" && shift && exec bash "$@"' chroot "$PWD" "$0" "$@"
fi
mount -t proc proc /proc
mount -t tmpfs -o mode=755 world /run
for directory in /etc /opt /var/lib; do
    layer_over "$directory"
done
rm -rf /etc/cni /opt/cni /var/lib/cni
mkdir -p /run/netns /run/lock /etc/cni/net.d /opt/cni/bin /var/lib/cni
ip link set lo up

# Tests start jq thousands of times, and jq 1.6 takes 16 ms of a processor to compile its own library at
# each start. gojq speaks the same language and takes 2. And they start nsenter for all that they do in a
# namespace; ours (fixtures/nsenter.c) is there at once.
mkdir /run/bin
! type -P gojq >/dev/null || ln -s "$(type -P gojq)" /run/bin/jq
[ ! -x "${NSENTER:-}" ] || ln -s "$NSENTER" /run/bin/nsenter
PATH=/run/bin:$PATH

# Where files are written and synced by the thousand.
export TMPDIR=/run

IMDS_GUARD_WORLD=$(readlink /proc/self/ns/net)
export IMDS_GUARD_WORLD
unset CNI_COMMAND CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_ARGS CNI_PATH XTABLES_LOCKFILE
"$@"
