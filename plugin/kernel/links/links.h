/*
 * The kernel's answers to a plan's questions, over rtnetlink.
 */
#ifndef IMDS_GUARD_LINKS_LINKS_H
#define IMDS_GUARD_LINKS_LINKS_H

#include "guard/plan.h"
#include "kernel/links/host.h"
#include "kernel/links/reply.h"

#include <stdbool.h>

/*
 * Asks the pod's namespace, and the host for what it has not read. `out` is for facts_free. With netns
 * the plugin's own namespace, only out->host_network is set.
 * Errors: ERROR_INVALID_NETNS and ERROR_IO (netns.h), ERROR_KERNEL for what rtnetlink refuses.
 */
must_use int links_gather_from(struct host *host, const struct questions *questions,
                               const char *netns, struct facts *out, struct error *err);

/* The same for one pod alone. */
must_use int links_gather(const struct questions *questions, const char *netns, struct facts *out,
                          struct error *err);

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
