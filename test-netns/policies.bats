#!/usr/bin/env bats
# The admission policies of examples/cluster, asked about pods and nodes by the library that the API
# server evaluates them with (fixtures/admission). What a binding's namespaceSelector leaves out, the API
# server does not ask about; here its list is only looked at. The startup taint's
# script runs against a stand-in for the API server.

setup_file() {
    unpacked_use "$BATS_TEST_DIRNAME/../build" || {
        echo "no cel-go; run.sh fetches it" >&2
        return 1
    }
    admission=$(unpacked_program admission)
    export admission
}

# shellcheck source=lib/unpacked.bash
. "$BATS_TEST_DIRNAME/lib/unpacked.bash"

setup() {
    cluster=$BATS_TEST_DIRNAME/../examples/cluster
    unpacked_use "$BATS_TEST_DIRNAME/../build"
}

# Reads cases, one a line: what is expected of it, "allowed", "denied" or "not asked", a tab, and a
# request in JSON (or what jq makes one of).
assert_decides() { # FILE-WITH-POLICY <CASES
    local expected request
    gojq --yaml-input -c 'select(.kind == "ValidatingAdmissionPolicy")' "$1" >"$BATS_TEST_TMPDIR/policy.json"
    : >"$BATS_TEST_TMPDIR/expected"
    : >"$BATS_TEST_TMPDIR/requests"
    while IFS='|' read -r expected request; do
        jq -nc --arg name "$request" "$request + {name: \$name}" >>"$BATS_TEST_TMPDIR/requests"
        echo "$request: ${expected%% }" >>"$BATS_TEST_TMPDIR/expected"
    done
    [ -s "$BATS_TEST_TMPDIR/expected" ]
    "$admission" "$BATS_TEST_TMPDIR/policy.json" <"$BATS_TEST_TMPDIR/requests" \
        >"$BATS_TEST_TMPDIR/answers"
    # A denial says what the policy says, and not that an expression could not be evaluated.
    gojq --yaml-input -r '.spec.validations[]?.message' "$1" >"$BATS_TEST_TMPDIR/messages"
    ! grep ': denied: ' "$BATS_TEST_TMPDIR/answers" | sed 's/.*: denied: //' |
        grep -vxF -f "$BATS_TEST_TMPDIR/messages" || return 1
    diff "$BATS_TEST_TMPDIR/expected" <(sed 's/: denied: .*/: denied/' "$BATS_TEST_TMPDIR/answers")
}

@test "host network: denied, and nothing else" {
    assert_decides "$cluster/policies/host-network.yaml" <<'END'
denied |{object: {spec: {hostNetwork: true, containers: [{name: "a"}]}}}
allowed|{object: {spec: {hostNetwork: false, containers: [{name: "a"}]}}}
allowed|{object: {spec: {containers: [{name: "a"}]}}}
END
}

