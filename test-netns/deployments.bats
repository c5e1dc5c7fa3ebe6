#!/usr/bin/env bats
# The files in examples/ that put imds-guard on nodes, as far as they can be looked at without a
# cluster: they parse, what they call exists, and the paths are those the binary looks at. Needs neither
# root nor namespaces.

setup() {
    here=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    guard=$(realpath "${IMDS_GUARD:-$here/build/dev/imds-guard}")
    daemonset=$here/examples/daemonset.yaml
    metrics=$here/examples/daemonset-metrics.yaml
    unit=$here/examples/imds-guard.service
}

# Every option in the arguments is in the help of the command that they start with.
assert_understood() { # COMMAND OPTION-OR-VALUE...
    local help word
    help=$("$guard" "$1" --help)
    for word in "${@:2}"; do
        case $word in
        --*) grep -q -- "$word" <<<"$help" || { echo "$1 has no option $word" >&2; return 1; } ;;
        esac
    done
}

query() { # FILTER
    yq -r "$1" "$daemonset"
}

# systemd finds nothing wrong but that the program is not on this machine.
assert_systemd_takes() { # UNIT...
    type -P systemd-analyze >/dev/null || return 0
    systemd-analyze verify --man=no "$@" 2>&1 | grep -v 'is not executable' >"$BATS_TEST_TMPDIR/said" || true
    diff /dev/null "$BATS_TEST_TMPDIR/said"
}

@test "the DaemonSet parses, and calls what exists" {
    local arguments
    [ "$(query .kind | xargs)" = "ConfigMap DaemonSet" ]
    mapfile -t arguments < <(query 'select(.kind == "DaemonSet").spec.template.spec.containers[].args[]')
    [ "${arguments[0]}" = watch ]
    assert_understood "${arguments[@]}"
}

@test "the DaemonSet's configuration is one that install takes" {
    local file=$BATS_TEST_TMPDIR/imds-guard.json
    query 'select(.kind == "ConfigMap").data["imds-guard.json"]' >"$file"
    mkdir "$BATS_TEST_TMPDIR/net.d"
    cp "$here/plugin/tests/data/conflists/aws.conflist" "$BATS_TEST_TMPDIR/net.d/10-aws.conflist"
    "$guard" install --config "$file" --conf-dir "$BATS_TEST_TMPDIR/net.d" \
        --bin-dir "$BATS_TEST_TMPDIR"
    jq -e '.plugins[] | select(.type == "imds-guard").mode == "enforce"' \
        "$BATS_TEST_TMPDIR/net.d/10-aws.conflist"
}

@test "the DaemonSet asks for no more than it needs, and mounts what it names" {
    local pod='select(.kind == "DaemonSet").spec.template.spec'
    [ "$(query "$pod.hostNetwork")" = true ]
    [ "$(query "$pod.automountServiceAccountToken")" = false ]
    [ "$(query "$pod.tolerations[].operator")" = Exists ]
    [ "$(query "$pod.containers[0].securityContext.readOnlyRootFilesystem")" = true ]
    [ "$(query "$pod.containers[0].securityContext.allowPrivilegeEscalation")" = false ]
    [ "$(query "$pod.containers[0].securityContext.capabilities.drop[]")" = ALL ]
    [ "$(query "$pod.volumes[] | select(.name == \"xtables-lock\").hostPath.type")" = FileOrCreate ]
    # Every mount has its volume, and every volume is mounted.
    diff <(query "$pod.containers[].volumeMounts[].name" | sort -u) \
        <(query "$pod.volumes[].name" | sort -u)
}

@test "mounts and the unit's paths are those that the commands use by default" {
    local help path
    help=$("$guard" watch --help)
    for path in /etc/cni/net.d /opt/cni/bin /var/lib/cni; do
        grep -q "$path" <<<"$help"
        query 'select(.kind == "DaemonSet").spec.template.spec.containers[].volumeMounts[].mountPath' |
            grep -qx "$path"
    done
    grep -qx 'ExecStart=/opt/cni/bin/imds-guard watch' "$unit"
}

@test "the unit has its sections, and systemd finds nothing wrong with it" {
    local section
    for section in Unit Service Install; do
        grep -qx "\[$section\]" "$unit"
    done
    # shellcheck disable=SC2046 # words
    assert_understood $(sed -n 's,^ExecStart=/opt/cni/bin/imds-guard ,,p' "$unit")
    assert_systemd_takes "$unit"
}

@test "metrics: a container more, for the DaemonSet that is there, of what it mounts" {
    local pod=.spec.template.spec
    diff <(query 'select(.kind == "DaemonSet") | .apiVersion, .metadata.name, .metadata.namespace') \
        <(yq -r '.apiVersion, .metadata.name, .metadata.namespace' "$metrics")
    [ "$(yq -r "$pod.containers[].name" "$metrics")" = metrics ]
    # Each mount is one of the DaemonSet's, at the same path, or of the directory for the file.
    diff <(query "select(.kind == \"DaemonSet\")$pod.containers[].volumeMounts[] | [.name, .mountPath] | @tsv" |
        grep -v /config) \
        <(yq -r "$pod.containers[].volumeMounts[] | select(.name != \"textfiles\")
            | [.name, .mountPath] | @tsv" "$metrics")
    [ "$(yq -r "$pod.volumes[].name" "$metrics")" = textfiles ]
    [ "$(yq -r "$pod.containers[0].workingDir" "$metrics")" = \
        "$(yq -r "$pod.containers[0].volumeMounts[] | select(.name == \"textfiles\").mountPath" "$metrics")" ]
}

@test "metrics: the unit and its timer, and systemd finds nothing wrong with them" {
    local units=("$here"/examples/imds-guard-metrics.{service,timer})
    [ "$(yq -r '.spec.template.spec.volumes[0].hostPath.path' "$metrics")" = \
        "$(sed -n 's/^WorkingDirectory=//p' "${units[0]}")" ]
    diff <(yq -r '.spec.template.spec.containers[0].securityContext.capabilities.add[] | "CAP_" + .' "$metrics") \
        <(sed -n 's/^CapabilityBoundingSet=//p' "${units[0]}" | tr ' ' '\n')
    grep -qx 'Type=oneshot' "${units[0]}"
    grep -qx 'WantedBy=timers.target' "${units[1]}"
    assert_systemd_takes "${units[@]}"
}

@test "the container file's steps name files and presets that exist" {
    local file=$here/examples/Dockerfile
    grep -q '^FROM scratch$' "$file"
    grep -q '^CMD \["watch"\]$' "$file"
    [ -x "$here/$(sed -n 's/^COPY \(pkg-config[^ ]*\) .*/\1/p' "$file")" ]
    cmake -S "$here" --list-presets | grep -q "\"$(sed -n 's/.*cmake --preset \([a-z]*\) .*/\1/p' "$file")\""
}
