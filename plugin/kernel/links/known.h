/*
 * All links of the plugin's own namespace at one moment, for who asks about many.
 */
#ifndef IMDS_GUARD_LINKS_KNOWN_H
#define IMDS_GUARD_LINKS_KNOWN_H

#include "kernel/links/reply.h"
#include "kernel/links/rtnetlink.h"

#include <stddef.h>

/* Zeros: nothing is known. */
struct known_links {
    struct link_reply *all; /* by name */
    size_t count;
    const struct link_reply **by_index;
};

/* For known_links_free. Where they cannot be read, nothing is known. */
void known_links_read(struct known_links *out);
void known_links_free(struct known_links *known);

/* NULL if it is not known. An alternative name never is, nor another namespace's link. `known` may be NULL. */
const struct link_reply *known_links_find(const struct known_links *known,
                                          const struct link_question *question);

CLEANUP_FREE(known_links);

#endif
