/*
 * The kernel's answers to plans' questions, over rtnetlink.
 */
#ifndef IMDS_GUARD_LINKS_LINKS_H
#define IMDS_GUARD_LINKS_LINKS_H

#include "guard/plan.h"
#include "kernel/links/known.h"
#include "kernel/links/reply.h"

#include <stdbool.h>

/* A pod that is looked into. */
struct look {
    const char *netns; /* CNI_NETNS */
    struct questions questions;
    struct facts
        facts;   /* with `netns` the plugin's own namespace, only facts.host_network is set */
    bool failed; /* then `error` says why, and there are no facts */
    struct error *error;
};

/* Looked into at once; each has a descriptor open meanwhile. */
#define LOOKS_MAX 15

/*
 * Asks the kernel about them, and of the host's links about what is not known (known.h; may be NULL). No
 * namespace is entered: CAP_NET_ADMIN is all that it takes. One that cannot be looked into is no other's
 * harm; -1 if there is one. Errors of each: ERROR_INVALID_NETNS and ERROR_IO (netns.h), ERROR_KERNEL for what
 * rtnetlink refuses.
 */
must_use int links_look(const struct known_links *known, struct look *looks, size_t count);

/* What the look has found, and its questions. */
static inline void look_free(struct look *look)
{
    questions_free(&look->questions);
    facts_free(&look->facts);
}

CLEANUP_FREE(look);

/*
 * All links in the plugin's own namespace, in the kernel's order. The caller frees *out.
 */
must_use int links_all(struct link_reply **out, size_t *count, struct error *err);

/*
 * Whether there is a link of that name now, in the plugin's own namespace; in doubt (out of
 * descriptors, say) there is. Unlike if_nametoindex(3), it does not have the kernel look for a
 * module of that name (the ioctls of netdevice(7) do, for a name that is missing).
 */
bool link_exists(const char *name);

#endif
