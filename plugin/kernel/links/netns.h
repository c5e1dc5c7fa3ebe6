/*
 * Network namespaces: is this path one, is it ours, and a socket inside it.
 */
#ifndef IMDS_GUARD_LINKS_NETNS_H
#define IMDS_GUARD_LINKS_NETNS_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>

/*
 * Opens CNI_NETNS, close-on-exec. The descriptor is the caller's. Errors: ERROR_INVALID_NETNS if
 * the path leads to nothing or to no network namespace (ioctl_ns(2), NS_GET_NSTYPE), ERROR_IO if it
 * cannot be looked at (no descriptor or memory left, not permitted): then the namespace may well be
 * there.
 */
must_use int netns_open(const char *path, int *out, struct error *err);

/* Whether the descriptor is this thread's own namespace (namespaces(7): same device and inode). */
must_use int netns_is_own(int netns, bool *out, struct error *err);

/*
 * A netlink socket of the given protocol (NETLINK_ROUTE) that lives in `netns`. This thread enters
 * the namespace for the call and is back before it returns. If it cannot get back it is in nobody's
 * namespace, and nothing may go on: the process is aborted.
 */
must_use int netns_netlink_socket(int netns, int protocol, int *out, struct error *err);

#endif
