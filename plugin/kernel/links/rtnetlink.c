#include "kernel/links/rtnetlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ATTEMPTS 3

static const char peer[] = "rtnetlink";

int rtnetlink_open(struct netlink *out, struct error *err)
{
    return netlink_open(NETLINK_ROUTE, peer, out) < 0
               ? error_set(err, ERROR_KERNEL, "cannot open an rtnetlink socket: %s",
                           strerror(errno))
               : 0;
}

int rtnetlink_open_in(const struct netns *netns, const struct netns *own, struct netlink *out,
                      struct error *err)
{
    int fd = -1;

    if (netns_netlink_socket(netns, own, NETLINK_ROUTE, &fd, err) < 0)
        return -1;
    *out = (struct netlink){.fd = fd, .peer = peer};
    return 0;
}

int rtnetlink_ask(struct netlink *rtnetlink, const struct netlink_messages *questions,
                  netlink_take *take, void *context, struct error *err)
{
    struct error failure;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (netlink_ask(rtnetlink, questions, take, context, &failure) == 0)
            return 0;
        if (rtnetlink->refusal != ENOBUFS) {
            *err = failure;
            return -1;
        }
    }
    *err = failure;
    return error_context(err, "asked %d times", ATTEMPTS);
}

/* --- links -------------------------------------------------------------------------------------- */

struct asked_links {
    const struct link_question *questions;
    size_t count;
    struct link_reply *answers;
    int *nsid; /* of what is asked behind them */
};

static bool is_asked(const struct link_question *question)
{
    return question->name != NULL || question->index > 0;
}

static void add_link_question(struct netlink_messages *messages,
                              const struct link_question *question)
{
    struct nlmsghdr *message = netlink_message_start(messages, RTM_GETLINK, 0);
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    if (question->name != NULL)
        mnl_attr_put_strz(message, IFLA_IFNAME, question->name);
    else
        header->ifi_index = question->index;
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    netlink_message_end(messages, message);
}

static void add_nsid_question(struct netlink_messages *messages, int netns)
{
    struct nlmsghdr *message = netlink_message_start(messages, RTM_GETNSID, 0);

    mnl_nlmsg_put_extra_header(message, sizeof(struct rtgenmsg));
    mnl_attr_put_u32(message, NETNSA_FD, (uint32_t)netns);
    netlink_message_end(messages, message);
}

static int take_nsid(const struct netlink_answer *answer, int *out, struct error *err)
{
    if (answer->message != NULL && nsid_reply_read(answer->message, out))
        return 0;
    return error_set(err, ERROR_KERNEL, "rtnetlink does not number a network namespace: %s",
                     strerror(answer->error != 0 ? answer->error : EBADMSG));
}

static int take_link(const struct netlink_answer *answer, void *context, struct error *err)
{
    const struct asked_links *asked = context;
    const struct link_question *question = asked->questions;
    int error = answer->error != 0 ? answer->error : EBADMSG;
    const struct link_question *end = question + asked->count;
    unsigned before = answer->number;

    for (; question < end && (!is_asked(question) || before > 0); question++)
        before -= is_asked(question);
    if (question == end)
        return take_nsid(answer, asked->nsid, err);
    if (answer->message != NULL &&
        link_reply_read(answer->message, &asked->answers[question - asked->questions]))
        return 0;
    if (error == ENODEV)
        return 0;
    return question->name != NULL
               ? error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link %s: %s",
                           question->name, strerror(error))
               : error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link number %d: %s",
                           question->index, strerror(error));
}

int rtnetlink_ask_links_and_nsid(struct netlink *rtnetlink, const struct link_question *questions,
                                 size_t count, struct link_reply *answers, int netns, int *nsid,
                                 struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct asked_links asked = {questions, count, answers, nsid};

    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct link_reply){.peer_nsid = NETNSA_NSID_NOT_ASSIGNED};
        if (is_asked(&questions[i]))
            add_link_question(&messages, &questions[i]);
    }
    if (netns >= 0)
        add_nsid_question(&messages, netns);
    return rtnetlink_ask(rtnetlink, &messages, take_link, &asked, err);
}

int rtnetlink_ask_links(struct netlink *rtnetlink, const struct link_question *questions,
                        size_t count, struct link_reply *answers, struct error *err)
{
    return rtnetlink_ask_links_and_nsid(rtnetlink, questions, count, answers, -1, NULL, err);
}
