#!/usr/bin/env bats
# packages_install while somebody else holds one of apt's or dpkg's locks. Real apt and dpkg, on
# packages of the test's own, in directories that are the world's.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"
# shellcheck source=lib/packages.bash
. "$BATS_TEST_DIRNAME/lib/packages.bash"

bats_require_minimum_version 1.5.0

repository=/run/repository

setup_file() {
    package imds-guard-test-quick
    package imds-guard-test-slow 'while [ -e /run/slow ]; do sleep 0.1; done'
    mkdir -p /run/apt/{sources,lists/partial,cache/archives/partial,log}
    echo "deb [trusted=yes] file:$repository ./" >/run/apt/sources/test.list
    cat >/run/apt.conf <<'END'
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "/run/apt/sources";
Dir::State::lists "/run/apt/lists";
Dir::Cache "/run/apt/cache";
Dir::Log "/run/apt/log";
APT::Sandbox::User "root";
APT::Update::Post-Invoke-Success "";
DPkg::Post-Invoke "";
DPkg::Options { "--log=/run/apt/log/dpkg.log"; };
END
}

setup() {
    export APT_CONFIG=/run/apt.conf
}

package() { # NAME [SCRIPT-BEFORE-INSTALLATION]
    local tree=/run/packages/$1
    mkdir -p "$tree/DEBIAN" "$repository"
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: test\n' \
        "$1" >"$tree/DEBIAN/control"
    printf '#!/bin/sh\n%s\n' "${2:-}" >"$tree/DEBIAN/preinst"
    chmod 755 "$tree/DEBIAN/preinst"
    dpkg-deb --build "$tree" "$repository/$1.deb" >/dev/null
    (cd "$repository" && dpkg-scanpackages . 2>/dev/null >Packages)
}

said() { # TEXT
    grep -q "$1" /run/said
}

# In the background, since the lock is let go only when it has been seen to wait.
install_while_locked() { # PACKAGE LOCK
    packages_install "$1" 2>/run/said 3>&- 4>&- &
    background+=($!)
    installing=$!
    wait_until 60 said "waiting for another apt or dpkg (.*/$2)"
    run ! packages_has "$1"
}

@test "waits for dpkg's lock while somebody else installs" {
    touch /run/slow
    apt-get -q=2 update
    packages_install imds-guard-test-slow 2>/dev/null 3>&- 4>&- &
    background+=($!)
    wait_until 60 pgrep --full '^/bin/sh /var/lib/dpkg/tmp.ci/preinst install' >/dev/null
    install_while_locked imds-guard-test-quick lock-frontend
    rm /run/slow
    wait "$installing"
    packages_has imds-guard-test-quick
    dpkg --log=/dev/null --purge imds-guard-test-quick
}

# An update that hangs: whom it asks takes the question and says nothing.
hold_lists() {
    rm -rf /run/apt/lists/*_* /run/mute /run/question
    mkdir /run/mute
    echo 'deb [trusted=yes] http://127.0.0.1:8999 ./' >/run/mute/mute.list
    socat -u TCP-LISTEN:8999,bind=127.0.0.1,reuseaddr OPEN:/run/question,creat </dev/null >/dev/null 2>&1 3>&- 4>&- &
    background+=($!)
    wait_until 60 mute_listens
    apt-get -q=2 -o Dir::Etc::sourceparts=/run/mute update </dev/null >/dev/null 2>&1 3>&- 4>&- &
    updating=$!
    background+=("$updating")
    wait_until 60 test -s /run/question
}

mute_listens() {
    ss --no-header --listening --tcp --numeric | grep -q :8999
}

@test "waits for the lists' lock while somebody else updates" {
    hold_lists
    install_while_locked imds-guard-test-quick lists/lock
    kill "$updating"
    wait "$installing"
    packages_has imds-guard-test-quick
    dpkg --log=/dev/null --purge imds-guard-test-quick

    # And not for ever.
    hold_lists
    packages_lock_seconds=1
    run -1 packages_install imds-guard-test-quick
    [[ $output == *"Could not get lock /run/apt/lists/lock"* ]]
}

@test "what is not to be had is an error, at once and in apt's words" {
    run -1 packages_install imds-guard-test-quick imds-guard-test-none
    [[ $output == *"installing imds-guard-test-quick imds-guard-test-none"* ]]
    [[ $output == *"Unable to locate package imds-guard-test-none"* ]]
}
