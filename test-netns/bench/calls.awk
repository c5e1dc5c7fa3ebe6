# Accounts for every system call of one ADD, as strace wrote them: what each is for. Reads plugin/cni/add.c
# first, which says how many there are of each kind, in a column a backend (-v column=1 nftables,
# column=2 iptables). Prints a table; what it finds otherwise than it is said there goes to standard
# error, and makes it fail. With -v linkage=dynamic, of which add.c does not speak, nothing does.
function is(pattern, for_what) {
    if (reason == "" && $0 ~ pattern)
        reason = for_what
}

function complain(what) {
    if (linkage == "dynamic")
        return
    print "bench: " what > "/dev/stderr"
    wrong = 1
}

FNR == NR && match($0, /^ \* +[0-9-]+ +[0-9-]+  /) {
    said[substr($0, RLENGTH + 1)] = $(column + 1) + 0
}
FNR == NR { next }

{
    sub(/^[0-9]+ +/, "")
    reason = ""
}
/^(\+\+\+|---)/ { next }

{
    # Until main's first call it is the C library's, and the loader's in a dynamic build.
    if (!started && !/^poll/)
        is("^", "starting: the program, its libraries, the heap, the stack's guard")
    is("^(brk|mmap|munmap|mremap|madvise|mprotect)\\(", "memory")
    if (!started)
        is("^poll", "standard descriptors are open: no socket takes a closed one's place")
    started = started || /^poll/
    is("^prctl\\(PR_SET_NO_NEW_PRIVS|^cap[gs]et", "capabilities that are not needed (any more) go")
    is("SIGPIPE", "a runtime that has gone away is an error, not a death")
    is("^(poll|read)\\((\\[\\{fd=)?0", "the request: a bounded wait, then what is there, up to its end")
    is("^(exit_group|write\\(1)", "the result, and the end")
    is("^openat.*O_NONBLOCK", "CNI_NETNS is there")
}
/NETLINK_ROUTE|NETLINK_NETFILTER|_tables_names|xtables.lock|IPPROTO_RAW/ {
    section = /NETLINK_ROUTE/ ? "links: the number of the pod's namespace, and those in it and the host's" : \
              /NETLINK_NETFILTER/ ? "nf_tables: what is there, and one transaction" : \
              /_tables_names/ ? "legacy tables are not live, and hold no former guard of the pod" : \
              /xtables.lock/ ? "the xtables lock" : \
              "legacy tables: read, and written whole, IPv4 and IPv6"
}
{
    is("^(getpid|socket|bind|getsockname|setsockopt|getsockopt|fcntl|send|sendto|sendmsg|recv|recvmsg|recvmmsg|poll|openat|access|flock|fstat|newfstatat|read|close|pread64)\\(", section)
    if (reason == "")
        reason = "UNACCOUNTED " $0
    name = $0
    sub(/\(.*/, "", name)
    if (!(reason in count))
        order[++reasons] = reason
    count[reason]++
    total++
    if (!((reason, name) in names)) {
        list[reason] = list[reason] (list[reason] == "" ? "" : ", ") name
    }
    names[reason, name]++
}

END {
    print "| calls | for what | which |"
    print "| ---: | --- | --- |"
    for (i = 1; i <= reasons; i++) {
        printf "| %d | %s | %s |\n", count[order[i]], order[i], list[order[i]]
        if (count[order[i]] != said[order[i]])
            complain(count[order[i]] " system calls, but add.c says " said[order[i]] + 0 ": " order[i])
    }
    printf "| **%d** | | |\n", total
    for (what in said)
        if (said[what] > 0 && !(what in count))
            complain("no system calls, but add.c says " said[what] ": " what)
    exit wrong
}
