# Faults: a command is run once for each system call that it makes itself, and that one call fails,
# or the process is killed as it makes it. Sourced by faults.bats. How much of it: FAULTS=first (one
# or two errors for each call) or all (every error that fits); STEP=3: of equal calls the first, the
# fourth, the seventh...
#
#   each_fault CHECK COMMAND...
#
# runs COMMAND with "${tracer[@]}" in front of the binary (see verb and node_command), and then CHECK
# with $status, $answer (what it wrote to standard output) and $fault. CHECK looks whether that was
# right, and brings back what was there before.

FAULTS=${FAULTS:-first}
tracer=()

# Errors that the call may really give; the first line is what FAULTS=first takes.
errors_of() { # CALL
    local errors
    case $1 in
    sendmsg) errors='ENOBUFS EINVAL:EPERM ENOMEM EINTR' ;;
    recvmmsg) errors='ENOBUFS EINVAL:ENOMEM EINTR' ;;
    setsockopt) errors='ENOMEM EINVAL EAGAIN:EPERM' ;;
    getsockopt) errors='ENOMEM EAGAIN:EPERM EINVAL' ;;
    openat | socket) errors='EMFILE:EACCES ENOMEM' ;;
    read | pread64) errors='EIO:EINTR EISDIR' ;;
    write) errors='ENOSPC:EIO EPIPE EINTR' ;;
    poll) errors='ENOMEM:EINTR' ;;
    flock) errors='ENOLCK:EINTR' ;;
    bind | getsockname) errors='ENOBUFS:EINVAL' ;;
    prctl | capset | capget | ioctl) errors='EPERM:EINVAL' ;;
    brk | fcntl) errors=: ;; # cannot fail: brk returns where the heap ends, F_SETFD needs nothing
    mmap | mremap | munmap | mprotect)
        errors=ENOMEM
        [ "$FAULTS" = first ] || errors=: # AddressSanitizer would give up
        ;;
    getrandom) errors=ENOSYS ;;
    *) errors='EIO:ENOMEM EACCES' ;;
    esac
    if [ "$FAULTS" = all ]; then echo "${errors/:/ }"; else echo "${errors%:*}"; fi
}

# The calls of a run, one a line: CALL TIMES. A build that measures coverage writes that last.
count_calls() { # COMMAND...
    local tracer=(strace -f -o /run/trace)
    "$@" >/dev/null 2>&1
    sed -n -E '/\.gcda"/q; s/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' /run/trace | sort | uniq -c |
        awk '$2 !~ /^exit|^execve$/ { print $2, $1 }'
}

# One line for each call of the command's own: CALL FIRST LAST. What `version` does as well, is the
# dynamic loader's; all but for writing.
own_calls() { # COMMAND...
    count_calls node_command version >/run/loader
    count_calls "$@" | awk '
        NR == FNR { if ($1 != "write") loader[$1] = $2; next }
        $2 > loader[$1] { print $1, loader[$1] + 1, $2 }' /run/loader -
}

each_fault() { # CHECK COMMAND...
    local step=${STEP:-1} check=$1 call first last number # which CHECK may look at as well
    shift
    faults=0
    killed=0
    own_calls "$@" >/run/calls
    while read -r call first last <&5; do
        for ((number = first; number <= last; number += step)); do
            for fault in KILL $(errors_of "$call"); do
                one_fault "$call" "$number" "$@"
                "$check" || {
                    fail "$fault at $call $number of $*: status $status, answer: $answer$(
                        echo; cat /run/said)"
                    return 1
                }
            done
        done
    done 5</run/calls
    wait_until 5 no_zombies || return 1
    echo "# $faults faults in $*, $killed of them fatal" >&3
    # Each call is killed at, and fails in one way or two.
    [ "$faults" -gt 20 ] && [ $((killed * 4)) -gt "$faults" ]
}

one_fault() { # CALL NUMBER COMMAND...
    local what="error=$fault" tracer
    [ "$fault" != KILL ] || what=signal=KILL
    tracer=(strace -f -o /dev/null -e "trace=$1" -e "inject=$1:$what:when=$2")
    shift 2
    status=0
    answer=$("$@" 2>/run/said) || status=$?
    faults=$((faults + 1))
    [ "$status" -ne 137 ] || killed=$((killed + 1))
}

# Of the world's processes, all of whom have a parent that waits.
no_zombies() {
    ! grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null
}

# --- what is run ----------------------------------------------------------------------------------

# A verb for pod a, with the request in /run/request.
verb() { # VERB
    CNI_COMMAND=$1 CNI_CONTAINERID=$container CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
        CNI_ARGS=$arguments CNI_PATH=/opt/cni/bin \
        on_node timeout 1200 "${tracer[@]}" "$IMDS_GUARD" </run/request
}

node_command() { # COMMAND
    on_node timeout 1200 "${tracer[@]}" "$IMDS_GUARD" "$@"
}

# --- what is looked at ----------------------------------------------------------------------------

# Everything that the kernel holds, ours and others', in any order that it may list it, without
# counters.
ruleset() {
    {
        on_node nft --stateless list ruleset | tr , '\n'
        if [ "$BACKEND" = iptables ]; then
            on_node iptables-legacy-save -t mangle
            on_node ip6tables-legacy-save -t mangle
        fi
    } | sed -E 's/^[ \t]*(elements = \{)? *//; s/ *\}? *$//; s/ \[[0-9:]+\]$//; /^#/d; /^$/d' | sort
}

# Rules of others, which say 10.9.8.7.
others_write() {
    on_node nft 'add table inet mine; add chain inet mine c { type filter hook forward priority 0; };
        add rule inet mine c ip saddr 10.9.8.7 drop'
    [ "$BACKEND" = nftables ] || for tool in iptables-legacy ip6tables-legacy; do
        on_node $tool -t mangle -A FORWARD -m comment --comment 10.9.8.7 -j ACCEPT
        on_node $tool -t mangle -P INPUT DROP
    done
}

others_now() {
    on_node nft --stateless list table inet mine
    [ "$BACKEND" = nftables ] || for tool in iptables-legacy-save ip6tables-legacy-save; do
        on_node $tool -t mangle | sed -n -E 's/ \[[0-9:]+\]$//; /10\.9\.8\.7|^:[A-Z]+ [A-Z]/p'
    done
}

# One error object, and nothing else.
is_error() { # TEXT
    jq --exit-status --slurp 'length == 1 and (.[0] | (.code | type) == "number" and .code > 0
        and (.msg | type) == "string" and .msg != "")' <<<"$1" >/dev/null 2>&1
}

# What every verb must do: end by itself (unless killed), tell success from failure, and write one
# JSON object or nothing. SUCCESS is what it prints if it succeeds.
assert_well_behaved() { # SUCCESS
    case $fault:$status in
    *:0) [ "$answer" = "$1" ] ;;
    KILL:137) [ -z "$answer" ] || [ "$answer" = "$1" ] ;;
    ENOSPC:1 | EIO:1 | EPIPE:1) [ -z "$answer" ] || is_error "$answer" ;; # nowhere to write it to
    *:1) is_error "$answer" ;;
    *) false ;;
    esac || fail "misbehaves"
}

assert_ruleset() { # RULESET
    local now
    now=$(ruleset)
    [ "$now" = "$1" ] || fail "the ruleset is not right: $(diff <(echo "$1") <(echo "$now"))"
}

assert_others_untouched() {
    [ "$(others_now)" = "$others" ] || fail "somebody else's rules are not what they were"
}
