/*
 * A run of netlink messages in one piece of memory: what is built here is sent as it stands
 * (netlink.h), and can be read back with the same eyes as the kernel's answers.
 */
#ifndef IMDS_GUARD_NETLINK_MESSAGES_H
#define IMDS_GUARD_NETLINK_MESSAGES_H

#include "guard/cleanup.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room there is for one message. Small, because it is zeroed, and each page of it has to be got from the
 * kernel, while most questions take a few bytes; far below what the length of an attribute can tell
 * (linux/netlink.h). */
#define NETLINK_MESSAGE_MAX 1024

struct netlink_messages {
    char *bytes;
    size_t length;
    size_t capacity;
    unsigned count;
    bool incomplete; /* for lack of memory; whoever sends it fails, so that nobody else need look */
};

/*
 * Starts a message after the ones that are there, with NLM_F_REQUEST. The pointer is good until the
 * next start. Never NULL: where memory is short, it is a message that will not be sent.
 */
struct nlmsghdr *netlink_message_start(struct netlink_messages *messages, uint16_t type,
                                       uint16_t flags);

/* Counts in the message that was started last, now that it is complete. */
void netlink_message_end(struct netlink_messages *messages, const struct nlmsghdr *message);

/* Numbers them. */
void netlink_messages_number(const struct netlink_messages *messages, uint32_t first);

void netlink_messages_free(struct netlink_messages *messages);

/* Goes through all messages. */
#define netlink_messages_each(message, messages)                                                   \
    for (struct nlmsghdr *message = (struct nlmsghdr *)(messages)->bytes,                          \
                         *end = (struct nlmsghdr *)((messages)->bytes + (messages)->length);       \
         message < end;                                                                            \
         message = (struct nlmsghdr *)((char *)message + MNL_ALIGN(message->nlmsg_len)))

CLEANUP_FREE(netlink_messages);

#endif
