#include "kernel/netlink/messages.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

/* Fresh memory is zero, so that no padding between attributes tells what was there before. */
static bool make_room(struct netlink_messages *messages)
{
    size_t capacity = 2 * messages->capacity + 2 * NETLINK_MESSAGE_MAX;
    char *bytes = calloc(1, capacity);

    if (bytes == NULL)
        return false;
    if (messages->length > 0)
        memcpy(bytes, messages->bytes, messages->length);
    free(messages->bytes);
    messages->bytes = bytes;
    messages->capacity = capacity;
    return true;
}

struct nlmsghdr *netlink_message_start(struct netlink_messages *messages, uint16_t type,
                                       uint16_t flags)
{
    static union {
        struct nlmsghdr message;
        char bytes[NETLINK_MESSAGE_MAX];
    } nowhere;
    bool has_room =
        messages->capacity - messages->length >= NETLINK_MESSAGE_MAX || make_room(messages);
    struct nlmsghdr *message =
        mnl_nlmsg_put_header(has_room ? messages->bytes + messages->length : nowhere.bytes);

    messages->incomplete |= !has_room;
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    return message;
}

void netlink_message_end(struct netlink_messages *messages, const struct nlmsghdr *message)
{
    if (messages->incomplete)
        return;
    messages->length += MNL_ALIGN(message->nlmsg_len);
    messages->count++;
}

void netlink_messages_number(const struct netlink_messages *messages, uint32_t first)
{
    netlink_messages_each(message, messages)
    {
        message->nlmsg_seq = first++;
    }
}

void netlink_messages_free(struct netlink_messages *messages)
{
    free(messages->bytes);
    *messages = (struct netlink_messages){0};
}
