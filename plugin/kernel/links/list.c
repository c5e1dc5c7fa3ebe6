#include "kernel/links/links.h"

#include "guard/array.h"
#include "kernel/links/rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* A dump that links were added to or taken from meanwhile may have left out one that was there all
 * the time. The answer decides what may be taken away, so that it has to be a whole one. */
#define ATTEMPTS 20

struct list {
    struct link_reply *all;
    size_t count;
};

static void cleanup_list(struct list *list)
{
    free(list->all);
}

static int take_link(const struct netlink_answer *answer, void *context, struct error *err)
{
    struct list *list = context;
    struct link_reply link;
    struct link_reply *added;

    if (answer->message == NULL || !link_reply_read(answer->message, &link))
        return error_set(err, ERROR_KERNEL, "rtnetlink does not list the links: %s",
                         strerror(answer->error != 0 ? answer->error : EBADMSG));
    added = array_add(&list->all, &list->count);
    if (added == NULL)
        return error_no_memory(err);
    *added = link;
    return 0;
}

/* With a socket of its own: what is left of an interrupted dump goes away with it. */
static int list_once(struct list *list, int *refusal, struct error *err)
{
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct nlmsghdr *message = netlink_message_start(&messages, RTM_GETLINK, NLM_F_DUMP);

    mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    netlink_message_end(&messages, message);
    list->count = 0;
    if (rtnetlink_open(&rtnetlink, err) == 0 &&
        netlink_ask(&rtnetlink, &messages, take_link, list, err) == 0)
        return 0;
    *refusal = rtnetlink.refusal;
    return -1;
}

int links_all(struct link_reply **out, size_t *count, struct error *err)
{
    cleanup(list) struct list list = {0};
    struct error failure = {0};
    int refusal = EINTR;

    for (int i = 0; i < ATTEMPTS && (refusal == EINTR || refusal == ENOBUFS); i++) {
        if (list_once(&list, &refusal, &failure) == 0) {
            *out = steal(&list.all);
            *count = list.count;
            return 0;
        }
    }
    if (refusal == EINTR)
        return error_set(err, ERROR_KERNEL, "links kept changing while they were listed, %d times",
                         ATTEMPTS);
    *err = failure;
    return -1;
}

bool link_exists(const char *name)
{
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};
    const struct link_question question = {.name = name};
    struct link_reply answer = {0};
    struct error err;

    return rtnetlink_open(&rtnetlink, &err) < 0 ||
           rtnetlink_ask_links(&rtnetlink, &question, 1, &answer, &err) < 0 ||
           answer.link.index > 0;
}
