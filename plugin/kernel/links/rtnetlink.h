/*
 * A conversation with rtnetlink: one socket, its sequence numbers, and waits with an end.
 */
#ifndef IMDS_GUARD_LINKS_RTNETLINK_H
#define IMDS_GUARD_LINKS_RTNETLINK_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "kernel/links/reply.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds, for one exchange; the kernel answers within microseconds. */
#define RTNETLINK_TIMEOUT 5

/*
 * Fits every link without statistics, even one with 64 KiB of alternative names (IFLA_PROP_LIST, as
 * long as an attribute gets), which a pod that is root in its namespace can give; and is more than
 * the kernel puts into one part of a dump.
 */
#define RTNETLINK_BUFFER_SIZE 131072

struct rtnetlink {
    int fd;
    uint32_t sequence; /* the next number; none is used twice */
};

/* Bytes as received, aligned for what they are. */
union rtnetlink_buffer {
    struct nlmsghdr message;
    char bytes[RTNETLINK_BUFFER_SIZE];
};

/* A socket in the namespace `netns`, or in our own where netns is -1. For rtnetlink_close. */
must_use int rtnetlink_open(int netns, struct rtnetlink *out, struct error *err);
void rtnetlink_close(struct rtnetlink *rtnetlink);

must_use int rtnetlink_send(const struct rtnetlink *rtnetlink, const void *bytes, size_t length,
                            struct error *err);

/* When an exchange that starts now has to be over; for rtnetlink_receive. */
int64_t rtnetlink_deadline(void);

/*
 * The next datagram that the kernel itself has sent; others are thrown away. *length is 0 if the
 * kernel had to drop replies (ENOBUFS): the question is to be asked again. Errors: ERROR_KERNEL.
 */
must_use int rtnetlink_receive(const struct rtnetlink *rtnetlink, int64_t deadline,
                               union rtnetlink_buffer *out, size_t *length, struct error *err);

struct link_question {
    const char *name; /* or NULL: */
    int index;        /* 0: there is no such link, and nobody need be asked */
};

/*
 * Asks for links, in as few system calls as can be; answers[i] is to questions[i], with index 0 if
 * there is no such link. The kernel finds a link by its alternative names too: link.name is the one
 * that packets carry. Errors: ERROR_KERNEL.
 */
must_use int rtnetlink_ask_links(struct rtnetlink *rtnetlink, const struct link_question *questions,
                                 size_t count, struct link_reply *answers, struct error *err);

/*
 * The number that the socket's namespace has given to the namespace `netns`;
 * NETNSA_NSID_NOT_ASSIGNED if none. The kernel gives one when it first tells of a link whose peer
 * is there. Errors: ERROR_KERNEL.
 */
must_use int rtnetlink_ask_nsid(struct rtnetlink *rtnetlink, int netns, int *out,
                                struct error *err);

static inline void cleanup_rtnetlink(struct rtnetlink *rtnetlink)
{
    rtnetlink_close(rtnetlink);
}

#endif
