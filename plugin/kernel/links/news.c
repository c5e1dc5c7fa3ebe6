#include "kernel/links/news.h"

#include "kernel/netlink/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

int links_news_open(int *out, struct error *err)
{
    int fd = netlink_subscribe(NETLINK_ROUTE, RTMGRP_LINK);

    if (fd < 0)
        return error_set(err, ERROR_KERNEL, "the kernel does not announce links: %m");
    *out = fd;
    return 0;
}

/* What they say is not looked at, and where some are lost (ENOBUFS) others come after them. */
void links_news_read(int fd)
{
    char ignored[64];

    while (recv(fd, ignored, sizeof(ignored), 0) > 0 || errno == EINTR || errno == ENOBUFS)
        ;
}
