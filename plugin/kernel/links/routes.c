#include "kernel/links/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static void put_address(struct nlmsghdr *message, uint16_t type, enum family family,
                        const uint8_t address[static 16], unsigned char *bits)
{
    static const uint8_t none[16];
    size_t size = family == FAMILY_IPV4 ? 4 : 16;

    if (memcmp(address, none, size) == 0)
        return;
    *bits = (unsigned char)(size * 8);
    mnl_attr_put(message, type, size, address);
}

static void add_question(struct netlink_messages *messages, const struct route_question *question)
{
    struct nlmsghdr *message = netlink_message_start(messages, RTM_GETROUTE, 0);
    struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    header->rtm_family = question->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
    put_address(message, RTA_DST, question->family, question->destination, &header->rtm_dst_len);
    put_address(message, RTA_SRC, question->family, question->source, &header->rtm_src_len);
    if (question->incoming > 0)
        mnl_attr_put_u32(message, RTA_IIF, (uint32_t)question->incoming);
    netlink_message_end(messages, message);
}

/* What the kernel says where it has no route is nearly any error. These are about itself. */
static bool is_failure(int error)
{
    return error == ENOMEM || error == ENOBUFS || error == EPERM || error == EBADMSG;
}

static int take_route(const struct netlink_answer *answer, void *context, struct error *err)
{
    int *outgoing = (int *)context + answer->number;
    int error = answer->error != 0 ? answer->error : EBADMSG;

    if (answer->message != NULL && route_reply_read(answer->message, outgoing))
        return 0;
    if (is_failure(error))
        return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about a route: %s",
                         strerror(error));
    *outgoing = 0;
    return 0;
}

int rtnetlink_ask_routes(struct netlink *rtnetlink, const struct route_question *questions,
                         size_t count, int *outgoing, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    for (size_t i = 0; i < count; i++)
        add_question(&messages, &questions[i]);
    return rtnetlink_ask(rtnetlink, &messages, take_route, outgoing, err);
}
