# shellcheck shell=bash disable=SC2154,SC2034 # what bench.sh sets
# Writes what measure.c reads. Sourced. All print to standard output.
#
#   contender NAME [NODE]           begins one; its processes run in NODE's namespace
#   step_run NAME COMMAND…          a process without environment and input
#   step_take NODE <STEP            does it, now
#   step_cni VERB PLUGIN NODE POD REQUEST [NAME=VALUE…]   a plugin's, with the request in a file

contender() { # NAME [NODE]
    echo "contender $1"
    [ -z "${2:-}" ] || echo "netns /run/netns/$2"
}

step_run() { # NAME COMMAND...
    echo "step $1"
    shift
    printf 'run %s\n' "$@"
    echo "input /dev/null"
}

step_cni() { # VERB PLUGIN NODE POD REQUEST [NAME=VALUE...]
    local verb=$1 plugin=$2 node=$3 pod=$4 request=$5
    shift 5
    cat <<EOF
step $verb
run $plugin
input $request
env CNI_COMMAND=$verb
env CNI_CONTAINERID=bench-$pod
env CNI_NETNS=/run/netns/pods
env CNI_IFNAME=$node.$pod
env CNI_PATH=/opt/cni/bin
env CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-$pod
EOF
    [ $# -eq 0 ] || printf 'env %s\n' "$@"
}

# Takes one step at once, without timing it; its answer goes to standard output.
step_take() { # NODE, the step on standard input
    local word value command=() variables=() input=/dev/null
    while read -r word value; do
        case $word in
        run) command+=("$value") ;;
        env) variables+=("$value") ;;
        input) input=$value ;;
        esac
    done
    node_run "$1" env -i "${variables[@]}" "${command[@]}" <"$input"
}
