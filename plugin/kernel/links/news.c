#include "kernel/links/news.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

int links_news_open(int *out, struct error *err)
{
    const struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    cleanup(close_fd) int fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&links, sizeof(links)) < 0)
        return error_set(err, ERROR_KERNEL, "the kernel does not announce links: %s",
                         strerror(errno));
    *out = steal_fd(&fd);
    return 0;
}

/* What they say is not looked at, and where some are lost (ENOBUFS) others come after them. */
void links_news_read(int fd)
{
    char ignored[64];

    while (recv(fd, ignored, sizeof(ignored), 0) > 0 || errno == EINTR || errno == ENOBUFS)
        ;
}
