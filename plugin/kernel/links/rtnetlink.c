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
               ? error_set(err, ERROR_KERNEL, "cannot open an rtnetlink socket: %m")
               : 0;
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
    if (question->number != NULL)
        mnl_attr_put_u32(message, IFLA_TARGET_NETNSID, (uint32_t)*question->number);
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    netlink_message_end(messages, message);
}

static int is_too_old(struct error *err)
{
    return error_set(
        err, ERROR_KERNEL,
        "this kernel does not tell of links in other network namespaces: Linux 4.15 or "
        "later is needed");
}

static int refuse_link(const struct link_question *question, int error, struct error *err)
{
    const char *hint = question->number != NULL && (error == EACCES || error == EPERM)
                           ? " (CAP_NET_ADMIN is needed)"
                           : "";

    return question->name != NULL
               ? error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link %s: %s%s",
                           question->name, strerror(error), hint)
               : error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link number %d: %s%s",
                           question->index, strerror(error), hint);
}

static int take_link(const struct netlink_answer *answer, void *context, struct error *err)
{
    const struct asked_links *asked = context;
    const struct link_question *question = asked->questions;
    const struct link_question *end = question + asked->count;
    unsigned before = answer->number;
    struct link_reply link = {.peer_nsid = NETNSA_NSID_NOT_ASSIGNED};

    for (; question < end && (!is_asked(question) || before > 0); question++)
        before -= is_asked(question);
    if (question == end)
        return answer->message == NULL ? 0 : is_too_old(err);
    if ((answer->message == NULL || !link_reply_read(answer->message, &link)) &&
        answer->error != ENODEV)
        return refuse_link(question, answer->error != 0 ? answer->error : EBADMSG, err);
    if (question->number != NULL && link.link.index > 0 && link.asked_nsid != *question->number)
        return is_too_old(err);
    asked->answers[question - asked->questions] = link;
    return 0;
}

int rtnetlink_ask_links(struct netlink *rtnetlink, const struct link_question *questions,
                        size_t count, struct link_reply *answers, struct error *err)
{
    static const int nowhere = NETNSA_NSID_NOT_ASSIGNED;
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct asked_links asked = {questions, count, answers};
    bool elsewhere = false;

    for (size_t i = 0; i < count; i++) {
        if (is_asked(&questions[i]))
            add_link_question(&messages, &questions[i]);
        elsewhere = elsewhere || questions[i].number != NULL;
    }
    /* A link that is not there looks the same whichever namespace was asked. That there is no such
     * namespace is said by those kernels that look for it; others tell of our own loopback. */
    if (elsewhere)
        add_link_question(&messages, &(struct link_question){.index = 1, .number = &nowhere});
    return rtnetlink_ask(rtnetlink, &messages, take_link, &asked, err);
}
