#!/usr/bin/env bats
# install and uninstall as a person calls them, as far as files are concerned: what they say, and that whatever interrupts them or
# runs beside them, the runtime finds a whole conflist. Needs neither root nor namespaces.

# shellcheck disable=SC2030,SC2031,SC2119,SC2120
bats_require_minimum_version 1.5.0

# shellcheck source=lib/trace.bash
. "$BATS_TEST_DIRNAME/lib/trace.bash"

setup() {
    here=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    guard=$(realpath "${IMDS_GUARD:-$here/build/dev/imds-guard}")
    data=$here/plugin/tests/data/conflists
    conf=$BATS_TEST_TMPDIR/net.d
    bin=$BATS_TEST_TMPDIR/bin
    list=$conf/10-aws.conflist
    mkdir "$conf" "$bin"
    cp "$data/aws.conflist" "$list"
    # LeakSanitizer cannot look at a process that strace looks at.
    export ASAN_OPTIONS=detect_leaks=0
}

install_it() { # OPTION...
    "$guard" install --no-sync --conf-dir "$conf" --bin-dir "$bin" "$@"
}

uninstall_it() { # OPTION...
    "$guard" uninstall --keep-guards --conf-dir "$conf" --bin-dir "$bin" "$@"
}

# As aws-node does it: another name, a rename, the mode.
aws_node_writes() { # FILE
    cp "$1" "$list.tmp"
    mv "$list.tmp" "$list"
    chmod 644 "$list"
}

same() { # FILE FILE
    cmp --quiet "$1" "$2"
}

# All that a runtime would load.
loadable() {
    find "$conf" -maxdepth 1 -type f \( -name '*.conf' -o -name '*.conflist' -o -name '*.json' \) \
        -printf '%f\n'
}

# Ours in both directories, temporary files included.
ours() {
    find "$conf" "$bin" -type f -name '*imds-guard*' -printf '%f\n'
}

# --- what it says ---------------------------------------------------------------------------------

