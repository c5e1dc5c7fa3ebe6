# Version 0.1.0, built from this repository's history: what nodes may still run. Sourced.
#
#   former=$(former_path BUILD_DIR)
#
# Built once, into BUILD_DIR. A clone without its history asks where it came from for that one commit.

former_commit=ab6717c49b17a87fc1fb3fee33bd3a4f2e7330b2 # the last with that version, before 0.2.0 began

former_path() ( # BUILD_DIR
    dir=$(realpath -m "$1/0.1.0")
    mkdir -p "$dir"
    exec 9>"$dir.lock"
    flock 9
    [ -x "$dir/imds-guard" ] || former_build "$dir" >"$dir.log" 2>&1 9>&- || {
        tail -n 5 "$dir.log" >&2
        exit 1
    }
    echo "$dir/imds-guard"
)

former_build() { # DIR
    rm -rf "$1/source" "$1/build"
    mkdir "$1/source"
    former_git cat-file -e "$former_commit^{commit}" ||
        former_git fetch --depth 1 origin "$former_commit" || return 1
    former_git archive "$former_commit" | tar -x -C "$1/source" &&
        cmake -S "$1/source" -B "$1/build" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$1/build" --parallel "$(nproc)" --target imds-guard &&
        mv "$1/build/imds-guard" "$1/imds-guard"
}

# Root asks, whoever's the clone is.
former_git() { # ARGUMENT...
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    git -c safe.directory="$root" -C "$root" "$@"
}
