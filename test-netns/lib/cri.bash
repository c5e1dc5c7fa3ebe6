# containerd as the kubelet uses it: its CRI plugin, asked over its socket. ctr keeps the configuration
# it started with and knows no pods; this is what nodes run. Sourced, in a world with a node.
#
#   cri_use CODENAME          containerd of that release of Debian (unpacked.bash): 1.7 of trixie, 2.1 of forky
#   cri_install               what must be there once: the pause image, the configuration
#   cri_start, cri_stop       containerd, in the node's network
#   cri_has_entry TYPE        whether the chain that it will call by has a plugin of this type: it takes
#                             notice of a new conflist some time later
#   cri_has_no_entry          whether that chain is there, and imds-guard is not in it
#   cri METHOD [REQUEST]      a call of the RuntimeService; request and answer in protobuf's text form.
#                             What it cannot do is said on standard error.
#   sandbox_run POD NS/NAME [ATTEMPT [ANNOTATION VALUE]...]   a pod's sandbox; POD names its network
#                             namespace from then on, as with pod_add; its id is in sandbox_id POD
#   sandbox_stop, sandbox_remove POD
#   sandbox_end_all           whatever there is
#   cri_tidy                  what runc leaves, at the end
#
# gRPC is HTTP/2 with five bytes before the message; curl speaks the one, protoc writes the other.

cri_cgroup=imds-guard-test-cri
cri_image=docker.io/imds-guard-test/pause:1

# shellcheck source=unpacked.bash
. "$world_root/test-netns/lib/unpacked.bash"

cri_use() { # CODENAME
    local tool
    unpacked_use "$world_root/build" || unavailable "no containerd; run.sh fetches it"
    for tool in runc protoc; do
        type -P $tool >/dev/null || unavailable "$tool is not installed"
    done
    PATH=$unpacked/$1/usr/bin:$PATH
}

cri_install() {
    local tree=/run/pause
    [ -x /bin/busybox ] || unavailable "busybox-static is not installed"
    [ -x /usr/lib/cni/loopback ] || unavailable "containernetworking-plugins is not installed"
    mkdir -p "$tree"/{root/bin,image} /run/sandboxes
    ln -s /usr/lib/cni/loopback /opt/cni/bin/ # which containerd calls by itself
    cp /bin/busybox "$tree/root/bin/"
    tar -C "$tree/root" -cf "$tree/image/layer.tar" .
    jq -n --arg layer "sha256:$(sha256sum "$tree/image/layer.tar" | cut -d ' ' -f 1)" \
        --arg arch "$(dpkg --print-architecture)" '{os: "linux", architecture: $arch,
            config: {Cmd: ["/bin/busybox", "sleep", "36000"]}, rootfs: {type: "layers", diff_ids: [$layer]}}' \
        >"$tree/image/config.json"
    jq -n --arg name "${cri_image#docker.io/}" \
        '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$tree/image/manifest.json"
    tar -C "$tree/image" -cf "$tree/image.tar" manifest.json config.json layer.tar
    cat >/run/containerd.toml <<END
version = 2
root = "/run/containerd/root"
state = "/run/containerd/state"
[grpc]
address = "/run/containerd/socket"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "$cri_image"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
END
}

cri_start() {
    # exec, so that the process is containerd itself and can be told to end.
    (exec nsenter --net=/run/netns/node -- containerd --config /run/containerd.toml) \
        >>/run/containerd.log 2>&1 3>&- 4>&- &
    cri_pid=$!
    wait_until 30 cri_answers
    on_node ctr --address /run/containerd/socket --namespace k8s.io image import /run/pause/image.tar >/dev/null
}

# runc leaves the directory above a sandbox's cgroup.
cri_tidy() {
    find /sys/fs/cgroup -depth -type d -path "*/$cri_cgroup*" -exec rmdir {} + 2>/dev/null || true
}

cri_answers() {
    cri Version >/dev/null 2>&1
}

