# Programs that tests run and that are not installed: their packages would start services on a machine with
# systemd (containerd, prometheus and its exporter), or Debian 12 has them too old or not at all (kubectl
# that knows components; Go, cel-go and the API's types, to look at manifests; containerd that reads drop-ins).
# Unpacked below build/unpacked, a folder for each release of Debian, once. Sourced.
#
#   unpacked_fetch BUILD_DIR         makes them, or does nothing if they are there; needs a mirror
#   unpacked_use BUILD_DIR           then: $unpacked/CODENAME/usr/bin, and
#   unpacked_kubectl ARGUMENT...
#   unpacked_program NAME            prints the file: fixtures/NAME/main.go, built; all of them have been by
#                                    unpacked_fetch, which has the machine to itself

# What is named, and nothing of what it depends on: no library that this machine has not.
unpacked_of_trixie=(
    kubectl containerd prometheus promtool prometheus-node-exporter
    golang-1.24-go golang-1.24-src golang-github-google-cel-go-dev golang-github-antlr-antlr4-dev
    golang-github-stoewer-go-strcase-dev golang-golang-x-exp-dev golang-golang-x-text-dev
    golang-google-genproto-dev golang-google-protobuf-dev
    golang-k8s-api-dev golang-k8s-apimachinery-dev golang-k8s-klog-dev golang-k8s-utils-dev golang-k8s-sigs-json-dev
    golang-k8s-sigs-structured-merge-diff-dev golang-github-gogo-protobuf-dev golang-github-google-gofuzz-dev
    golang-gopkg-inf.v0-dev golang-golang-x-net-dev golang-github-fxamacker-cbor-dev
    golang-github-x448-float16-dev golang-github-go-logr-logr-dev golang-github-json-iterator-go-dev
    golang-github-modern-go-concurrent-dev golang-github-modern-go-reflect2-dev golang-k8s-sigs-yaml-dev
)
unpacked_of_forky=(containerd)

# shellcheck source=apt_of.bash
. "$(dirname "${BASH_SOURCE[0]}")/apt_of.bash"

unpacked_fetch() ( # BUILD_DIR
    cache=$(realpath -m "$1/unpacked")
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    unpacked_suite trixie "${unpacked_of_trixie[@]}" && unpacked_suite forky "${unpacked_of_forky[@]}" &&
        unpacked_use "$1" || exit 1
    for program in admission apiserver schema; do
        unpacked_program $program >/dev/null 9>&- || exit 1
    done
)

unpacked_suite() { # CODENAME PACKAGE...
    local dir=$cache/$1
    [ "$(cat "$dir/.packages" 2>/dev/null)" != "${*:2}" ] || return 0
    echo "unpacking $(($# - 1)) packages of Debian's $1 below $cache" >&2
    rm -rf --one-file-system "$dir" "$cache/apt"
    mkdir -p "$dir/packages"
    (cd "$dir/packages" &&
        apt_of "debian/$1" "$(dpkg --print-architecture)" apt-get --quiet=2 download "${@:2}") || return 1
    for package in "$dir"/packages/*.deb; do
        # dpkg-deb -x would put directories in the place of links.
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir" || return 1
    done
    # What lists say today is of no use later.
    rm -r "$dir/packages" "$cache/apt"
    echo "${*:2}" >"$dir/.packages"
}

unpacked_use() { # BUILD_DIR
    unpacked=$(realpath -m "$1/unpacked")
    [ "$(cat "$unpacked/trixie/.packages" 2>/dev/null)" = "${unpacked_of_trixie[*]}" ] &&
        [ "$(cat "$unpacked/forky/.packages" 2>/dev/null)" = "${unpacked_of_forky[*]}" ]
}

unpacked_kubectl() { # ARGUMENT...
    "$unpacked/trixie/usr/bin/kubectl" "$@"
}

unpacked_program() { # NAME
    local root=$unpacked/trixie source overlay=$unpacked/$1.overlay
    source=$(dirname "${BASH_SOURCE[0]}")/../fixtures/$1/main.go
    # What runs for a second needs not be optimized, which would take a third of the compiler's time; and the
    # API's types go without what they are on the wire, which takes longest to compile.
    find "$root/usr/share/gocode/src/k8s.io/api/" -name generated.pb.go |
        jq -nR '{Replace: [inputs | {(.): ""}] | add}' >"$overlay.$$" && mv "$overlay.$$" "$overlay" || return 1
    GO111MODULE=off GOFLAGS="'-gcflags=all=-N -l' '-ldflags=-s -w'" GOTOOLCHAIN=local CGO_ENABLED=0 \
        GOROOT=$(realpath "$root/usr/lib/go-1.24") GOPATH=$root/usr/share/gocode GOCACHE=$unpacked/cache "$root/usr/lib/go-1.24/bin/go" build \
        -overlay "$overlay" -o "$unpacked/bin/$1" "$source" && echo "$unpacked/bin/$1"
}
