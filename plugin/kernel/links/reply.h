/*
 * Messages of rtnetlink as plain data, whoever sent them. Pure.
 *
 * Each of these takes a message of which nlmsg_len bytes are there (message_is_whole). False, and *out
 * untouched, if it is not of the kind the function is for, or if what it must have is missing.
 */
#ifndef IMDS_GUARD_LINKS_REPLY_H
#define IMDS_GUARD_LINKS_REPLY_H

#include "guard/cleanup.h"
#include "guard/plan.h"

#include <linux/netlink.h>
#include <stdbool.h>

struct link_reply {
    struct link link;
    bool peer_elsewhere; /* IFLA_LINK_NETNSID is there: the peer is in another namespace */
    int peer_nsid;       /* which one, as the namespace that asks numbers it; < 0: no number */
    int asked_nsid;      /* IFLA_TARGET_NETNSID: the namespace that was asked about; < 0: our own */
    unsigned hardware;   /* ARPHRD_* (linux/if_arp.h): what a frame on it starts with */
};

/* RTM_NEWLINK (rtnetlink(7), linux/if_link.h). An index and a name must be there. */
must_use bool link_reply_read(const struct nlmsghdr *message, struct link_reply *out);

/*
 * RTM_NEWROUTE (rtnetlink(7)): the index of the link that the route leads out through, 0 for one that
 * does not lead to a link (RTN_UNREACHABLE, RTN_LOCAL, ...).
 */
must_use bool route_reply_read(const struct nlmsghdr *message, int *outgoing);

/* RTM_NEWNSID (linux/net_namespace.h); NETNSA_NSID_NOT_ASSIGNED where there is no number. */
must_use bool nsid_reply_read(const struct nlmsghdr *message, int *out);

#endif
