#include "kernel/links/rtnetlink.h"

#include "kernel/clock.h"
#include "kernel/links/netns.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int rtnetlink_open(int netns, struct rtnetlink *out, struct error *err)
{
    int fd;

    if (netns >= 0) {
        if (netns_netlink_socket(netns, NETLINK_ROUTE, &fd, err) < 0)
            return -1;
    } else {
        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (fd < 0)
            return error_set(err, ERROR_KERNEL, "cannot open an rtnetlink socket: %s",
                             strerror(errno));
    }
    *out = (struct rtnetlink){.fd = fd, .sequence = 1};
    return 0;
}

void rtnetlink_close(struct rtnetlink *rtnetlink)
{
    cleanup_close_fd(&rtnetlink->fd);
    rtnetlink->fd = -1;
}

int rtnetlink_send(const struct rtnetlink *rtnetlink, const void *bytes, size_t length,
                   struct error *err)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;

    do
        sent = sendto(rtnetlink->fd, bytes, length, 0, (struct sockaddr *)&kernel, sizeof(kernel));
    while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t)length)
        return error_set(err, ERROR_KERNEL, "cannot send to rtnetlink: %s",
                         sent < 0 ? strerror(errno) : "cut short");
    return 0;
}

int64_t rtnetlink_deadline(void)
{
    return clock_deadline(RTNETLINK_TIMEOUT * 1000);
}

/* Until there is something to read, or a signal, or the deadline. */
static int wait_for_answer(int fd, int64_t deadline, struct error *err)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int left = clock_left(deadline);

    if (left == 0)
        return error_set(err, ERROR_KERNEL, "rtnetlink has not answered within %d seconds",
                         RTNETLINK_TIMEOUT);
    if (poll(&poll_fd, 1, left) < 0 && errno != EINTR)
        return error_set(err, ERROR_KERNEL, "cannot wait for rtnetlink: %s", strerror(errno));
    return 0;
}

int rtnetlink_receive(const struct rtnetlink *rtnetlink, int64_t deadline,
                      union rtnetlink_buffer *out, size_t *length, struct error *err)
{
    for (;;) {
        struct sockaddr_nl sender = {0};
        struct iovec iov = {.iov_base = out->bytes, .iov_len = sizeof(out->bytes)};
        struct msghdr header = {
            .msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &iov, .msg_iovlen = 1};
        /* Answers are there when sendto(2) returns, so that there is hardly ever a wait. */
        ssize_t received = recvmsg(rtnetlink->fd, &header, MSG_DONTWAIT);

        if (received > 0 && sender.nl_pid == 0) {
            if (header.msg_flags & MSG_TRUNC)
                return error_set(err, ERROR_KERNEL, "an rtnetlink message is longer than %d bytes",
                                 RTNETLINK_BUFFER_SIZE);
            *length = (size_t)received;
            return 0;
        }
        if (received < 0 && errno == ENOBUFS) {
            *length = 0;
            return 0;
        }
        if (received < 0 && errno != EAGAIN && errno != EINTR)
            return error_set(err, ERROR_KERNEL, "cannot read from rtnetlink: %s", strerror(errno));
        if (wait_for_answer(rtnetlink->fd, deadline, err) < 0)
            return -1;
    }
}
