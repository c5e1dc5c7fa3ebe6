/*
 * What rtnetlink says. Input: a datagram.
 */
#include "fuzz.h"

#include "kernel/links/reply.h"

/* Whatever reads on may take both for strings. */
static void check_link(const struct link_reply *reply)
{
    must(reply->link.index > 0);
    must(reply->link.peer_index >= 0 && reply->link.master_index >= 0);
    must(reply->link.name[0] != '\0');
    must(memchr(reply->link.name, '\0', sizeof(reply->link.name)));
    must(memchr(reply->link.kind, '\0', sizeof(reply->link.kind)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    cleanup(free_memory) void *message = fuzz_rest(input);
    struct link_reply reply;
    int number = 0;
    bool is_link = link_reply_read(message, size, &reply);
    bool is_nsid = nsid_reply_read(message, size, &number);

    if (is_link)
        check_link(&reply);
    if (error_reply_read(message, size, &number)) {
        must(number >= 0);
        must(!is_link && !is_nsid);
    }
    must(!(is_link && is_nsid));
    return 0;
}
