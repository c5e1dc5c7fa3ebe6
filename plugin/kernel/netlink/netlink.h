/*
 * A conversation with the kernel over netlink(7), of whatever family: messages go out, and what the
 * kernel says to each comes back, told by its sequence number. Every wait has an end. What somebody
 * else has sent, or what answers an earlier message, is thrown away.
 */
#ifndef IMDS_GUARD_NETLINK_NETLINK_H
#define IMDS_GUARD_NETLINK_NETLINK_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "kernel/netlink/messages.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define NETLINK_TIMEOUT 5 /* seconds, for one datagram's answers; the kernel has them at once */

struct netlink {
    int fd;
    const char *peer;  /* for errors: "nf_tables" */
    uint32_t sequence; /* the last number used; none is used twice */
    /*
     * After a failure: the errno value of the system call, or with which the kernel has refused; 0 if
     * it was neither. ENOBUFS: answers were lost, EINTR: a dump was changed under the reader: in both
     * cases one has to ask again.
     */
    int refusal;
};

/* A socket in our own network namespace, for netlink_close. -1 and errno if there is none. */
must_use int netlink_open(int protocol, const char *peer, struct netlink *out);
void netlink_close(struct netlink *netlink);

/* A socket that becomes readable with what the kernel announces to these groups (a bit each), and
 * never waits. -1 and errno if there is none. */
must_use int netlink_subscribe(int protocol, unsigned groups);

/* What the kernel says to one message. */
struct netlink_answer {
    unsigned number;                /* of the message that it answers, counted from 0 */
    const struct nlmsghdr *message; /* nlmsg_len bytes are there, and may be anything; NULL: */
    int error; /* an errno value, with which it refuses; 0: done, and nothing is to be said */
    const char *text; /* the kernel's own words (extended ack); NULL if it has none */
};

/* Takes one answer. 0, or -1 with *err set: then there are no more. */
typedef int netlink_take(const struct netlink_answer *answer, void *context, struct error *err);

/*
 * Asks, with as few system calls as can be. Each question gets one answer, but for the last one,
 * which may be a dump (of which there is one a socket) with any number. Errors: ERROR_KERNEL, and
 * what `take` says.
 */
must_use int netlink_ask(struct netlink *netlink, const struct netlink_messages *questions,
                         netlink_take *take, void *context, struct error *err);

/*
 * Sends one datagram, in parts, and takes answers to the messages from `first` to `last`, which are
 * counted from the former, until `last` has got its own. Errors as netlink_ask's.
 */
must_use int netlink_exchange(struct netlink *netlink, struct iovec *parts, size_t part_count,
                              uint32_t first, uint32_t last, netlink_take *take, void *context,
                              struct error *err);

CLEANUP_BY(netlink, netlink_close);

#endif
