# What pods of a private world send, and what comes of it. Sourced by world.bash, where its functions
# are listed.

# Seconds, for what is expected to come: only what is lost takes as long, also on a busy machine.
packets_patience=30

url() { # ADDRESS [PATH]
    case $1 in
    *:*) echo "http://[$1]/${2:-}" ;;
    *) echo "http://$1/${2:-}" ;;
    esac
}

# What a web server answers. Not curl: to load its libraries takes longer than all the rest.
http_get() { # SECONDS POD ADDRESS [SOURCE]
    local address=$3 source=${4:+,bind=$4}
    [[ $address != *:* ]] || address=[$address]
    [[ $source != *:* ]] || source=,bind=[$4]
    in_pod "$2" socat -t "$1" -T "$1" - "TCP:$address:80,connect-timeout=$1,shut-none$source" \
        <<<$'GET / HTTP/1.0\r\n\r' 2>/dev/null
}

reaches() { # POD ADDRESS [SOURCE]
    [[ $(http_get "$packets_patience" "$@") == HTTP/1.?' 200 '* ]]
}

# As resolvers do: a datagram may be lost, and is sent again.
reaches_udp() { # POD ADDRESS PORT
    # One byte, because the first read takes the whole datagram, however little it asks for.
    in_pod "$1" bash -c 'exec 3<>"/dev/udp/$0/$1" || exit
        for try in 1 2 3; do
            printf %s x >&3 && read -r -N 1 -t "$2" answer <&3 && [ "$answer" = x ] && exit
        done
        exit 1' "$2" "$3" "$packets_patience" 2>/dev/null
}

attack() { # POD ADDRESS [SOURCE]
    local from=${3:+ from $3}
    {
        [ -z "$(http_get 0.4 "$@")" ] || echo "TCP to $2$from" &
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
    [[ $(in_aws nft list counter inet seen imds) =~ packets\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}
