/*
 * The other end of a netlink socket for nf_tables, in the test's own process: it answers late, for
 * others, cut short, twice, or not at all. Time passes only where the test says so.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_NFT_PEER_H
#define IMDS_GUARD_TESTS_FAKE_NFT_PEER_H

#include "kernel/nftables/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

int __wrap_socket(int domain, int type, int protocol);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

/* What one recvmmsg(2) gives. The numbers are those of the messages, from 1. */
struct step {
    enum {
        END,      /* EAGAIN for ever: nobody has answered */
        FAIL,     /* recvmmsg fails with `error` */
        ACK,      /* message `number` is answered with `error`, 0 for success */
        TOLD,     /* NFT_MSG_NEWGEN for message `number` */
        CHANGED,  /* the same as part of a dump that was changed meanwhile */
        STRANGER, /* an answer that another process has sent */
        EARLIER,  /* an answer to what was asked before */
        CUT,      /* longer than the buffer */
        HALF,     /* an answer that says that it is longer than it is */
    } what;
    unsigned number;
    int error;
};

static struct {
    const struct step *steps;
    int open_error, send_error;
    uint32_t first;       /* number of the first message sent */
    size_t sent;          /* times */
    size_t parts;         /* of the last sending */
    bool enlarged;        /* the send buffer */
    time_t now, per_wait; /* seconds */
    int fd;               /* the last one that was opened */
} kernel;

int __wrap_socket(int domain, int type, int protocol)
{
    assert_int_equal(domain, AF_NETLINK);
    assert_int_equal(protocol, NETLINK_NETFILTER);
    assert_true(type & SOCK_CLOEXEC);
    errno = kernel.open_error;
    return kernel.open_error != 0 ? -1 : (kernel.fd = dup(STDERR_FILENO));
}

static inline bool is_closed(void)
{
    return fcntl(kernel.fd, F_GETFD) < 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    (void)fd, (void)value, (void)length;
    kernel.enlarged |= level == SOL_SOCKET && name == SO_SNDBUFFORCE;
    errno = ENOPROTOOPT;
    return -1;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    (void)fds, (void)count;
    assert_in_range(timeout, 1, NETLINK_TIMEOUT * 1000);
    kernel.now++;
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = 1000 + kernel.now};
    return 0;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags)
{
    const struct iovec *parts = header->msg_iov;
    const struct nlmsghdr *message = parts[header->msg_iovlen > 1 ? 1 : 0].iov_base;

    (void)flags;
    assert_int_equal(fd, kernel.fd);
    if (kernel.send_error != 0) {
        errno = kernel.send_error;
        kernel.send_error = errno == EINTR ? 0 : errno;
        return -1;
    }
    kernel.sent++;
    kernel.parts = header->msg_iovlen;
    kernel.first = message->nlmsg_seq;
    return 1;
}

static inline size_t answer(const struct step *step, char *bytes)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct nlmsgerr *body;

    message->nlmsg_seq = kernel.first + step->number - 1 - (step->what == EARLIER ? 100 : 0);
    if (step->what == TOLD || step->what == CHANGED) {
        message->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN;
        message->nlmsg_flags = step->what == CHANGED ? NLM_F_MULTI | NLM_F_DUMP_INTR : 0;
        mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
        return message->nlmsg_len;
    }
    message->nlmsg_type = NLMSG_ERROR;
    body = mnl_nlmsg_put_extra_header(message, sizeof(*body));
    body->error = -step->error;
    if (step->what == HALF)
        message->nlmsg_len += 64;
    return sizeof(*message) + sizeof(*body);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned count, int flags,
                    struct timespec *timeout)
{
    const struct step *step = kernel.steps;
    struct sockaddr_nl *from = datagrams[0].msg_hdr.msg_name;

    (void)fd, (void)timeout;
    assert_true(count > 0);
    assert_true(flags & MSG_DONTWAIT);
    kernel.now += kernel.per_wait;
    if (step->what == END || step->what == FAIL) {
        kernel.steps += step->what == FAIL;
        errno = step->what == FAIL ? step->error : EAGAIN;
        return -1;
    }
    kernel.steps++;
    from->nl_pid = step->what == STRANGER ? 4711 : 0;
    datagrams[0].msg_hdr.msg_flags = step->what == CUT ? MSG_TRUNC : 0;
    datagrams[0].msg_len = (unsigned)answer(step, datagrams[0].msg_hdr.msg_iov->iov_base);
    return 1;
}

static inline void kernel_does(const struct step *steps)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.steps = steps;
}

#define KERNEL_DOES(...) kernel_does((const struct step[]){__VA_ARGS__, {.what = END}})

#endif
