/*
 * What rtnetlink says. Input: a datagram.
 */
#include "fuzz.h"

#include "kernel/links/reply.h"
#include "kernel/netlink/attributes.h"

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
    cleanup(free_memory) struct nlmsghdr *message = fuzz_rest(input);
    struct link_reply reply;
    const char *text = NULL;
    int number = 0;

    if (!message_is_whole(message, (int)size))
        return 0;
    bool is_link = link_reply_read(message, &reply);
    bool is_nsid = nsid_reply_read(message, &number);
    bool is_route = route_reply_read(message, &number);

    if (is_link)
        check_link(&reply);
    if (is_route)
        must(number >= 0);
    must(is_link + is_nsid + is_route + message_is_ack(message, &number, &text) <= 1);
    return 0;
}
