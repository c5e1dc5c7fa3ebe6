#!/usr/bin/env bats
# Input that is wrong, through the real binary: the code says whose fault it is, the message what to do,
# and nothing of ours is left behind. The rows are those of the man page's table of errors.

# shellcheck source=lib/suite.bash
. "$BATS_TEST_DIRNAME/lib/suite.bash"

setup() {
    node_new
    conflist_plain regular
    pod_add a
    conflist regular
}

# What comes in on standard input, as it is.
stdin_of() { # VERB COMMAND...
    local verb=$1
    shift
    "$@" | plugin_raw "$verb" a
}

edited() { # VERB FILTER
    local verb=$1
    request a | jq -c "$2" | plugin_raw "$verb" a
}

@test "standard input is no JSON: 6, and where" {
    for verb in ADD CHECK DEL; do
        assert_error 6 stdin_of $verb true
        assert_error 6 stdin_of $verb echo
        assert_error 6 stdin_of $verb echo '{"cniVersion": "0.4.0", "name": nonsense}'
        assert_says 'byte 32'
        assert_error 6 stdin_of $verb printf '{"a": "\0"}'
        assert_error 6 stdin_of $verb printf '{"a": "\xff"}'
        assert_error 6 stdin_of $verb eval 'request a; echo "{}"'
        assert_error 6 stdin_of $verb eval 'request a; printf "\\0"'
        assert_error 6 stdin_of $verb echo '[]'
        assert_error 6 stdin_of $verb echo '"text"'
        assert_error 6 stdin_of $verb eval 'head -c 100000 /dev/zero | tr "\\0" "["'
        assert_error 6 stdin_of $verb eval 'request a | head -c 200'
        assert_error 6 stdin_of $verb eval 'head -c 5000000 /dev/zero | tr "\\0" " " 2>/dev/null'
        assert_says 4194304
    done
    assert_no_guards
}

@test "the environment: 4, naming everything that is missing or wrong at once" {
    CNI_CONTAINERID='' CNI_NETNS='' CNI_IFNAME='' assert_error 4 plugin ADD a
    assert_says CNI_CONTAINERID CNI_NETNS CNI_IFNAME
    CNI_CONTAINERID='a/b' CNI_IFNAME='a b' assert_error 4 plugin ADD a
    assert_says CNI_CONTAINERID CNI_IFNAME
    for id in '' '.' '-x' 'a b' 'a/b' $'a\n' 'ä' '../x' 'a;b'; do
        CNI_CONTAINERID=$id assert_error 4 plugin ADD a
        CNI_CONTAINERID=$id assert_error 4 plugin DEL a
    done
    CNI_CONTAINERID=$(printf 'c%.0s' {1..250}) assert_error 4 plugin ADD a
    for verb in add ' ADD' 'ADD ' ADDD UPDATE '%s' $'\n'; do
        assert_error 4 plugin "$verb" a
    done
    CNI_NETNS='' assert_error 4 plugin CHECK a
    assert_says CNI_NETNS
    assert_no_guards
}

@test "versions: 1, with those that are supported" {
    for version in '"0.1.0"' '"0.2.0"' '"2.0.0"' '""' '"0.4"' '"1.0.0 "' '"latest"'; do
        assert_error 1 edited ADD ".cniVersion = $version"
        assert_says 0.3.0 1.1.0
    done
    assert_error 1 edited ADD 'del(.cniVersion)'
    CNI_VERSION=0.3.1 assert_error 1 plugin CHECK a
    CNI_VERSION=1.0.0 PREV_RESULT='' assert_error 1 plugin GC a
    CNI_VERSION=1.0.0 PREV_RESULT='' assert_error 1 plugin STATUS a
    assert_error 7 edited ADD '.cniVersion = 1'
    assert_no_guards
}

@test "prevResult: 7, naming the place" {
    PREV_RESULT='' assert_error 7 plugin ADD a
    assert_says "after another plugin"
    PREV_RESULT='' assert_error 7 plugin CHECK a
    PREV_RESULT=null assert_error 7 edited ADD '.prevResult = null'
    for result in 5 '"text"' '[]' true; do
        assert_error 7 edited ADD ".prevResult = $result"
        assert_says prevResult
    done
    assert_error 7 edited ADD '.prevResult.interfaces = {}'
    assert_says prevResult.interfaces
    for filter in '[1] = 5' '[1].name = 5' '[1] |= del(.name)' '[1].name = ""' '[1].sandbox = []' '[1].sandbox = 1'; do
        assert_error 7 edited ADD ".prevResult.interfaces$filter"
        assert_says "prevResult.interfaces[1]"
    done
    assert_error 7 edited ADD '.prevResult.interfaces = [range(300) | {name: "e\(.)"}]'
    assert_error 7 edited ADD '.prevResult.cniVersion = "9.0.0"'
    assert_no_guards
}

@test "our keys: 7, naming key and value" {
    local filter
    while read -r filter key value; do
        assert_error 7 edited ADD "$filter" || return 1
        assert_says "$key" "$value" || return 1
    done <<'END'
.mode="sometimes" mode sometimes
.mode=null mode null
.mode=["enforce"] mode enforce
.backend="pf" backend pf
.backend=5 backend 5
.endpoints="169.254.169.254" endpoints 169.254.169.254
.endpoints=[] endpoints []
.endpoints=["169.254.169.256"] endpoints 169.254.169.256
.endpoints=["169.254.169.254/33"] endpoints 169.254.169.254/33
.endpoints=["169.254.169.254/16"] endpoints 169.254.0.0/16
.endpoints=["0.0.0.0/0"] endpoints 0.0.0.0/0
.endpoints=["::ffff:169.254.169.254"] endpoints ::ffff:169.254.169.254
.endpoints=["imds.local"] endpoints imds.local
.endpoints=[7] endpoints 7
.exempt={} exempt {}
.exempt=[{}] exempt[0] namespace
.exempt=[{"pod":"x"}] exempt[0] namespace
.exempt=[{"namespace":""}] exempt[0].namespace ""
.exempt=[{"namespace":"a","pods":"x"}] exempt[0] pods
.exempt=[{"namespace":"a","annotation":{}}] exempt[0].annotation {}
.exempt=[{"namespace":"a","annotation":{"k":true}}] exempt[0].annotation true
.lockTimeoutSeconds="10" lockTimeoutSeconds 10
.lockTimeoutSeconds=-1 lockTimeoutSeconds -1
.lockTimeoutSeconds=1.5 lockTimeoutSeconds 1.5
.lockTimeoutSeconds=1e9 lockTimeoutSeconds 1
.name="a/b" name a/b
.name="" name name
END
    for key in mode backend endpoints exempt lockTimeoutSeconds prevResult name cniVersion; do
        twice() {
            { printf '{"%s": "x", "%s": "y", ' "$key" "$key" && request a | tail -c +2; } | plugin_raw ADD a
        }
        assert_error 7 twice
        assert_says $key
    done
    assert_no_guards
}

@test "an ADD that fails leaves the guard that stood before" {
    plugin ADD a >/dev/null
    assert_guards a drop
    assert_error 7 edited ADD '.mode = "sometimes"'
    CNI_NETNS=/run/absent assert_error 8 plugin ADD a
    PREV_RESULT='{"interfaces": [{"name": "lo"}]}' CNI_IFNAME=net9 assert_error 100 plugin ADD a
    assert_imds_silent a
}
