/*
 * Messages as plain data, for readers of answers: never past the end of what is there. Pure.
 */
#ifndef IMDS_GUARD_NETLINK_ATTRIBUTES_H
#define IMDS_GUARD_NETLINK_ATTRIBUTES_H

#include "guard/cleanup.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a whole message stands at the start of `left` bytes (none if negative), as mnl_nlmsg_next
 * counts them. mnl_nlmsg_ok alone compares nlmsg_len as an int: 2^31 or more is negative there, and
 * fits anything.
 */
static inline bool message_is_whole(const struct nlmsghdr *message, int left)
{
    return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (unsigned)left;
}

/*
 * Whether the message, a whole one, only says what became of another one: NLMSG_ERROR, or NLMSG_DONE at
 * the end of a dump. *error is the errno value then, 0 for success; *text the kernel's own words
 * (nlmsgerr_attrs in linux/netlink.h), or NULL.
 */
must_use bool message_is_ack(const struct nlmsghdr *message, int *error, const char **text);

/* Above every attribute that is read here; IFLA_TARGET_NETNSID is 46. */
#define ATTRIBUTE_TYPES 48

/* The first of each type, or NULL. Higher types are skipped. */
struct attributes {
    const struct nlattr *at[ATTRIBUTE_TYPES];
};

/* Of a message behind its fixed part; none if it is too short to have any. */
void attributes_read(const struct nlmsghdr *message, size_t fixed_size, struct attributes *out);

/* What is inside one attribute; nothing if it is NULL. */
void attributes_nested(const struct nlattr *nest, struct attributes *out);

/* The attribute inside `nest` after `cursor`, the first after NULL; NULL at the end. */
const struct nlattr *attribute_next(const struct nlattr *nest, const struct nlattr *cursor);

/* Numbers, the latter two big-endian, as nf_tables sends them. False, and *out as it was, if there is
 * none of that size. */
bool attribute_u32(const struct attributes *attributes, unsigned type, uint32_t *out);
bool attribute_be32(const struct attributes *attributes, unsigned type, uint32_t *out);
bool attribute_be64(const struct attributes *attributes, unsigned type, uint64_t *out);

/* A text with its NUL, or NULL. */
const char *attribute_text(const struct attributes *attributes, unsigned type);

/* Whether the attribute is a text, and this one. */
bool attribute_is(const struct attributes *attributes, unsigned type, const char *text);

#endif
