#include "kernel/links/links.h"
#include "kernel/links/rtnetlink.h"
#include "kernel/netlink_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* A dump that links were added to or taken from meanwhile may have left out one that was there all
 * the time. The answer decides what may be taken away, so that it has to be a whole one. */
#define ATTEMPTS 20

struct dump {
    struct link_reply *all;
    size_t count;
    size_t room;
    bool done;
    bool interrupted;
};

static void cleanup_dump(struct dump *dump)
{
    free(dump->all);
}

static int add_link(struct dump *dump, const struct link_reply *link, struct error *err)
{
    if (dump->count == dump->room) {
        size_t room = dump->room == 0 ? 64 : dump->room * 2;
        struct link_reply *all = reallocarray(dump->all, room, sizeof(*all));

        if (all == NULL)
            return error_no_memory(err);
        dump->all = all;
        dump->room = room;
    }
    dump->all[dump->count++] = *link;
    return 0;
}

static int ask_for_dump(const struct rtnetlink *rtnetlink, struct error *err)
{
    union {
        struct nlmsghdr message;
        char bytes[128];
    } buffer;
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer.bytes);

    message->nlmsg_type = RTM_GETLINK;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message->nlmsg_seq = rtnetlink->sequence;
    mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return rtnetlink_send(rtnetlink, message, message->nlmsg_len, err);
}

static int take_message(struct dump *dump, const struct nlmsghdr *message, size_t length,
                        struct error *err)
{
    struct link_reply reply;
    int error;

    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        dump->interrupted = true;
    if (link_reply_read(message, length, &reply))
        return add_link(dump, &reply, err);
    if (!error_reply_read(message, length, &error))
        error = EBADMSG;
    if (error != 0)
        return error_set(err, ERROR_KERNEL, "rtnetlink does not list the links: %s",
                         strerror(error));
    dump->done = true;
    return 0;
}

static int receive_dump(const struct rtnetlink *rtnetlink, struct dump *dump, struct error *err)
{
    int64_t deadline = rtnetlink_deadline();
    union rtnetlink_buffer buffer;
    size_t length;

    while (!dump->done) {
        if (rtnetlink_receive(rtnetlink, deadline, &buffer, &length, err) < 0)
            return -1;
        if (length == 0) {
            dump->interrupted = true;
            return 0;
        }
        int left = (int)length;
        for (const struct nlmsghdr *message = &buffer.message; message_is_whole(message, left);
             message = mnl_nlmsg_next(message, &left))
            if (message->nlmsg_seq == rtnetlink->sequence &&
                take_message(dump, message, (size_t)left, err) < 0)
                return -1;
    }
    return 0;
}

/* With a socket of its own: what is left of an interrupted dump goes away with it. */
static int dump_once(struct dump *dump, struct error *err)
{
    cleanup(rtnetlink) struct rtnetlink rtnetlink = {.fd = -1};

    dump->count = 0;
    dump->done = false;
    dump->interrupted = false;
    if (rtnetlink_open(-1, &rtnetlink, err) < 0 || ask_for_dump(&rtnetlink, err) < 0)
        return -1;
    return receive_dump(&rtnetlink, dump, err);
}

int links_all(struct link_reply **out, size_t *count, struct error *err)
{
    cleanup(dump) struct dump dump = {.interrupted = true};

    for (int attempt = 0; dump.interrupted && attempt < ATTEMPTS; attempt++)
        if (dump_once(&dump, err) < 0)
            return -1;
    if (dump.interrupted)
        return error_set(err, ERROR_KERNEL, "links kept changing while they were listed, %d times",
                         ATTEMPTS);
    *out = steal(&dump.all);
    *count = dump.count;
    return 0;
}
