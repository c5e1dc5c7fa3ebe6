# Runs a container of the cluster's manifests as a runtime would, as far as that matters to imds-guard:
# a root of its own with the manifest's mounts in it, the node's network, the manifest's capabilities.
# Sourced by deployed.bats; run as a script, it is the container's first process.
#
#   container_of CONTAINER FILE.yaml >SPEC    a (init)container of the DaemonSet in FILE, as one JSON
#   container_run SPEC [ARGUMENT...]          with the manifest's arguments, or others
#
# The mounts' hostPaths are the world's. Of a configMap the files are in /run/config.

container_of() { # CONTAINER FILE
    gojq --yaml-input --arg name "$1" 'select(.kind == "DaemonSet").spec.template.spec | .volumes as $volumes
        | (.containers + (.initContainers // []))[] | select(.name == $name)
        | {args, capabilities: [.securityContext.capabilities.add[] | ascii_downcase],
           mounts: [.volumeMounts[] | . as $mount
               | ([$volumes[] | select(.name == $mount.name).hostPath.path][0] // "/run/config") as $source
               | {source: $source, target: .mountPath, readOnly: (.readOnly // false),
                  propagation: (.mountPropagation // "None")}]}' "$2"
}

container_run() { # SPEC [ARGUMENT...]
    local arguments=("${@:2}")
    [ $# -gt 1 ] || mapfile -t arguments < <(jq -r '.args[]' "$1")
    # No shell in between: whoever starts this in the background wants its number.
    exec env ASAN_OPTIONS=detect_leaks=0 unshare --mount --propagation slave \
        bash "${BASH_SOURCE[0]}" "$1" "${arguments[@]}"
}

# The binary that is tested is linked with libraries of the machine's.
container_furnish() { # SPEC
    local directory source target read_only propagation
    mount -t tmpfs container /mnt
    for directory in /usr /lib /lib64; do
        if [ -L $directory ]; then
            cp -a $directory /mnt/
        else
            mkdir /mnt$directory && mount --rbind $directory /mnt$directory
        fi
    done
    mkdir /mnt/proc /mnt/dev
    mount -t proc proc /mnt/proc
    mount --rbind /dev /mnt/dev
    cp "$IMDS_GUARD" /mnt/imds-guard
    while read -r source target read_only propagation; do
        mkdir -p "$source" "/mnt$target"
        mount --rbind "$source" "/mnt$target"
        if [ "$propagation" = HostToContainer ]; then
            mount --make-rslave "/mnt$target"
        else
            mount --make-rprivate "/mnt$target"
        fi
        [ "$read_only" = false ] || mount -o remount,bind,ro "/mnt$target"
    done < <(jq -r '.mounts[] | [.source, .target, .readOnly, .propagation] | join(" ")' "$1")
    mount -o remount,ro /mnt
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    container_furnish "$1"
    # SYS_CHROOT is for chroot itself.
    exec nsenter --net=/run/netns/node -- setpriv --no-new-privs --inh-caps=-all \
        --bounding-set="-all,+sys_chroot,$(jq -r '[.capabilities[] | "+" + .] | join(",")' "$1")" \
        chroot /mnt /imds-guard "${@:2}"
fi
