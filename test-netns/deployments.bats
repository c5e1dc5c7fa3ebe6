#!/usr/bin/env bats
# The files in examples/ that put imds-guard on nodes, as far as they can be looked at without a
# cluster: kubectl renders what is expected, what is called exists, and the paths are those the binary
# looks at. Needs neither namespaces nor, once its tools are there, root. (deployed.bats runs the agent
# as the DaemonSet says, policies.bats asks the admission policies.)

bats_require_minimum_version 1.5.0

setup_file() {
    # shellcheck source=lib/unpacked.bash
    . "$BATS_TEST_DIRNAME/lib/unpacked.bash"
    unpacked_use "$BATS_TEST_DIRNAME/../build" || {
        echo "no kubectl; run.sh fetches it" >&2
        return 1
    }
    export unpacked
}

setup() {
    here=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    guard=$(realpath "${IMDS_GUARD:-$here/build/dev/imds-guard}")
    cluster=$here/examples/cluster
    unit=$here/examples/node/imds-guard.service
    release=$("$guard" version | sed -n 's/^imds-guard //p')
    # shellcheck source=lib/unpacked.bash
    . "$BATS_TEST_DIRNAME/lib/unpacked.bash"
}

# --- rendering --------------------------------------------------------------------------------------

render() { # DIRECTORY
    unpacked_kubectl kustomize "$1" | sed 's/\(image: imds-guard:\).*/\1VERSION/'
}

