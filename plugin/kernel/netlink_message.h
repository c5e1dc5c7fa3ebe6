/*
 * Netlink messages whose lengths may be lies, for whoever walks through them with libmnl: what of
 * libmnl 1.0.5 goes past the end, here does not.
 */
#ifndef IMDS_GUARD_NETLINK_MESSAGE_H
#define IMDS_GUARD_NETLINK_MESSAGE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

/*
 * Whether a whole message stands at the start of `left` bytes (none if negative), as mnl_nlmsg_next
 * counts them. mnl_nlmsg_ok alone compares nlmsg_len as an int: 2^31 or more is negative there, and
 * fits anything.
 */
static inline bool message_is_whole(const struct nlmsghdr *message, int left)
{
    return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (unsigned)left;
}

/* Bytes from the attribute to the message's end; negative if it is behind that. */
static inline int message_left_at(const struct nlmsghdr *message, const struct nlattr *attr)
{
    return (int)((const char *)message + message->nlmsg_len - (const char *)attr);
}

/* As mnl_attr_for_each, which counts the padding behind the last attribute, whether there
 * or not. */
#define message_for_each_attribute(attr, message, header_size)                                     \
    for ((attr) = mnl_nlmsg_get_payload_offset(message, header_size);                              \
         mnl_attr_ok(attr, message_left_at(message, attr)); (attr) = mnl_attr_next(attr))

#endif
