#include "kernel/links/routes.h"

#include "kernel/links/exchange.h"

#include <errno.h>
#include <libmnl/libmnl.h>
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

static void put_route_question(const void *questions, size_t i, char *bytes)
{
    const struct route_question *question = (const struct route_question *)questions + i;
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    message->nlmsg_type = RTM_GETROUTE;
    header->rtm_family = question->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
    put_address(message, RTA_DST, question->family, question->destination, &header->rtm_dst_len);
    put_address(message, RTA_SRC, question->family, question->source, &header->rtm_src_len);
    if (question->incoming > 0)
        mnl_attr_put_u32(message, RTA_IIF, (uint32_t)question->incoming);
}

/* What the kernel says where it has no route is nearly any error. These are about itself. */
static bool is_failure(int error)
{
    return error == 0 || error == ENOMEM || error == ENOBUFS || error == EPERM || error == EBADMSG;
}

static int take_route_answer(const struct exchange *exchange, size_t i,
                             const struct nlmsghdr *message, size_t length, struct error *err)
{
    int *outgoing = (int *)exchange->answers + i;
    int error;

    if (route_reply_read(message, length, outgoing))
        return 0;
    if (!error_reply_read(message, length, &error))
        error = EBADMSG;
    if (is_failure(error))
        return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about a route: %s",
                         strerror(error == 0 ? EBADMSG : error));
    *outgoing = 0;
    return 0;
}

int rtnetlink_ask_routes(struct rtnetlink *rtnetlink, const struct route_question *questions,
                         size_t count, int *outgoing, struct error *err)
{
    const struct exchange exchange = {.questions = questions,
                                      .answers = outgoing,
                                      .count = count,
                                      .put = put_route_question,
                                      .take = take_route_answer};

    return rtnetlink_exchange(rtnetlink, &exchange, err);
}