cri_stop() {
    kill "$cri_pid" 2>/dev/null || return 0
    wait "$cri_pid" 2>/dev/null || true
}

cri() { # METHOD [REQUEST]
    local work type=runtime.v1.$1
    work=$(mktemp -d)
    protoc -I "$world_root/test-netns/fixtures" --encode="${type}Request" cri.proto \
        <<<"${2:-}" >"$work/message"
    # Not compressed, and its length.
    {
        printf "\\0%b" "$(printf %08x "$(stat -c %s "$work/message")" | sed "s/../\\\\x&/g")"
        cat "$work/message"
    } >"$work/question"
    curl --silent --max-time 1200 --http2-prior-knowledge --unix-socket /run/containerd/socket \
        --header 'content-type: application/grpc' --header 'te: trailers' --data-binary "@$work/question" \
        --dump-header "$work/said" --output "$work/answer" \
        "http://localhost/runtime.v1.RuntimeService/$1"
    if ! grep -qi '^grpc-status: 0' "$work/said" 2>/dev/null; then
        grep -i '^grpc-message' "$work/said" >&2 || echo "$1: no answer" >&2
        rm -r "$work"
        return 1
    fi
    tail -c +6 "$work/answer" | protoc -I "$world_root/test-netns/fixtures" --decode="${type}Response" cri.proto
    rm -r "$work"
}

# Its own view of the networks, which it tells in JSON, and protoc prints as a C string.
cri_has_entry() { # TYPE
    cri Status 'verbose: true' | grep -q "\\\\\"type\\\\\":\\\\\"$1\\\\\""
}

cri_has_no_entry() {
    cri_has_entry aws-cni && ! cri_has_entry imds-guard
}

sandbox_id() { # POD
    cat "/run/sandboxes/$1"
}

sandbox_request() { # NS/NAME ATTEMPT [ANNOTATION VALUE]...
    local namespace=${1%%/*} name=${1#*/}
    printf 'config { metadata { name: "%s" uid: "%s-uid" namespace: "%s" attempt: %s }' \
        "$name" "$name" "$namespace" "$2"
    printf ' linux { cgroup_parent: "/%s" }' "$cri_cgroup"
    shift 2
    while [ $# -gt 0 ]; do
        printf ' annotations { key: "%s" value: "%s" }' "$1" "$2"
        shift 2
    done
    printf ' }'
}

sandbox_run() { # POD NS/NAME [ATTEMPT [ANNOTATION VALUE]...]
    local answer id
    answer=$(cri RunPodSandbox "$(sandbox_request "$2" "${3:-0}" "${@:4}")") || return 1
    id=$(sed -n 's/^pod_sandbox_id: "\(.*\)"$/\1/p' <<<"$answer")
    echo "$id" >"/run/sandboxes/$1"
    ip netns attach "$1" "$(sandbox_pid "$id")"
    jq .result "/var/lib/cni/results/aws-cni-$id-eth0" >"$(result_file "$1")"
}

# Of what the runtime tells about a sandbox in JSON, which protoc prints as a C string.
sandbox_pid() { # ID
    cri PodSandboxStatus "pod_sandbox_id: \"$1\" verbose: true" | grep -o '\\"pid\\":[0-9]*' | head -n 1 |
        tr -dc 0-9
}

# Names the runtime's id for who asks about a pod (pods.bash).
pod_container() { # POD
    sandbox_id "$1"
}

sandbox_stop() { # POD
    cri StopPodSandbox "pod_sandbox_id: \"$(sandbox_id "$1")\""
}

sandbox_remove() { # POD
    cri RemovePodSandbox "pod_sandbox_id: \"$(sandbox_id "$1")\""
    ip netns delete "$1"
}

sandbox_end_all() {
    local id
    for id in $(cri ListPodSandbox | sed -n 's/^ *id: "\(.*\)"$/\1/p'); do
        cri StopPodSandbox "pod_sandbox_id: \"$id\"" || true
        cri RemovePodSandbox "pod_sandbox_id: \"$id\"" || true
    done
}
