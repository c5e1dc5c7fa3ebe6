/*
 * A kernel of the test's own at the other end of the rtnetlink socket: it answers late, twice, cut
 * short, for somebody else, or not at all. Time passes only where the test says so.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_RTNETLINK_H
#define IMDS_GUARD_TESTS_FAKE_RTNETLINK_H

#include "kernel/links/rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

/* What one recvmmsg(2) gives. */
struct step {
    enum {
        END,     /* there is nothing more: EAGAIN for ever */
        ANSWER,  /* the questions are answered: a veth of the name or index that was asked for */
        DUMP,    /* two links, the second one is the end */
        FAIL,    /* recvmmsg fails with `error` */
        REFUSE,  /* NLMSG_ERROR with `error` */
        ODD,     /* a message of the right number that is neither */
        SHORT,   /* fewer bytes than a header */
        STRANGE, /* an answer that another process has sent */
        CUT,     /* more than the buffer holds */
        CHANGED, /* a dump that links were added to meanwhile */
    } what;
    int error;
};

static struct {
    const struct step *steps;
    int send_error; /* of every sendmsg(2), but for EINTR, of the next one */
    int poll_error;
    int socket_error;
    int64_t seconds; /* that each poll(2) takes */
    int64_t now;
    unsigned sent;
    char asked[16][128];
    unsigned asked_count;
} kernel;

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = 1000 + kernel.now};
    return 0;
}

int __wrap_socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    errno = kernel.socket_error;
    return kernel.socket_error != 0 ? -1 : dup(STDERR_FILENO);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags)
{
    const struct nlmsghdr *message = header->msg_iov->iov_base;
    int left = (int)header->msg_iov->iov_len;

    (void)fd, (void)flags;
    assert_int_equal(header->msg_iovlen, 1);
    if (kernel.send_error != 0) {
        errno = kernel.send_error;
        kernel.send_error = errno == EINTR ? 0 : errno;
        return -1;
    }
    kernel.sent++;
    kernel.asked_count = 0;
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        assert_true(message->nlmsg_len <= sizeof(kernel.asked[0]));
        memcpy(kernel.asked[kernel.asked_count++], message, message->nlmsg_len);
    }
    return (ssize_t)header->msg_iov->iov_len;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    int error = kernel.poll_error;

    (void)fds, (void)count;
    assert_in_range(timeout, 1, NETLINK_TIMEOUT * 1000);
    kernel.now += kernel.seconds;
    kernel.poll_error = 0;
    errno = error;
    return error != 0 ? -1 : 0;
}

static inline struct nlmsghdr *start(char *bytes, uint16_t type, uint32_t sequence)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);

    message->nlmsg_type = type;
    message->nlmsg_seq = sequence;
    return message;
}

static inline struct nlmsghdr *put_link(char *bytes, uint32_t sequence, int index, const char *name)
{
    struct nlmsghdr *message = start(bytes, RTM_NEWLINK, sequence);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

    link->ifi_index = index;
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    return message;
}

static inline struct nlmsghdr *put_error(char *bytes, uint16_t type, uint32_t sequence, int error)
{
    struct nlmsghdr *message = start(bytes, type, sequence);
    struct nlmsgerr *body = mnl_nlmsg_put_extra_header(message, sizeof(*body));

    body->error = -error;
    return message;
}

/* To a question for a link, that link; to one for a number, number 5. */
static inline size_t answer(char *bytes)
{
    size_t length = 0;

    for (unsigned i = 0; i < kernel.asked_count; i++) {
        const struct nlmsghdr *question = (const struct nlmsghdr *)kernel.asked[i];
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(question);
        const struct nlattr *name = mnl_nlmsg_get_payload_offset(question, sizeof(*header));
        struct nlmsghdr *message = NULL;

        if (question->nlmsg_type == RTM_GETNSID) {
            message = start(bytes + length, RTM_NEWNSID, question->nlmsg_seq);
            mnl_nlmsg_put_extra_header(message, sizeof(struct rtgenmsg));
            mnl_attr_put_u32(message, NETNSA_NSID, 5);
        } else if (header->ifi_index > 0) {
            message = put_link(bytes + length, question->nlmsg_seq, header->ifi_index, "numbered");
        } else {
            message = put_link(bytes + length, question->nlmsg_seq, 3, mnl_attr_get_str(name));
        }
        length += message->nlmsg_len;
    }
    return length;
}

static inline size_t dump(char *bytes, bool changed)
{
    uint32_t sequence = ((const struct nlmsghdr *)kernel.asked[0])->nlmsg_seq;
    struct nlmsghdr *message = put_link(bytes, sequence, 2, "eth0");
    size_t length = message->nlmsg_len;

    message->nlmsg_flags |= NLM_F_MULTI | (changed ? NLM_F_DUMP_INTR : 0);
    message = put_link(bytes + length, sequence, 1, "beta");
    message->nlmsg_flags |= NLM_F_MULTI;
    length += message->nlmsg_len;
    length += put_link(bytes + length, sequence + 100, 9, "not-asked-for")->nlmsg_len;
    return length + put_error(bytes + length, NLMSG_DONE, sequence, 0)->nlmsg_len;
}

/* The bytes of one datagram; 0 if it is a failure. */
static inline size_t tell(const struct step *step, char *bytes)
{
    uint32_t sequence = ((const struct nlmsghdr *)kernel.asked[0])->nlmsg_seq;

    memset(bytes, 0, 4096);
    switch (step->what) {
    case ANSWER:
    case STRANGE:
    case CUT:
        return answer(bytes);
    case DUMP:
    case CHANGED:
        return dump(bytes, step->what == CHANGED);
    case REFUSE:
        return put_error(bytes, NLMSG_ERROR, sequence, step->error)->nlmsg_len;
    case ODD:
        return start(bytes, RTM_NEWADDR, sequence)->nlmsg_len;
    case SHORT:
        return sizeof(struct nlmsghdr) - 1;
    default:
        return 0;
    }
}

int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned count, int flags,
                    struct timespec *timeout)
{
    const struct step *step = kernel.steps;
    struct msghdr *header = &datagrams[0].msg_hdr;
    struct sockaddr_nl *sender = header->msg_name;

    (void)fd, (void)timeout;
    assert_true(count > 0);
    assert_true(flags & MSG_DONTWAIT);
    sender->nl_pid = step->what == STRANGE ? 4711 : 0;
    header->msg_flags = step->what == CUT ? MSG_TRUNC : 0;
    kernel.steps += step->what != END;
    datagrams[0].msg_len = (unsigned)tell(step, header->msg_iov->iov_base);
    errno = step->what == FAIL ? step->error : EAGAIN;
    return step->what == FAIL || step->what == END ? -1 : 1;
}

static inline void kernel_does(const struct step *steps)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.steps = steps;
    kernel.seconds = 1;
}

#define KERNEL_DOES(...) kernel_does((const struct step[]){__VA_ARGS__, {.what = END}})

static inline void assert_says(const struct error *err, const char *says)
{
    assert_int_equal(err->code, ERROR_KERNEL);
    if (strstr(err->msg, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err->msg, says);
}

#endif
