/*
 * Network namespaces: is this path one, is it ours, and a socket inside it.
 */
#ifndef IMDS_GUARD_LINKS_NETNS_H
#define IMDS_GUARD_LINKS_NETNS_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct netns {
    int fd;       /* close-on-exec; -1: none */
    dev_t device; /* with the inode what makes it this one (namespaces(7)) */
    ino_t inode;
};

#define NETNS_NONE                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/*
 * CNI_NETNS; whether what is there is a network namespace shows where it is entered. Errors:
 * ERROR_INVALID_NETNS if the path leads to nothing, ERROR_IO if it cannot be looked at (no descriptor or
 * memory left, not permitted): then the namespace may well be there.
 */
must_use int netns_open(const char *path, struct netns *out, struct error *err);

/* The one that this thread is in. Errors: ERROR_KERNEL. */
must_use int netns_open_own(struct netns *out, struct error *err);

bool netns_are_same(const struct netns *a, const struct netns *b);

/*
 * A netlink socket of the given protocol (NETLINK_ROUTE) that lives in `netns`. This thread enters
 * the namespace for the call and is back in its `own` before it returns. If it cannot get back it is in
 * nobody's namespace, and nothing may go on: the process is aborted. Errors: ERROR_INVALID_NETNS if it is no
 * network namespace, ERROR_KERNEL.
 */
must_use int netns_netlink_socket(const struct netns *netns, const struct netns *own, int protocol,
                                  int *out, struct error *err);

static inline void cleanup_netns(struct netns *netns)
{
    cleanup_close_fd(&netns->fd);
}

#endif
