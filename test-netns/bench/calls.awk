# Accounts for every system call of one ADD, as strace wrote them: what each is for. A call that no
# line here knows is one too many, and is told as such.
function is(pattern, for_what) {
    if (reason == "" && $0 ~ pattern)
        reason = for_what
}

{
    sub(/^[0-9]+ +/, "")
    reason = ""
}
/^(\+\+\+|---)/ { next }

{
    # Until main's first call it is the C library's, and the loader's in a dynamic build.
    if (!started && !/F_GETFD/)
        is("^", "starting: the program, its libraries, the heap, the stack's guard")
    started = started || /F_GETFD/
    is("^(brk|mmap|munmap|mremap|madvise|mprotect)\\(", "memory")
    is("F_GETFD", "standard descriptors are open: no socket of ours takes a closed one's place")
    is("^get(e?uid|e?gid)", "not set-uid")
    is("^prctl\\(PR_SET_NO_NEW_PRIVS|^cap[gs]et", "capabilities that are not needed (any more) go")
    is("SIGPIPE", "a runtime that has gone away is an error, not a death")
    is("^(poll|read)\\((\\[\\{fd=)?0", "the request: a bounded wait, then what is there, up to its end")
    is("^(exit_group|write\\(1|fstat\\(1|newfstatat\\(1|ioctl\\(1)", "the result, and the end")
    if (/NS_GET_NSTYPE/)
        section = ""
    is("NS_GET_NSTYPE", "CNI_NETNS is a network namespace")
    is("^openat.*O_NONBLOCK", "CNI_NETNS is a network namespace")
    is("^(newfstatat|stat)\\(.*ns/net", "host networking or not: is it our own namespace")
    is("^fstat\\(3, .*S_IFREG\\|0444", "host networking or not: is it our own namespace")
    is("^newfstatat\\(3, \"\", .*S_IFREG\\|0444", "host networking or not: is it our own namespace")
    is("^setns|^openat.*ns/net", "a socket in the pod's namespace: there, and back")
}
/NETLINK_ROUTE|NETLINK_NETFILTER|_tables_names|xtables.lock|IPPROTO_RAW/ {
    section = /NETLINK_ROUTE/ ? "links: what the pod's namespace and the host's say of them" : \
              /NETLINK_NETFILTER/ ? "nf_tables: what is there (generation, guard, skeleton, endpoints), one transaction" : \
              /_tables_names/ ? "are there legacy tables that may hold this pod's former guards" : \
              /xtables.lock/ ? "the xtables lock" : \
              "legacy tables: read, and written whole, IPv4 and IPv6"
}
{
    is("^(socket|bind|getsockname|setsockopt|getsockopt|fcntl|send|sendto|sendmsg|recv|recvmsg|recvmmsg|poll|openat|access|flock|fstat|newfstatat|read|close|pread64)\\(", section)
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
    for (i = 1; i <= reasons; i++)
        printf "| %d | %s | %s |\n", count[order[i]], order[i], list[order[i]]
    printf "| **%d** | | |\n", total
}
