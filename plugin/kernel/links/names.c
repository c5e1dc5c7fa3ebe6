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

struct names {
    char (*all)[INTERFACE_NAME_SIZE];
    size_t count;
    size_t room;
    bool done;
    bool interrupted;
};

static void cleanup_names(struct names *names)
{
    free(names->all);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int add_name(struct names *names, const char *name, struct error *err)
{
    if (names->count == names->room) {
        size_t room = names->room == 0 ? 64 : names->room * 2;
        char(*all)[INTERFACE_NAME_SIZE] = reallocarray(names->all, room, sizeof(*all));

        if (all == NULL)
            return error_no_memory(err);
        names->all = all;
        names->room = room;
    }
    memcpy(names->all[names->count++], name, INTERFACE_NAME_SIZE);
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

static int take_message(struct names *names, const struct nlmsghdr *message, size_t length,
                        struct error *err)
{
    struct link_reply reply;
    int error;

    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        names->interrupted = true;
    if (link_reply_read(message, length, &reply))
        return add_name(names, reply.link.name, err);
    if (!error_reply_read(message, length, &error))
        error = EBADMSG;
    if (error != 0)
        return error_set(err, ERROR_KERNEL, "rtnetlink does not list the links: %s",
                         strerror(error));
    names->done = true;
    return 0;
}

static int receive_dump(const struct rtnetlink *rtnetlink, struct names *names, struct error *err)
{
    int64_t deadline = rtnetlink_deadline();
    union rtnetlink_buffer buffer;
    size_t length;

    while (!names->done) {
        if (rtnetlink_receive(rtnetlink, deadline, &buffer, &length, err) < 0)
            return -1;
        if (length == 0) {
            names->interrupted = true;
            return 0;
        }
        int left = (int)length;
        for (const struct nlmsghdr *message = &buffer.message; message_is_whole(message, left);
             message = mnl_nlmsg_next(message, &left))
            if (message->nlmsg_seq == rtnetlink->sequence &&
                take_message(names, message, (size_t)left, err) < 0)
                return -1;
    }
    return 0;
}

/* With a socket of its own: what is left of an interrupted dump goes away with it. */
static int dump_once(struct names *names, struct error *err)
{
    cleanup(rtnetlink) struct rtnetlink rtnetlink = {.fd = -1};

    names->count = 0;
    names->done = false;
    names->interrupted = false;
    if (rtnetlink_open(-1, &rtnetlink, err) < 0 || ask_for_dump(&rtnetlink, err) < 0)
        return -1;
    return receive_dump(&rtnetlink, names, err);
}

int links_names(char (**out)[INTERFACE_NAME_SIZE], size_t *count, struct error *err)
{
    cleanup(names) struct names names = {.interrupted = true};

    for (int attempt = 0; names.interrupted && attempt < ATTEMPTS; attempt++)
        if (dump_once(&names, err) < 0)
            return -1;
    if (names.interrupted)
        return error_set(err, ERROR_KERNEL, "links kept changing while they were listed, %d times",
                         ATTEMPTS);
    if (names.count > 0)
        qsort(names.all, names.count, sizeof(*names.all), compare_names);
    *out = steal(&names.all);
    *count = names.count;
    return 0;
}

bool link_exists(const char *name)
{
    cleanup(rtnetlink) struct rtnetlink rtnetlink = {.fd = -1};
    const struct link_question question = {.name = name};
    struct link_reply answer;
    struct error err;

    return rtnetlink_open(-1, &rtnetlink, &err) < 0 ||
           rtnetlink_ask_links(&rtnetlink, &question, 1, &answer, &err) < 0 ||
           answer.link.index > 0;
}

bool links_have(char (*names)[INTERFACE_NAME_SIZE], size_t count, const char *name)
{
    return count > 0 && bsearch(name, names, count, sizeof(*names), compare_names) != NULL;
}
