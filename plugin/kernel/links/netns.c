#include "kernel/links/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* setns(2) moves one thread, and this process has no other: what /proc says of it is true of that. */
#define OWN_NETNS "/proc/self/ns/net"

/* What the path is to blame for; after anything else the namespace may well be there. */
static enum error_code path_error_code(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
        return ERROR_INVALID_NETNS;
    default:
        return ERROR_IO;
    }
}

/* Whether what the descriptor is, is had. */
static int identify(struct netns *netns)
{
    struct stat status;

    if (fstat(netns->fd, &status) < 0)
        return -1;
    netns->device = status.st_dev;
    netns->inode = status.st_ino;
    return 0;
}

int netns_open(const char *path, struct netns *out, struct error *err)
{
    /* O_NONBLOCK and O_NOCTTY: a FIFO or a terminal in the namespace's place must not hold
     * us up. */
    cleanup(netns) struct netns netns = {
        .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (netns.fd < 0)
        return error_set(err, path_error_code(errno), "cannot open network namespace %s: %s", path,
                         strerror(errno));

    if (identify(&netns) < 0)
        return error_set(err, ERROR_IO, "cannot stat network namespace %s: %s", path,
                         strerror(errno));
    *out = netns;
    netns = (struct netns)NETNS_NONE;
    return 0;
}

int netns_open_own(struct netns *out, struct error *err)
{
    cleanup(netns) struct netns own = {.fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC)};

    if (own.fd < 0 || identify(&own) < 0)
        return error_set(err, ERROR_KERNEL,
                         "cannot open our own network namespace " OWN_NETNS ": %s",
                         strerror(errno));
    *out = own;
    own = (struct netns)NETNS_NONE;
    return 0;
}

bool netns_are_same(const struct netns *a, const struct netns *b)
{
    return a->device == b->device && a->inode == b->inode;
}

int netns_netlink_socket(const struct netns *netns, const struct netns *own, int protocol, int *out,
                         struct error *err)
{
    if (setns(netns->fd, CLONE_NEWNET) < 0)
        return errno == EINVAL
                   ? error_set(err, ERROR_INVALID_NETNS, "not a network namespace")
                   : error_set(err, ERROR_KERNEL, "cannot enter the pod's network namespace: %s%s",
                               strerror(errno), errno == EPERM ? " (CAP_SYS_ADMIN is needed)" : "");

    cleanup(close_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    int socket_errno = errno;

    if (setns(own->fd, CLONE_NEWNET) < 0)
        abort();
    if (fd < 0)
        return error_set(err, ERROR_KERNEL,
                         "cannot open a netlink socket in the pod's network namespace: %s",
                         strerror(socket_errno));
    *out = steal_fd(&fd);
    return 0;
}
