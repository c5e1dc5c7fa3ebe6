#include "kernel/links/exchange.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

static bool asks_link(const void *questions, size_t i)
{
    const struct link_question *question = (const struct link_question *)questions + i;

    return question->name != NULL || question->index > 0;
}

static void put_link_question(const void *questions, size_t i, char *bytes)
{
    const struct link_question *question = (const struct link_question *)questions + i;
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    message->nlmsg_type = RTM_GETLINK;
    header->ifi_index = question->name == NULL ? question->index : 0;
    if (question->name != NULL)
        mnl_attr_put_strz(message, IFLA_IFNAME, question->name);
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static int refused(const struct link_question *question, int error, struct error *err)
{
    if (question->name != NULL)
        return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link %s: %s",
                         question->name, strerror(error));
    return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link number %d: %s",
                     question->index, strerror(error));
}

static int take_link_answer(const struct exchange *exchange, size_t i,
                            const struct nlmsghdr *message, size_t length, struct error *err)
{
    const struct link_question *question = (const struct link_question *)exchange->questions + i;
    int error;

    if (link_reply_read(message, length, (struct link_reply *)exchange->answers + i))
        return 0;
    if (!error_reply_read(message, length, &error) || error == 0)
        error = EBADMSG;
    return error == ENODEV ? 0 : refused(question, error, err);
}

int rtnetlink_ask_links(struct rtnetlink *rtnetlink, const struct link_question *questions,
                        size_t count, struct link_reply *answers, struct error *err)
{
    const struct exchange exchange = {.questions = questions,
                                      .answers = answers,
                                      .count = count,
                                      .put = put_link_question,
                                      .take = take_link_answer,
                                      .asks = asks_link};

    for (size_t i = 0; i < count; i++)
        answers[i] = (struct link_reply){.peer_nsid = NETNSA_NSID_NOT_ASSIGNED};
    return rtnetlink_exchange(rtnetlink, &exchange, err);
}

static void put_nsid_question(const void *questions, size_t i, char *bytes)
{
    const int *netns = questions;
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct rtgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    message->nlmsg_type = RTM_GETNSID;
    header->rtgen_family = AF_UNSPEC;
    mnl_attr_put_u32(message, NETNSA_FD, (uint32_t)netns[i]);
}

static int take_nsid_answer(const struct exchange *exchange, size_t i,
                            const struct nlmsghdr *message, size_t length, struct error *err)
{
    int error;

    if (nsid_reply_read(message, length, (int *)exchange->answers + i))
        return 0;
    if (!error_reply_read(message, length, &error) || error == 0)
        error = EBADMSG;
    return error_set(err, ERROR_KERNEL, "rtnetlink does not number the pod's network namespace: %s",
                     strerror(error));
}

int rtnetlink_ask_nsid(struct rtnetlink *rtnetlink, int netns, int *out, struct error *err)
{
    const struct exchange exchange = {.questions = &netns,
                                      .answers = out,
                                      .count = 1,
                                      .put = put_nsid_question,
                                      .take = take_nsid_answer};

    return rtnetlink_exchange(rtnetlink, &exchange, err);
}