# examples/cluster with one of its comments less.
render_with() { # RESOURCE-OR-COMPONENT
    rm -rf "$BATS_TEST_TMPDIR/cluster"
    cp -r "$cluster" "$BATS_TEST_TMPDIR/cluster"
    sed -i -e "s,^  # \(- $1\)\>,  \1," -e '/^components: \[\]$/s/ \[\]//' \
        "$BATS_TEST_TMPDIR/cluster/kustomization.yaml"
    [[ $1 == components/* ]] || sed -i '/^components:$/d' "$BATS_TEST_TMPDIR/cluster/kustomization.yaml"
    grep -qx "  - $1\( .*\)\?" "$BATS_TEST_TMPDIR/cluster/kustomization.yaml"
    render "$BATS_TEST_TMPDIR/cluster"
}

# Expectations are what render and differs print, read by a person before they are committed.
assert_expected() { # NAME <TEXT
    local expected=$BATS_TEST_DIRNAME/fixtures/cluster/$1
    cat >"$BATS_TEST_TMPDIR/$1"
    diff "$expected" "$BATS_TEST_TMPDIR/$1"
}

# What another rendering has that the plain one has not.
differs() { # DIRECTORY-OR-COMPONENT...
    diff -U2 --label "$cluster" --label "$1" <(render "$cluster") <("$@") | tail -n +3
}

@test "kubectl apply -k examples/cluster: namespace, configuration, budget, DaemonSet" {
    render "$cluster" | assert_expected default.yaml
}

@test "each component adds what it says" {
    local name
    for name in audit bottlerocket exit-fence metrics startup-taint; do
        differs render_with "components/$name" | assert_expected "$name.diff"
    done
}

@test "all components and policies go together" {
    local file=$BATS_TEST_TMPDIR/all/kustomization.yaml
    cp -r "$cluster" "$BATS_TEST_TMPDIR/all"
    sed -i -e '/^components: \[\]$/s/ \[\]//' -e 's/^  # - /  - /' "$file"
    render "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/all.yaml"
    [ "$(gojq --yaml-input -r .kind "$BATS_TEST_TMPDIR/all.yaml" | sort -u | xargs)" = "$(xargs <<<"ClusterRole
        ClusterRoleBinding ConfigMap DaemonSet Deployment Namespace PodDisruptionBudget Role RoleBinding
        ServiceAccount ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding")" ]
}

# kubectl asks a cluster for the schema, even for --dry-run=client; here the API's own types stand in.
@test "every object is of the API's types, and has no field that they do not know" {
    local file=$BATS_TEST_TMPDIR/all/kustomization.yaml schema
    schema=$(unpacked_program schema)
    cp -r "$cluster" "$BATS_TEST_TMPDIR/all"
    sed -i -e '/^components: \[\]$/s/ \[\]//' -e 's/^  # - /  - /' "$file"
    { render "$BATS_TEST_TMPDIR/all"; echo ---; render "$cluster/removal"; } |
        gojq --yaml-input -c . >"$BATS_TEST_TMPDIR/objects"
    "$schema" <"$BATS_TEST_TMPDIR/objects" >"$BATS_TEST_TMPDIR/read"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/read")" -eq "$(wc -l <"$BATS_TEST_TMPDIR/objects")" ]
    [ "$(grep -c '^apps/v1 DaemonSet imds-guard$' "$BATS_TEST_TMPDIR/read")" -eq 2 ]

    jq -c 'select(.kind == "DaemonSet").spec.template.spec.containers[0].readynessProbe = {}' \
        "$BATS_TEST_TMPDIR/objects" >"$BATS_TEST_TMPDIR/wrong"
    run -1 "$schema" <"$BATS_TEST_TMPDIR/wrong"
    [[ $output == *'unknown field "spec.template.spec.containers[0].readynessProbe"'* ]]
    run -1 "$schema" <<<'{"apiVersion": "v1", "kind": "Namespace", "spec": {"finalizers": 7}}'
}

@test "removal: the DaemonSet under its name, uninstall in watch's place" {
    differs render "$cluster/removal" | assert_expected removal.diff
}

@test "the image has the binary's version, and another registry keeps it" {
    [ "$(gojq --yaml-input -r '.images[0].newTag' "$cluster/base/kustomization.yaml")" = "$release" ]
    cp -r "$cluster" "$BATS_TEST_TMPDIR/elsewhere"
    # With the command that README.md gives.
    grep '^sed -i' "$cluster/README.md" |
        sed -e 's,REGISTRY,registry.example,' -e "s,examples/cluster,'$BATS_TEST_TMPDIR/elsewhere'," |
        bash -e
    [ "$(sed -n 's/.*newTag: //p' "$cluster/base/kustomization.yaml")" = "$release" ]
    for directory in "$BATS_TEST_TMPDIR"/elsewhere{,/removal}; do
        unpacked_kubectl kustomize "$directory" | grep -q "image: registry.example/imds-guard:[0-9]"
    done
}

# --- against the binary -----------------------------------------------------------------------------

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

pod='select(.kind == "DaemonSet").spec.template.spec'

query() { # FILTER [RESOURCE-OR-COMPONENT]
    if [ $# -eq 1 ]; then render "$cluster"; else render_with "$2"; fi | gojq --yaml-input -r "$1"
}

@test "the DaemonSet calls what exists" {
    local arguments
    mapfile -t arguments < <(query "$pod.containers[].args[]" components/metrics)
    [ "${arguments[0]}" = watch ]
    assert_understood "${arguments[@]}"
    mapfile -t arguments < <(query "$pod.containers[].readinessProbe.exec.command[]")
    grep -qx "ENTRYPOINT \[\"${arguments[0]}\"\]" "$here/examples/Dockerfile"
    assert_understood "${arguments[@]:1}"
    mapfile -t arguments < <(render "$cluster/removal" | gojq --yaml-input -r "$pod.initContainers[].args[]")
    [ "${arguments[0]}" = uninstall ]
    assert_understood "${arguments[@]}"
}

@test "the configurations are such that install takes" {
    local file=$BATS_TEST_TMPDIR/imds-guard.json
    mkdir "$BATS_TEST_TMPDIR/net.d"
    for component in base components/audit components/exit-fence; do
        cp "$here/plugin/tests/data/conflists/aws.conflist" "$BATS_TEST_TMPDIR/net.d/10-aws.conflist"
        "$guard" install --config "$cluster/$component/imds-guard.json" \
            --conf-dir "$BATS_TEST_TMPDIR/net.d" --bin-dir "$BATS_TEST_TMPDIR"
        jq -e --slurpfile config "$cluster/$component/imds-guard.json" \
            '.plugins[] | select(.type == "imds-guard") | del(.capabilities) == $config[0]' \
            "$BATS_TEST_TMPDIR/net.d/10-aws.conflist"
    done
}

@test "the DaemonSet asks for no more than it needs, and mounts what it names" {
    [ "$(query "$pod.hostNetwork")" = true ]
    [ "$(query "$pod.automountServiceAccountToken")" = false ]
    [ "$(query "$pod.tolerations[].operator")" = Exists ]
    [ "$(query "$pod.containers[0].securityContext.readOnlyRootFilesystem")" = true ]
    [ "$(query "$pod.containers[0].securityContext.allowPrivilegeEscalation")" = false ]
    [ "$(query "$pod.containers[0].securityContext.capabilities.drop[]")" = ALL ]
    # The capabilities are those of the systemd unit.
    diff <(query "$pod.containers[0].securityContext.capabilities.add[] | \"CAP_\" + .") \
        <(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr ' ' '\n')
    # Every mount has its volume, and every volume is mounted.
    # One after the other: each renders in the same place.
    local mounts volumes
    mounts=$(query "$pod.containers[].volumeMounts[].name" components/metrics | sort -u)
    volumes=$(query "$pod.volumes[].name" components/metrics | sort -u)
    [ "$mounts" = "$volumes" ]
}

# A directory itself, or one above it.
assert_mounted() { # PATH <MOUNTS
    local path=$1 mounts
    mounts=$(cat)
    until grep -qx "$path" <<<"$mounts"; do
        path=${path%/*}
        [ -n "$path" ] || { echo "$1 is not mounted" >&2; return 1; }
    done
}

@test "the mounts have what the commands use by default, at the same paths as on the node" {
    local path
    for path in $("$guard" watch --help | sed -n 's/.*(default \(\/[^)]*\)).*/\1/p') /run/netns \
        /run/xtables.lock; do
        query "$pod.containers[].volumeMounts[].mountPath" | assert_mounted "$path"
    done
    # A hostPath is mounted where it is on the node; /var/run is the node's link to /run.
    query "$pod as \$pod | \$pod.volumes[] | select(.hostPath) | . as \$volume
        | \$pod.containers[].volumeMounts[] | select(.name == \$volume.name)
        | [.mountPath, \$volume.hostPath.path] | @tsv" |
        sed 's,^/var/run,/run,' | awk '$1 != $2 { print; wrong = 1 } END { exit wrong }'
    # What others delete and make anew is not itself a mount.
    query "$pod.volumes[].hostPath.path" >"$BATS_TEST_TMPDIR/paths"
    run ! grep -x '/etc/cni/net.d\|/run/netns\|/run/xtables.lock' "$BATS_TEST_TMPDIR/paths"
}

# --- without a cluster ------------------------------------------------------------------------------

# systemd finds nothing wrong but that the program is not on this machine.
assert_systemd_takes() { # UNIT...
    type -P systemd-analyze >/dev/null || return 0
    systemd-analyze verify --man=no "$@" 2>&1 | grep -v 'is not executable' >"$BATS_TEST_TMPDIR/said" || true
    diff /dev/null "$BATS_TEST_TMPDIR/said"
}

@test "the unit has its sections, and systemd finds nothing wrong with it" {
    local section
    for section in Unit Service Install; do
        grep -qx "\[$section\]" "$unit"
    done
    grep -qx 'ExecStart=/opt/cni/bin/imds-guard watch' "$unit"
    assert_systemd_takes "$unit"
}

@test "metrics: the unit's drop-in writes where the DaemonSet does" {
    local dropin=$here/examples/node/imds-guard.service.d/metrics.conf
    # shellcheck disable=SC2046 # words
    assert_understood $(sed -n 's,^ExecStart=/opt/cni/bin/imds-guard ,,p' "$dropin")
    [ "$(query "$pod.volumes[] | select(.name == \"textfiles\").hostPath.path" components/metrics)" = \
        "$(sed -n 's,.*--metrics-file \(.*\)/imds-guard.prom$,\1,p' "$dropin")" ]
    mkdir "$BATS_TEST_TMPDIR/imds-guard.service.d"
    cp "$unit" "$BATS_TEST_TMPDIR"
    cp "$dropin" "$BATS_TEST_TMPDIR/imds-guard.service.d/"
    assert_systemd_takes "$BATS_TEST_TMPDIR/imds-guard.service"
}

# A node as far as the user data sees it: what it downloads is there, what it calls says what it did.
user_data_on() { # CONTAINERD-SAYS PACKAGE-MANAGER
    node=$BATS_TEST_TMPDIR/node
    rm -rf "$node"
    mkdir -p "$node/bin" "$node/root"
    package=imds-guard-$release-1.$(uname -m).rpm
    [ "$2" = rpm ] || package=imds-guard_${release}_$(dpkg --print-architecture).deb
    echo "the package" >"$node/$package"
    cat >"$node/bin/said" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"$NODE/calls"
END
    printf '#!/bin/sh\necho "%s"\n' "$1" >"$node/bin/containerd"
    chmod +x "$node"/bin/*
    ln -s said "$node/bin/$2"
    ln -s said "$node/bin/systemctl"
    for tool in bash sh sed grep cat mkdir mktemp sha256sum curl uname rm $([ "$2" = rpm ] || echo dpkg); do
        [ -e "$node/bin/$tool" ] || ln -s "$(type -P "$tool")" "$node/bin/$tool"
    done
    [ "$2" = rpm ] || printf '#!/bin/sh\n[ "$1" = --print-architecture ] && exec %s "$@"\necho "dpkg $*" >>"$NODE/calls"\n' \
        "$(type -P dpkg)" >"$node/bin/said.dpkg"
    [ "$2" = rpm ] || { chmod +x "$node/bin/said.dpkg" && ln -sf said.dpkg "$node/bin/dpkg"; }
    sed -n '/^#!/,/^--imds-guard--/p' "$here/examples/node/user-data.mime" | sed '$d' |
        sed -e "s,^folder=.*,folder=file://$node," -e "s,/etc/,$node/root/etc/,g" \
            -e "s,^0000.*,${3:-$(cd "$node" && sha256sum "$package")}," >"$node/user-data"
    NODE=$node PATH=$node/bin TMPDIR=$node bash "$node/user-data"
}

@test "user data: the package, the unit, and a drop-in where the runtime reads one" {
    user_data_on "$("$unpacked/forky/usr/bin/containerd" --version)" rpm
    [ "$(cat "$node/calls")" = "rpm --install $package
systemctl daemon-reload
systemctl enable --now imds-guard.service" ]
    jq -e '. == {type: "imds-guard", capabilities: {"io.kubernetes.cri.pod-annotations": true}}' \
        "$node/root/etc/cni/net.d/aws-cni/imds-guard.conf"
    # shellcheck disable=SC2046 # words
    assert_understood $(sed -n 's,^ExecStart=/opt/cni/bin/imds-guard ,,p' \
        "$node/root/etc/systemd/system/imds-guard.service.d/drop-in.conf")
    for version in "$("$unpacked/trixie/usr/bin/containerd" --version)" \
        'containerd github.com/containerd/containerd/v2 v2.0.5 fb4c30d4ede3' odd; do
        user_data_on "$version" dpkg
        [ "$(cat "$node/calls")" = "dpkg --install $package
systemctl enable --now imds-guard.service" ]
        [ ! -e "$node/root" ] || [ -z "$(ls "$node/root")" ]
    done
}

@test "user data: what is not what SHA256SUMS says is not installed" {
    run ! user_data_on odd rpm "$(sha256sum </dev/null | sed 's/ .*//')  imds-guard-$release-1.$(uname -m).rpm"
    [ ! -e "$node/calls" ]
    run ! user_data_on odd rpm "$(sha256sum </dev/null | sed 's/ .*//')  another.rpm"
    [ ! -e "$node/calls" ]
}

@test "user data: shellcheck has nothing to say, and the part is one" {
    local file=$here/examples/node/user-data.mime
    sed -n '/^#!/,/^--imds-guard--/p' "$file" | sed '$d' | shellcheck -
    [ "$(grep -c '^--imds-guard$' "$file")" -eq 1 ]
    [ "$(tail -n 1 "$file")" = --imds-guard-- ]
}

@test "the container file's steps name files and presets that exist" {
    local file=$here/examples/Dockerfile
    grep -q '^FROM scratch$' "$file"
    grep -q '^CMD \["watch"\]$' "$file"
    [ -x "$here/$(sed -n 's/^COPY \(pkg-config[^ ]*\) .*/\1/p' "$file")" ]
    cmake -S "$here" --list-presets | grep -q "\"$(sed -n 's/.*cmake --preset \([a-z]*\) .*/\1/p' "$file")\""
}

@test "the workflow: every action by its commit, no right but to read unless a job says so" {
    local workflow=$here/.github/workflows/build.yml
    run ! grep -vE '^[a-z-]+/[a-z-]+@[0-9a-f]{40}$' <(gojq --yaml-input -r '.jobs[].steps[].uses // empty' "$workflow")
    gojq --yaml-input -e '.permissions == {contents: "read"}' "$workflow"
    # Its steps are scripts of bash, which knows what they call.
    { echo '#!/bin/bash'; echo 'IMAGE='; gojq --yaml-input -r '.jobs[].steps[].run // empty' "$workflow"; } |
        shellcheck -
    # The command is the README's.
    grep -qF './test-netns/run.sh' <(gojq --yaml-input -r '.jobs.test.steps[].run // empty' "$workflow")
}
