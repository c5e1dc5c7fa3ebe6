/*
 * Network namespaces: is this path one, and by which number our own one knows it.
 */
#ifndef IMDS_GUARD_LINKS_NETNS_H
#define IMDS_GUARD_LINKS_NETNS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "kernel/netlink/netlink.h"

#include <stddef.h>

struct netns {
    int fd;     /* close-on-exec; -1: the one that this process is in */
    int number; /* another namespace may get it once `fd` is closed */
};

/*
 * CNI_NETNS; whether what is there is a network namespace shows where it is numbered. Errors:
 * ERROR_INVALID_NETNS if the path leads to nothing, ERROR_IO if it cannot be looked at (no descriptor or
 * memory left, not permitted): then the namespace may well be there.
 */
must_use int netns_open(const char *path, int *out, struct error *err);

/*
 * Asks for the number of each, and gives one to all that have none. Those with one number are one
 * namespace. Errors: ERROR_INVALID_NETNS if one is no network namespace, ERROR_KERNEL.
 */
must_use int netns_number(struct netlink *rtnetlink, struct netns *all, size_t count,
                          struct error *err);

#endif
