# What pods of a private world send, and what comes of it. Sourced by world.bash, where its functions
# are listed.

url() { # ADDRESS [PATH]
    case $1 in
    *:*) echo "http://[$1]/${2:-}" ;;
    *) echo "http://$1/${2:-}" ;;
    esac
}

reaches() { # POD ADDRESS [SOURCE]
    in_pod "$1" curl --silent --fail --output /dev/null --max-time 5 ${3:+--interface "$3"} \
        "$(url "$2")"
}

reaches_udp() { # POD ADDRESS PORT
    # One byte, because the first read takes the whole datagram, however little it asks for.
    in_pod "$1" bash -c 'exec 3<>"/dev/udp/$0/$1" && printf %s x >&3 && read -r -N 1 -t 5 answer <&3 &&
        [ "$answer" = x ]' "$2" "$3" 2>/dev/null
}

attack() { # POD ADDRESS [SOURCE]
    local from=${3:+ from $3}
    {
        in_pod "$1" curl --silent --fail --output /dev/null --max-time 0.4 ${3:+--interface "$3"} \
            "$(url "$2")" && echo "TCP to $2$from" &
        in_pod "$1" ping -n -q -c 1 -W 0.4 ${3:+-I "$3"} "$2" >/dev/null 2>&1 &&
            echo "ICMP to $2$from" &
        in_pod "$1" socat -u - "UDP:$(bracketed "$2"):80${3:+,bind=$(bracketed "$3")}" \
            <<<attack 2>/dev/null &
        wait
    } | cat # a pipeline has jobs of its own to wait for, not the caller's
}

bracketed() { # ADDRESS
    case $1 in
    *:*) echo "[$1]" ;;
    *) echo "$1" ;;
    esac
}

imds_of() { # ADDRESS: the IMDS of its family
    case $1 in
    *:*) echo "$imds6" ;;
    *) echo "$imds4" ;;
    esac
}

arrived() {
    in_aws nft -j list counter inet seen imds | jq '.nftables[] | select(.counter).counter.packets'
}
