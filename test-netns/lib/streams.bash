# Pods that send to IMDS without a pause, and what has become of each packet. Sourced by bats files,
# after suite.bash.
#
#   streams_listen          a server in AWS beside the ones there are: streams_port gives back what it gets
#   stream_start POD ADDRESS   500 pings a second from there (fixtures/stream.c), until streams_stop; no
#                           address translation may hide who it is from
#   stream_talk POD ADDRESS    one connection, over which a line is sent and comes back, and beside it new
#                           connections, one after the other: for a pod that may
#   streams_stop            ends all of them
#   stream_sent, stream_arrived POD    packets to IMDS that have left the pod, and have come there
#   assert_stream_whole POD            nothing that it sent is lost, nor an answer
#   assert_never_cut POD               every connection was answered, and the one that lasts has lasted
#
# Each packet is counted where it leaves the pod and where it arrives, so nothing hangs on patience.

STREAM=${STREAM:-$world_build/test-netns/stream}

streams_port=81
streams=/run/streams

streams_listen() {
    rm -rf "$streams"
    mkdir "$streams"
    streaming=()
    serve "TCP6-LISTEN:$streams_port,fork,reuseaddr,ipv6only=0" PIPE
    in_aws nft -f - <<'END'
table inet streams
delete table inet streams
table inet streams {
    chain arriving { type filter hook prerouting priority raw; policy accept; }
}
END
    wait_until 5 streams_server_listens
}

streams_server_listens() {
    in_aws ss --no-header --listening --tcp --numeric | grep -q ":$streams_port "
}

# POD may be any namespace. First it gets through to somewhere that is open to all: on links that are new, the first
# packet that asks for a neighbour may be lost, and is repeated after a second only.
stream_start() { # POD ADDRESS
    local ip=ip dns=169.254.169.253
    [[ $2 != *:* ]] || ip=ip6 dns=fd00:ec2::253
    wait_until 10 in_pod "$1" ping -n -q -c 1 -W 0.2 -I "$2" $dns >/dev/null
    in_pod "$1" nft -f - <<END
table inet streams {
    counter sent { }
    chain leaving {
        type filter hook output priority filter; policy accept;
        $ip daddr $(imds_of "$2") counter name sent
    }
}
END
    in_aws nft -f - <<END
add counter inet streams from_$1
add rule inet streams arriving $ip saddr $2 $ip daddr $(imds_of "$2") counter name from_$1
END
    stream "$1" "$STREAM" "$2" "$(imds_of "$2")"
}

# Not by in_pod: to kill a function in the background does not kill what it runs.
stream() { # POD COMMAND...
    nsenter --net="/run/netns/$1" -- "${@:2}" </dev/null >"$streams/$1.${#streaming[@]}" 2>&1 3>&- 4>&- &
    streaming+=($!)
    background+=($!)
}

stream_talk() { # POD ADDRESS
    # A pipe in which never anything comes is a pause that needs no process.
    stream "$1" bash -c '
        exec 3<>"/dev/tcp/$0/$1" 4<> <(:) || { echo refused; exit 1; }
        trap "echo talked: \$n; exit" TERM
        for ((n = 0; ; n++)); do
            read -r -t 0.003 -u 4
            printf "%d\n" "$n" >&3 && read -r -t 30 -u 3 answer && [ "$answer" = "$n" ] ||
                { echo "cut after $n"; exit 1; }
        done' "$(imds_of "$2")" $streams_port
    stream "$1" bash -c '
        exec 4<> <(:)
        trap "echo asked: \$n; exit" TERM
        for ((n = 0; ; n++)); do
            read -r -t 0.02 -u 4
            exec 3<>"/dev/tcp/$0/80" && printf "GET / HTTP/1.0\r\n\r\n" >&3 &&
                read -r -t 30 -u 3 answer && [[ $answer == *" 200 "* ]] || { echo "not answered after $n"; exit 1; }
        done' "$(imds_of "$2")"
}

streams_stop() {
    kill -TERM "${streaming[@]}"
    wait "${streaming[@]}" || true
    streaming=()
    sleep 0.1 # what has been sent goes its way, and what answers it
}

stream_sent() { # POD
    in_pod "$1" nft -j list counter inet streams sent | jq '.nftables[].counter.packets // empty'
}

stream_arrived() { # POD
    in_aws nft -j list counter inet streams "from_$1" | jq '.nftables[].counter.packets // empty'
}

# The pods have sent so many more.
streams_go_on() { # PACKETS POD...
    local pod until=()
    for pod in "${@:2}"; do
        until+=($(($(stream_sent "$pod") + $1)))
    done
    sleep "$(awk "BEGIN { print $1 * 0.002 }")"
    for pod in "${@:2}"; do
        wait_until 30 eval "[ \"\$(stream_sent $pod)\" -ge ${until[0]} ]" || return 1
        until=("${until[@]:1}")
    done
}

assert_stream_whole() { # POD
    local sent arrived
    wait_until 5 eval "[ \"\$(stream_arrived $1)\" = \"\$(stream_sent $1)\" ]" 2>/dev/null || true
    sent=$(stream_sent "$1")
    arrived=$(stream_arrived "$1")
    [ "$sent" = "$arrived" ] || fail "$((sent - arrived)) of $sent packets of $1 did not arrive: $(cat "$streams/$1".*)" || return 1
    awk '/packets transmitted/ { if ($1 != $4) exit 1; pings++ } END { exit !pings }' "$streams/$1".* ||
        fail "pings of $1 were not answered: $(cat "$streams/$1".*)"
}

assert_never_cut() { # POD
    local said
    said=$(grep -h -E '^(talked|asked): [1-9]' "$streams/$1".*) || true
    [ "$(wc -l <<<"$said")" -eq 2 ] || fail "$1 was cut off: $(cat "$streams/$1".*)" || return 1
    echo "# $1: $(stream_sent "$1") packets," "${said//$'\n'/ }" >&3
}
