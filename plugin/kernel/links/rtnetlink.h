/*
 * Questions to rtnetlink (netlink.h), and those about links, in whatever network namespace.
 */
#ifndef IMDS_GUARD_LINKS_RTNETLINK_H
#define IMDS_GUARD_LINKS_RTNETLINK_H

#include "kernel/links/reply.h"
#include "kernel/netlink/netlink.h"

/* A socket in our own namespace, for netlink_close. */
must_use int rtnetlink_open(struct netlink *out, struct error *err);

/* netlink_ask, again where answers were lost: `take` may see an answer twice. */
must_use int rtnetlink_ask(struct netlink *rtnetlink, const struct netlink_messages *questions,
                           netlink_take *take, void *context, struct error *err);

struct link_question {
    const char *name;  /* or NULL: */
    int index;         /* 0: there is no such link, and nobody need be asked */
    const int *number; /* of the namespace (netns.h) that the link is in; NULL: our own */
};

/*
 * Asks for links; answers[i] is to questions[i], with index 0 if there is no such link, and stays as it is
 * if nobody need be asked. The kernel finds a link by its alternative names too: link.name is the one
 * that packets carry. What a link in another namespace says of its peer's is our own's number for that.
 * Errors: ERROR_KERNEL, also before Linux 4.15, where our own link of that name would be told of.
 */
must_use int rtnetlink_ask_links(struct netlink *rtnetlink, const struct link_question *questions,
                                 size_t count, struct link_reply *answers, struct error *err);

#endif
