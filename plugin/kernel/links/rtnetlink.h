/*
 * Questions to rtnetlink (netlink.h): about links, and what number a network namespace has.
 */
#ifndef IMDS_GUARD_LINKS_RTNETLINK_H
#define IMDS_GUARD_LINKS_RTNETLINK_H

#include "kernel/links/netns.h"
#include "kernel/links/reply.h"
#include "kernel/netlink/netlink.h"

/* A socket in our own namespace, or in `netns` (netns_netlink_socket). For netlink_close. */
must_use int rtnetlink_open(struct netlink *out, struct error *err);
must_use int rtnetlink_open_in(const struct netns *netns, const struct netns *own,
                               struct netlink *out, struct error *err);

/* netlink_ask, again where answers were lost: `take` may see an answer twice. */
must_use int rtnetlink_ask(struct netlink *rtnetlink, const struct netlink_messages *questions,
                           netlink_take *take, void *context, struct error *err);

struct link_question {
    const char *name; /* or NULL: */
    int index;        /* 0: there is no such link, and nobody need be asked */
};

/*
 * Asks for links; answers[i] is to questions[i], with index 0 if there is no such link. The kernel
 * finds a link by its alternative names too: link.name is the one that packets carry. Errors:
 * ERROR_KERNEL.
 */
must_use int rtnetlink_ask_links(struct netlink *rtnetlink, const struct link_question *questions,
                                 size_t count, struct link_reply *answers, struct error *err);

/*
 * The same, and behind it for the number that the socket's namespace has given to the namespace
 * `netns`; NETNSA_NSID_NOT_ASSIGNED if none. The kernel gives one when it first tells of a link whose
 * peer is there.
 */
must_use int rtnetlink_ask_links_and_nsid(struct netlink *rtnetlink,
                                          const struct link_question *questions, size_t count,
                                          struct link_reply *answers, int netns, int *nsid,
                                          struct error *err);

#endif
