#include "kernel/links/netns.h"

#include "kernel/links/reply.h"
#include "kernel/links/rtnetlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

/* What the path is to blame for; after anything else the namespace may well be there. */
static enum error_code path_error_code(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
        return ERROR_INVALID_NETNS;
    default:
        return ERROR_IO;
    }
}

int netns_open(const char *path, int *out, struct error *err)
{
    /* O_NONBLOCK and O_NOCTTY: a FIFO or a terminal in the namespace's place must not hold
     * us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return error_set(err, path_error_code(errno), "cannot be opened: %m");
    *out = fd;
    return 0;
}

/* --- numbers ------------------------------------------------------------------------------------ */

struct numbering {
    struct netns *all;
    size_t given; /* as many messages are before those that ask: one for each, or none */
};

static void add_message(struct netlink_messages *messages, uint16_t type, const struct netns *netns)
{
    /* Nothing is said to who gives a number and asks for no word that it is done. */
    struct nlmsghdr *message =
        netlink_message_start(messages, type, type == RTM_NEWNSID ? NLM_F_ACK : 0);

    mnl_nlmsg_put_extra_header(message, sizeof(struct rtgenmsg));
    if (netns->fd >= 0)
        mnl_attr_put_u32(message, NETNSA_FD, (uint32_t)netns->fd);
    else
        mnl_attr_put_u32(message, NETNSA_PID, (uint32_t)getpid());
    if (type == RTM_NEWNSID)
        mnl_attr_put_u32(message, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED); /* any */
    netlink_message_end(messages, message);
}

static int refuse(const struct netlink_answer *answer, struct error *err)
{
    int error = answer->error != 0 ? answer->error : EBADMSG;

    if (error == EINVAL)
        return error_set(err, ERROR_INVALID_NETNS, "not a network namespace");
    return error_set(err, ERROR_KERNEL, "rtnetlink does not number it: %s%s", strerror(error),
                     error == EPERM ? " (CAP_NET_ADMIN is needed)" : "");
}

static int take_number(const struct netlink_answer *answer, void *context, struct error *err)
{
    const struct numbering *numbering = context;
    struct netns *netns = numbering->all + (answer->number - numbering->given);

    if (answer->number < numbering->given) /* EEXIST: it has one, or somebody was faster */
        return answer->error == 0 || answer->error == EEXIST ? 0 : refuse(answer, err);
    return answer->message != NULL && nsid_reply_read(answer->message, &netns->number)
               ? 0
               : refuse(answer, err);
}

static int ask_numbers(struct netlink *rtnetlink, struct netns *all, size_t count, bool give,
                       struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct numbering numbering = {all, give ? count : 0};

    for (size_t i = 0; i < numbering.given; i++)
        add_message(&messages, RTM_NEWNSID, &all[i]);
    for (size_t i = 0; i < count; i++)
        add_message(&messages, RTM_GETNSID, &all[i]);
    return rtnetlink_ask(rtnetlink, &messages, take_number, &numbering, err);
}

static bool have_numbers(const struct netns *all, size_t count)
{
    while (count > 0 && all[count - 1].number >= 0)
        count--;
    return count == 0;
}

int netns_number(struct netlink *rtnetlink, struct netns *all, size_t count, struct error *err)
{
    if (ask_numbers(rtnetlink, all, count, false, err) < 0 ||
        (!have_numbers(all, count) && ask_numbers(rtnetlink, all, count, true, err) < 0))
        return -1;
    return have_numbers(all, count) ? 0
                                    : error_set(err, ERROR_KERNEL, "rtnetlink gives it no number");
}