@test "says what it wrote, then that nothing had to be" {
    run -0 install_it
    [ "${lines[0]}" = "$bin/imds-guard: written" ]
    [ "${lines[1]}" = "$list: entry written" ]
    [ ${#lines[@]} -eq 2 ]
    same "$list" "$data/aws.expected"
    same "$bin/imds-guard" "$guard"

    run -0 "$bin/imds-guard" install --no-sync --conf-dir "$conf" --bin-dir "$bin"
    [ "${lines[0]}" = "$bin/imds-guard: up to date already" ]
    [ "${lines[1]}" = "$list: entry right already" ]

    run -0 uninstall_it
    [ "$output" = "$list: entry taken out" ]
    same "$list" "$data/aws.conflist"
    [ -x "$bin/imds-guard" ]

    run -0 uninstall_it --remove-binary
    [ "${lines[0]}" = "$list: had no entry" ]
    [ "${lines[1]}" = "$bin/imds-guard: removed" ]
    [ ! -e "$bin/imds-guard" ]
}

@test "makes no conflist and ends with a code of its own" {
    rm "$list"
    run -3 install_it
    [[ $output == *"no conflist in $conf yet"* ]]
    [ -x "$bin/imds-guard" ]
    [ -z "$(ls -A "$conf")" ]
    run -0 uninstall_it
    [[ $output == *"no conflist, nothing to take out"* ]]
}

@test "refuses options, files and lists that make no sense" {
    run -2 install_it --bogus
    [[ $output == *--bogus* ]]
    run -2 install_it here
    run -1 install_it --config "$BATS_TEST_TMPDIR/none"
    [[ $output == *"$BATS_TEST_TMPDIR/none"* ]]
    [ ! -e "$bin/imds-guard" ]
    # A misspelt key must not quietly mean its default.
    echo '{"exempts": []}' >"$BATS_TEST_TMPDIR/misspelt.json"
    run -1 install_it --config "$BATS_TEST_TMPDIR/misspelt.json"
    [[ $output == *"$BATS_TEST_TMPDIR/misspelt.json: \"exempts\" is no config key"* ]]
    same "$list" "$data/aws.conflist"

    mv "$list" "$conf/10-aws.conf"
    run -1 install_it
    [[ $output == *"$conf/10-aws.conf"*"rename it"* ]]
    same "$conf/10-aws.conf" "$data/aws.conflist"
}

@test "helps" {
    local command
    for command in install uninstall; do
        run -0 "$guard" "$command" --help
        [[ $output == "usage: imds-guard $command "* ]]
        [[ $output == *"  imds-guard $command"* ]]
        [[ $output == *--conf-dir* ]]
    done
}

@test "takes the entries of examples/" {
    local entry
    for entry in "$here"/examples/conflists/*.json; do
        run -0 install_it --config "$entry"
        jq --exit-status --slurpfile entry "$entry" \
            '.plugins | map(select(.type == "imds-guard")) == $entry' "$list"
    done
    rm "$list"
    cp "$here/examples/conflists/10-aws.conflist" "$list"
    run -0 install_it
    [[ $output == *"entry right already"* ]]
}

# --- what comes between ---------------------------------------------------------------------------

# For what is tried hundreds of times.
prefer_release() {
    # shellcheck source=lib/release.bash
    . "$here/test-netns/lib/release.bash"
    [ "$guard" != "$here/build/dev/imds-guard" ] || guard=$(release_build "$here") || guard=$here/build/dev/imds-guard
}

# The number of each of these calls that a command makes: "CALL COUNT" lines. (A build that measures
# coverage writes that last.)
calls=openat,read,pread64,getdents64,newfstatat,flock,write,sendfile,fchmod,fchown,fsync,close
calls+=,renameat,renameat2,unlink,unlinkat,mkdirat
count_calls() { # COMMAND...
    local trace=$BATS_TEST_TMPDIR/trace
    strace -f -o "$trace" -e "trace=$calls" "$@" >/dev/null
    sed -n -E '/\.gcda"/q; s/^[0-9]+ +([a-z0-9]+)\(.*/\1/p' "$trace" | sort | uniq -c | awk '{ print $2, $1 }'
}

# The command's own: "CALL FIRST LAST" lines. What `version` calls as well is the dynamic loader's.
own_calls() { # COMMAND...
    count_calls "$guard" version >"$BATS_TEST_TMPDIR/loader"
    count_calls "$@" | awk '
        NR == FNR { loader[$1] = $2; next }
        $2 > loader[$1] { print $1, loader[$1] + 1, $2 }' "$BATS_TEST_TMPDIR/loader" -
}

# Runs the command once for each of its system calls, and kills it as it makes it. RESTORE brings
# back what was there, CHECK looks at what is left.
kill_at_each_call() { # RESTORE CHECK COMMAND...
    local restore=$1 check=$2 call first last number
    shift 2
    kills=0
    "$restore"
    while read -r call first last; do
        for ((number = first; number <= last; number++)); do
            "$restore"
            run strace -f -o /dev/null -e "trace=$call" \
                -e "inject=$call:signal=KILL:when=$number" "$@"
            # What it calls depends on what was there; a few may not come again.
            [ "$status" -eq 137 ] || continue
            kills=$((kills + 1))
            "$check" || { echo "killed at $call $number"; return 1; }
        done
    done < <(own_calls "$@")
    echo "# killed $kills times" >&3
    [ "$kills" -gt 20 ]
}

restore_plain() {
    rm -rf "$conf" "$bin"
    mkdir "$conf" "$bin"
    cp "$data/aws.conflist" "$list"
    chmod 640 "$list"
}

whole_and_only_one() {
    [ "$(loadable)" = 10-aws.conflist ] || return 1
    # Until it is known what it replaced it has the sticky bit.
    [[ $(stat -c %a "$list") =~ ^1?640$ ]] || return 1
    if same "$list" "$data/aws.conflist"; then
        seen_old=1
    elif same "$list" "$data/aws.expected"; then
        seen_new=1
        same "$bin/imds-guard" "$guard" || return 1 # the entry never comes before its plugin
    else
        return 1
    fi
    [ ! -e "$bin/imds-guard" ] || same "$bin/imds-guard" "$guard"
}

nothing_left_behind() {
    whole_and_only_one || return 1
    install_it >/dev/null || return 1
    same "$list" "$data/aws.expected" && [ "$(stat -c %a "$list")" = 640 ] || return 1
    [ "$(ours)" = imds-guard ]
}

@test "killed at any system call, install leaves the old conflist or the new one" {
    prefer_release
    kill_at_each_call restore_plain nothing_left_behind \
        "$guard" install --no-sync --conf-dir "$conf" --bin-dir "$bin"
    [ "$seen_old$seen_new" = 11 ]
}

restore_installed() {
    restore_plain
    install_it >/dev/null
}

entry_only_with_plugin() {
    whole_and_only_one || return 1
    uninstall_it --remove-binary >/dev/null || return 1
    same "$list" "$data/aws.conflist" && [ -z "$(ls -A "$bin")" ]
}

@test "killed at any system call, uninstall leaves no entry without its plugin" {
    prefer_release
    kill_at_each_call restore_installed entry_only_with_plugin \
        "$guard" uninstall --keep-guards --remove-binary --conf-dir "$conf" --bin-dir "$bin"
    [ "$seen_old$seen_new" = 11 ]
}

drop_in_whole_or_not_there() {
    [ "$(loadable)" = 10-aws.conflist ] && same "$list" "$data/aws.conflist" || return 1
    local file=$conf/aws-cni/zz-imds-guard.conf
    if [ -e "$file" ]; then
        seen_new=1
        jq --exit-status '.type == "imds-guard"' "$file" >/dev/null || return 1
    else
        seen_old=1
    fi
    uninstall_it >/dev/null && [ "$(ls -A "$conf")" = 10-aws.conflist ]
}

@test "killed at any system call, install --drop-in leaves a whole file or none" {
    prefer_release
    kill_at_each_call restore_plain drop_in_whole_or_not_there \
        "$guard" install --no-sync --drop-in --conf-dir "$conf" --bin-dir "$bin"
    [ "$seen_old$seen_new" = 11 ]
}

# A directory with a list to chain, a copy of it before that, one that is not ours, and one that is to
# be left alone.
several=(02-istio.conflist 10-aws.conflist 87-podman.conflist)
podman='{"cniVersion":"0.4.0","name":"podman","plugins":[{"type":"bridge"}%s]}'

restore_several() {
    restore_plain
    cp "$data/aws.conflist" "$conf/02-istio.conflist"
    # shellcheck disable=SC2059
    printf "$podman" ',{"type":"imds-guard"}' >"$conf/87-podman.conflist"
    cp "$data/nodes/multus/before/00-multus.conf" "$conf"
}

restore_several_installed() {
    restore_several
    install_it >/dev/null
}

# Each is what it was or what it is to be, and nothing else is there.
several_whole() {
    local name
    [ "$(loadable | sort)" = "$(printf '%s\n' 00-multus.conf "${several[@]}")" ] || return 1
    same "$conf/00-multus.conf" "$data/nodes/multus/before/00-multus.conf" || return 1
    for name in 02-istio 10-aws; do
        same "$conf/$name.conflist" "$data/aws.conflist" ||
            same "$conf/$name.conflist" "$data/aws.expected" || return 1
        # Never an entry without its plugin.
        ! grep -q imds-guard "$conf/$name.conflist" || [ -x "$bin/imds-guard" ] || return 1
    done
    jq --exit-status '.plugins[0].type == "bridge"' "$conf/87-podman.conflist" >/dev/null
}

several_installed() {
    several_whole && install_it >/dev/null || return 1
    same "$list" "$data/aws.expected" && same "$conf/02-istio.conflist" "$data/aws.expected" || return 1
    ! grep -q imds-guard "$conf/87-podman.conflist" && [ "$(ours)" = imds-guard ]
}

several_uninstalled() {
    several_whole && uninstall_it --remove-binary >/dev/null || return 1
    ! grep -rq imds-guard "$conf" && [ -z "$(ls -A "$bin")" ] || return 1
    same "$list" "$data/aws.conflist" && same "$conf/02-istio.conflist" "$data/aws.conflist"
}

@test "killed at any system call, install leaves each of several files whole" {
    prefer_release
    kill_at_each_call restore_several several_installed \
        "$guard" install --no-sync --conf-dir "$conf" --bin-dir "$bin"
}

@test "killed at any system call, uninstall leaves each of several files whole" {
    prefer_release
    kill_at_each_call restore_several_installed several_uninstalled \
        "$guard" uninstall --keep-guards --remove-binary --conf-dir "$conf" --bin-dir "$bin"
}

@test "says what is wrong with one file, and does the others" {
    echo '{"name": "x"' >"$conf/05-broken.conflist"
    run -1 --separate-stderr install_it
    [ "${lines[1]}" = "$list: entry written" ]
    [[ $stderr == *"$conf/05-broken.conflist: not JSON"* ]]
    same "$list" "$data/aws.expected"
    echo '{"name": "x", "type": "multus", "delegates": [{"type": "imds-guard"}]}' >"$conf/05-broken.conflist"
    run -1 --separate-stderr uninstall_it --remove-binary
    [[ $stderr == *"$conf/05-broken.conflist still names imds-guard"* ]]
    [[ $stderr == *"the binary stays"* ]]
    [ -x "$bin/imds-guard" ]
    same "$list" "$data/aws.conflist"
}

# Runs the command once for each of its system calls, which then fails.
fail_at_each_call() { # RESTORE CHECK COMMAND...
    local restore=$1 check=$2 call first last number failures=0 errors=0
    shift 2
    "$restore"
    while read -r call first last; do
        for ((number = first; number <= last; number++)); do
            "$restore"
            run strace -f -o /dev/null -e "trace=$call" \
                -e "inject=$call:error=$(error_of "$call"):when=$number" "$@"
            failures=$((failures + 1))
            errors=$((errors + (status != 0)))
            { [ "$status" -le 1 ] && "$check"; } ||
                { echo "$call $number failed; status $status: $output"; return 1; }
        done
    done < <(own_calls "$@")
    echo "# $failures calls have failed, and $errors times the command has" >&3
    [ "$errors" -gt 10 ]
}

error_of() { # CALL
    case $1 in
    write | sendfile | renameat* | mkdirat) echo ENOSPC ;;
    openat) echo EMFILE ;;
    flock) echo ENOLCK ;;
    fchmod | fchown | unlink*) echo EPERM ;;
    *) echo EIO ;;
    esac
}

