/*
 * The host's side of looks into pods: the namespace that the plugin is in.
 */
#ifndef IMDS_GUARD_LINKS_HOST_H
#define IMDS_GUARD_LINKS_HOST_H

#include "kernel/links/known.h"
#include "kernel/links/netns.h"
#include "kernel/links/rtnetlink.h"

struct host {
    struct netns netns;
    struct netlink rtnetlink;
    const struct known_links *known; /* what need not be asked for; may be NULL */
};

#define HOST_NONE                                                                                  \
    {                                                                                              \
        .netns = NETNS_NONE, .rtnetlink = {.fd = -1 }                                              \
    }

/* *out borrows `known`, and is for host_close. Errors: ERROR_KERNEL. */
must_use int host_open(const struct known_links *known, struct host *out, struct error *err);
void host_close(struct host *host);

/* As rtnetlink_ask_links_and_nsid; the answer to what is known may have become an older one. */
must_use int host_ask(struct host *host, const struct link_question *questions, size_t count,
                      struct link_reply *answers, const struct netns *netns, int *nsid,
                      struct error *err);

static inline void cleanup_host(struct host *host)
{
    host_close(host);
}

#endif
