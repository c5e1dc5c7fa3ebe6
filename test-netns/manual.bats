#!/usr/bin/env bats
# The manual page and --help say the same. Needs neither root nor namespaces.

setup() {
    here=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    guard=$(realpath "${IMDS_GUARD:-$here/build/dev/imds-guard}")
    page=$here/plugin/imds-guard.8
}

commands() {
    "$guard" help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

# What the page says of a command.
section() { # COMMAND
    awk -v command="$1" '/^\.S[SH] /{ inside = $1 == ".SS" && $2 == command } inside' "$page"
}

@test "every command has its section, and no other" {
    [ "$(commands)" = "$(awk '/^\.SH /{ inside = $2 == "COMMANDS" } inside && /^\.SS /{ print $2 }' "$page")" ]
}

@test "every section has the command's options, in the order of --help" {
    local command
    for command in $(commands); do
        diff <("$guard" help "$command" | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | grep -vx -e --help) \
            <(section "$command" | sed -n 's/\\-/-/g; s/^\.BI\{0,1\} \(--[a-z-]*\).*/\1/p')
    done
}

@test "every command that has something to do says its exit codes" {
    local command
    for command in $(commands); do
        [[ $command == version || $command == help ]] || "$guard" help "$command" | grep '^Exit code: 0 '
    done
}

# CMakeLists.txt has it; whoever repeats it repeats it rightly.
@test "the version is the program's wherever it is written" {
    local version
    version=$("$guard" version | sed -n "s/^imds-guard //p")
    [ "$(sed -n 's/^\.TH .*"imds-guard \([^"]*\)".*/\1/p' "$page")" = "$version" ]
    [ "$(sed -n 's/^## //p' "$here/CHANGELOG.md" | head -n 1)" = "$version" ]
    [ "$(sed -n 's/^version=//p' "$here/examples/node/user-data.mime")" = "$version" ]
    [ "$(sed -n 's/^ *newTag: //p' "$here/examples/cluster/base/kustomization.yaml")" = "$version" ]
}

@test "groff has nothing to complain of" {
    [ -z "$(groff -man -ww -z -Tutf8 "$page" 2>&1)" ]
}