@test "NET_ADMIN: denied in every kind of container, by every name, unless the pod has its own users" {
    assert_decides "$cluster/policies/net-admin.yaml" <<'END'
allowed|{object: {spec: {containers: [{name: "a"}]}}}
allowed|{object: {spec: {containers: [{name: "a", securityContext: {}}]}}}
allowed|{object: {spec: {containers: [{name: "a", securityContext: {capabilities: {drop: ["ALL"]}}}]}}}
allowed|{object: {spec: {containers: [{name: "a", securityContext: {capabilities: {add: ["NET_RAW", "NET_BIND_SERVICE"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a", securityContext: {capabilities: {add: ["NET_ADMIN"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a"}, {name: "b", securityContext: {capabilities: {add: ["CHOWN", "net_admin"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a", securityContext: {capabilities: {add: ["CAP_NET_ADMIN"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a", securityContext: {capabilities: {add: ["all"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a", securityContext: {privileged: true}}]}}}
allowed|{object: {spec: {containers: [{name: "a", securityContext: {privileged: false}}]}}}
denied |{object: {spec: {containers: [{name: "a"}], initContainers: [{name: "i", securityContext: {capabilities: {add: ["NET_ADMIN"]}}}]}}}
denied |{object: {spec: {containers: [{name: "a"}], ephemeralContainers: [{name: "e", securityContext: {capabilities: {add: ["NET_ADMIN"]}}}]}}}
denied |{object: {spec: {hostUsers: true, containers: [{name: "a", securityContext: {capabilities: {add: ["NET_ADMIN"]}}}]}}}
allowed|{object: {spec: {hostUsers: false, containers: [{name: "a", securityContext: {capabilities: {add: ["NET_ADMIN"]}}}]}}}
allowed|{object: {spec: {hostUsers: false, containers: [{name: "a", securityContext: {privileged: true}}]}}}
END
}

@test "the policies have a binding each, which denies, everywhere but in the namespaces listed" {
    local file kinds
    for file in "$cluster"/policies/{host-network,net-admin}.yaml; do
        [ "$(gojq --yaml-input -r .kind "$file" | xargs)" = \
            "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding" ]
        gojq --yaml-input -s -e '.[0].metadata.name == .[1].spec.policyName and .[0].spec.failurePolicy == "Fail"
            and .[1].spec.validationActions == ["Deny"]' "$file"
        gojq --yaml-input -s -e '.[1].spec.matchResources == {namespaceSelector: {matchExpressions: [{
            key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["imds-guard", "kube-system"]}]}}' \
            "$file"
    done
}

@test "the startup taint's account may take that taint away, and do nothing else to a node" {
    local rights=$cluster/components/startup-taint/rights.yaml cases=$BATS_TEST_TMPDIR/cases
    cat >"$BATS_TEST_TMPDIR/prelude.jq" <<'END'
def node: {metadata: {name: "n", labels: {a: "1"}}, spec: {providerID: "aws:///n", taints: [
    {key: "imds-guard/not-ready", effect: "NoSchedule"}, {key: "theirs", effect: "NoExecute"}]}};
def by(user; change): {request: {userInfo: {username: user}}, oldObject: node, object: (node | change)};
def us(change): by("system:serviceaccount:imds-guard:imds-guard-startup-taint"; change);
END
    sed "s/|/&$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/prelude.jq" | sed 's,[/&|],\\&,g')/" >"$cases" <<'END'
allowed|us(.spec.taints |= [.[1]])
denied |us(del(.spec.taints))
denied |us(.spec.taints |= [.[0]])
denied |us(.spec.taints |= [.[1], {key: "more", effect: "NoSchedule"}])
denied |us(.spec.taints |= [.[1]] | .spec.unschedulable = true)
denied |us(.spec.taints |= [.[1]] | .metadata.labels.a = "2")
denied |us(.spec.taints |= [.[1]] | .metadata.annotations.a = "2")
denied |us(.spec.taints |= [.[1]] | .spec.providerID = "aws:///other")
denied |us(.)
not asked|by("system:node:n"; del(.spec.taints))
END
    assert_decides "$rights" <"$cases"
}

node() { # NAME
    jq -nc --arg name "$1" '{kind: "Node", apiVersion: "v1", metadata: {name: $name},
        spec: {taints: [{key: "theirs", effect: "NoExecute"}, {key: "imds-guard/not-ready", effect: "NoSchedule"}]}}'
}

agent() { # NODE READY
    jq -nc --arg node "$1" --arg ready "$2" '{kind: "Pod", apiVersion: "v1",
        metadata: {name: ("imds-guard-" + $node), namespace: "imds-guard"}, spec: {nodeName: $node},
        status: {conditions: [{type: "PodScheduled", status: "True"}, {type: "Ready", status: $ready}]}}'
}

taints() { # NODE
    jq -r --arg name "$1" '.nodes[] | select(.metadata.name == $name).spec.taints[].key' /run/cluster.json | xargs
}

has_taints() { # NODE TAINTS
    [ "$(taints "$1")" = "$2" ]
}

@test "the startup taint goes where the agent is ready, and stays elsewhere" {
    local apiserver script
    apiserver=$(unpacked_program apiserver)
    jq -nc --argjson nodes "$(for name in ready starting bare; do node "$name"; done | jq -s .)" \
        --argjson pods "$(jq -s . <(agent ready True) <(agent starting False))" '{nodes: $nodes, pods: $pods}' \
        >/run/cluster.json
    "$apiserver" /run/cluster.json /run/asked 127.0.0.1:8998 2>/run/apiserver.log 3>&- &
    servers=$!
    printf '{"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:8998"}}], "contexts": [{"name": "c",
        "context": {"cluster": "c"}}], "current-context": "c"}' >/run/kubeconfig
    script=$(gojq --yaml-input -r '.spec.template.spec.containers[0].command[2]' \
        "$cluster/components/startup-taint/deployment.yaml")
    mkdir -p /run/tools
    ln -sf "$unpacked/trixie/usr/bin/kubectl" /run/tools/kubectl
    # In a container of busybox's tools, with /tmp of its own.
    KUBECONFIG=/run/kubeconfig HOME=/run PATH=/run/tools:$PATH \
        busybox sh -c "${script//\/tmp\///run/tools/}" >/run/untaint.log 2>&1 3>&- &
    untaint=$!
    wait_for 60 has_taints ready theirs || { cat /run/untaint.log /run/asked; return 1; }
    has_taints starting 'theirs imds-guard/not-ready'
    has_taints bare 'theirs imds-guard/not-ready'
    # Its agent gets ready.
    jq -c '.pods[1].status.conditions[1].status = "True"' /run/cluster.json >/run/cluster.new
    mv /run/cluster.new /run/cluster.json
    wait_for 60 has_taints starting theirs
    has_taints bare 'theirs imds-guard/not-ready'
    kill "$untaint" "$servers"

    # It has asked for nothing that its role does not give, and the policy allows what it has changed.
    jq -s -e 'all(.[]; .refused != true and ([.verb, .path] | IN(["LIST", "/api/v1/nodes"],
        ["GET", "/api/v1/nodes/ready"], ["PATCH", "/api/v1/nodes/ready"], ["GET", "/api/v1/nodes/starting"],
        ["PATCH", "/api/v1/nodes/starting"]) or (.[0] == "LIST" and (.[1]
        | startswith("/api/v1/namespaces/imds-guard/pods?") and contains("app.kubernetes.io%2Fname%3Dimds-guard")))))' \
        /run/asked
    jq -r 'select(.verb == "PATCH") | "allowed|\({oldObject, object, request: {userInfo: {username:
        "system:serviceaccount:imds-guard:imds-guard-startup-taint"}}})"' /run/asked |
        assert_decides "$cluster/components/startup-taint/rights.yaml"
}

# As wait_until of world.bash: a machine with ten times the load gets ten times as long.
wait_for() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1 * 10))
    until "${@:2}" 2>/dev/null; do
        [ $SECONDS -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

teardown() {
    local process
    for process in ${untaint:-} ${servers:-}; do
        kill "$process" 2>/dev/null || true
    done
}
