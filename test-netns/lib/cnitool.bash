# The real cnitool, the CNI project's own runtime for testing. Sourced.
#
#   cnitool=$(cnitool_path BUILD_DIR)
#
# One on PATH is taken. Otherwise it is built from the distribution's source package, because the
# binary packages hold the library only: once, into BUILD_DIR. The machine's own apt configuration
# stays as it is; a copy with `deb-src` in place of `deb` is used instead.

cnitool_package=golang-github-appc-cni

cnitool_path() { # BUILD_DIR
    local built=$1/cnitool/cnitool
    type -P cnitool && return 0
    [ -x "$built" ] || cnitool_build "$1/cnitool" >&2 || return 1
    echo "$built"
}

cnitool_build() { # DIR
    local dir=$1 source
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    source=$(cnitool_source "$dir") || return 1
    # The package as a GOPATH of its own, in front of the packaged libraries. Nothing in /tmp: go
    # leaves it there if it is interrupted.
    rm -rf "$dir/tmp"
    mkdir -p "$dir/go/src/github.com/containernetworking" "$dir/tmp"
    ln -sfnT "$source" "$dir/go/src/github.com/containernetworking/cni"
    GO111MODULE=off GOFLAGS='' GOPATH=$dir/go:/usr/share/gocode GOCACHE=$dir/cache \
        GOTMPDIR=$dir/tmp CGO_ENABLED=0 \
        go build -o "$dir/cnitool.new" github.com/containernetworking/cni/cnitool
    mv "$dir/cnitool.new" "$dir/cnitool"
}

# Downloads and unpacks the source package; prints where.
cnitool_source() { # DIR
    local dir=$1 options description
    rm -rf "$dir/source" && mkdir -p "$dir/source/package"
    cnitool_apt_sources "$dir/apt"
    options=(
        -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/apt/sources"
        -o "Dir::State::lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache"
        -o Acquire::Languages=none -o APT::Get::List-Cleanup=false -o APT::Sandbox::User=root
    )
    # A mirror of something else may be out of reach; whether the package was had is what counts.
    apt-get "${options[@]}" --quiet=2 update >&2 || true
    (cd "$dir/source/package" &&
        apt-get "${options[@]}" --quiet=2 --download-only source "$cnitool_package" >&2) || return 1
    description=$(echo "$dir"/source/package/*.dsc)
    dpkg-source --no-check --extract "$description" "$dir/source/tree" >&2 || return 1
    echo "$dir/source/tree"
}

# The machine's own mirrors, asked for sources.
cnitool_apt_sources() { # DIR
    local file
    rm -rf "$1"
    mkdir -p "$1/sources" "$1/lists/partial" "$1/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        sed -n 's/^deb[[:space:]]/deb-src /p' "$file" >"$1/sources/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" >"$1/sources/$(basename "$file")"
    done
}
