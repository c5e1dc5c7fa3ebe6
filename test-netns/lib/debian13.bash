# Tools for the cluster's manifests that Debian 12 has too old or not at all: kubectl that knows
# components, Go and cel-go to evaluate admission policies. Taken from Debian 13's packages, unpacked
# into a folder, and not installed. Sourced.
#
#   debian13_fetch BUILD_DIR    makes it, or does nothing if it is there; needs root and a mirror
#   debian13_kubectl, debian13_go ARGUMENT...   after debian13_use BUILD_DIR

debian13_packages=(kubernetes-client golang-go golang-github-google-cel-go-dev)

# shellcheck source=pkg-config/root.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../pkg-config/root.bash"

debian13_fetch() ( # BUILD_DIR
    dir=$(realpath -m "$1/debian13-tools")
    mkdir -p "$dir"
    exec 9>"$dir.lock"
    flock 9
    [ ! -e "$dir/.complete" ] || exit 0
    echo "fetching ${debian13_packages[*]} of Debian 13" >&2
    rm -rf --one-file-system "$dir"
    mkdir "$dir"
    # The first half only: packages are fetched with all that they depend on, nothing is set up.
    mirror=$(root_mirror)
    debootstrap --foreign --variant=minbase --include="$(IFS=, && echo "${debian13_packages[*]}")" \
        trixie "$dir" ${mirror:+"$mirror"} >"$dir.log" 2>&1 9>&- || { tail "$dir.log" >&2; exit 1; }
    for package in "$dir"/var/cache/apt/archives/{golang,kube}*.deb; do
        # dpkg-deb -x would put directories in the place of links.
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir" || exit 1
    done
    rm "$dir"/var/cache/apt/archives/*.deb
    touch "$dir/.complete"
)

debian13_use() { # BUILD_DIR
    debian13=$(realpath -m "$1/debian13-tools")
    [ -e "$debian13/.complete" ]
}

debian13_kubectl() { # ARGUMENT...
    "$debian13/usr/bin/kubectl" "$@"
}

debian13_go() { # ARGUMENT...
    GO111MODULE=off GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0 GOROOT=$(realpath "$debian13/usr/lib/go-1.24") \
        GOPATH=$debian13/usr/share/gocode GOCACHE=$debian13/cache "$debian13/usr/lib/go-1.24/bin/go" "$@"
}