# Success only if it is so; and whatever is left, the next run makes it so.
installed_or_not() {
    [ "$status" -ne 0 ] || { same "$list" "$data/aws.expected" && same "$bin/imds-guard" "$guard"; } ||
        return 1
    nothing_left_behind
}

@test "whichever system call fails, install leaves the old conflist or the new one, and tells which" {
    prefer_release
    fail_at_each_call restore_plain installed_or_not \
        "$guard" install --no-sync --conf-dir "$conf" --bin-dir "$bin"
}

uninstalled_or_not() {
    [ "$status" -ne 0 ] || { same "$list" "$data/aws.conflist" && [ ! -e "$bin/imds-guard" ]; } ||
        return 1
    entry_only_with_plugin
}

@test "whichever system call fails, uninstall leaves no entry without its plugin, and tells which" {
    prefer_release
    fail_at_each_call restore_installed uninstalled_or_not \
        "$guard" uninstall --keep-guards --remove-binary --conf-dir "$conf" --bin-dir "$bin"
}

@test "aws-node writes at the same moment, 200 times: its newer version is never lost" {
    local number patched=0 version=$BATS_TEST_TMPDIR/version installer
    prefer_release
    install_it
    for ((number = 1; number <= 200; number++)); do
        sed "s/\"mtu\": \"9001\"/\"mtu\": \"$number\"/" "$data/aws.conflist" >"$version"
        install_it >/dev/null &
        installer=$!
        [ $((number % 3)) -eq 0 ] || sleep "0.00$((number % 10))"
        aws_node_writes "$version"
        wait "$installer"
        [ "$(jq -r '.plugins[0].mtu' "$list")" = "$number" ]
        [ "$(loadable)" = 10-aws.conflist ]
        ! grep --quiet imds-guard "$list" || patched=$((patched + 1))
    done
    echo "patched at once: $patched of 200"
    run -0 install_it
    [ "$(jq -r '[.plugins[] | .mtu // .type] | join(" ")' "$list")" = "200 200 portmap imds-guard" ]
}

@test "ten installers at once" {
    local number pids=()
    for ((number = 0; number < 10; number++)); do
        install_it >"$BATS_TEST_TMPDIR/said.$number" &
        pids+=($!)
    done
    for number in "${pids[@]}"; do
        wait "$number"
    done
    same "$list" "$data/aws.expected"
    same "$bin/imds-guard" "$guard"
    [ "$(cat "$BATS_TEST_TMPDIR"/said.* | grep -c 'entry written')" -eq 1 ]
    [ "$(cat "$BATS_TEST_TMPDIR"/said.* | grep -c 'imds-guard: written')" -eq 1 ]
    [ "$(ours)" = imds-guard ]
}
