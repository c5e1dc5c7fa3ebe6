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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
    unsigned no_numbers; /* in so many exchanges no namespace has one */
    int give_error;      /* what it says to who gives one */
    bool is_old;         /* IFLA_TARGET_NETNSID is nothing to it */
    bool mistakes_netns; /* it tells of links in another one than was asked about */
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

/* The device that a namespace is in this world: its minor number is that of the namespace. */
#define OWN_NETNS    "/dev/null"
#define OWN_NUMBER   3
#define POD_NETNS    "/dev/zero"
#define POD_NUMBER   5
#define OTHER_NETNS  "/dev/full"
#define OTHER_NUMBER 7

static inline int attribute_in(const struct nlmsghdr *message, size_t header, uint16_t type)
{
    const struct nlattr *attribute;

    mnl_attr_for_each(attribute, message, header)
    {
        if (mnl_attr_get_type(attribute) == type)
            return (int)mnl_attr_get_u32(attribute);
    }
    return -1;
}

/* What else is no namespace: EINVAL. */
static inline struct nlmsghdr *number_netns(char *bytes, const struct nlmsghdr *question)
{
    int fd = attribute_in(question, sizeof(struct rtgenmsg), NETNSA_FD);
    struct stat status = {.st_mode = S_IFCHR, .st_rdev = makedev(1, OWN_NUMBER)};
    int number = NETNSA_NSID_NOT_ASSIGNED;
    struct nlmsghdr *message;

    assert_int_equal(fstat(fd, &status) < 0, fd < 0);
    if (!S_ISCHR(status.st_mode))
        return put_error(bytes, NLMSG_ERROR, question->nlmsg_seq, EINVAL);
    if (question->nlmsg_type == RTM_NEWNSID)
        return put_error(bytes, NLMSG_ERROR, question->nlmsg_seq, kernel.give_error);
    if (kernel.sent > kernel.no_numbers)
        number = (int)minor(status.st_rdev);
    message = start(bytes, RTM_NEWNSID, question->nlmsg_seq);
    mnl_nlmsg_put_extra_header(message, sizeof(struct rtgenmsg));
    mnl_attr_put_u32(message, NETNSA_NSID, (uint32_t)number);
    return message;
}

/* A pod's links are numbered 3 and lead to the host's 12, which leads to the pod with POD_NUMBER. */
static inline struct nlmsghdr *tell_link(char *bytes, const struct nlmsghdr *question)
{
    const struct ifinfomsg *header = mnl_nlmsg_get_payload(question);
    const struct nlattr *name = mnl_nlmsg_get_payload_offset(question, sizeof(*header));
    const int netns =
        kernel.is_old ? -1 : attribute_in(question, sizeof(*header), IFLA_TARGET_NETNSID);
    const int index = header->ifi_index > 0 ? header->ifi_index : netns >= 0 ? 3 : 12;
    struct nlmsghdr *message;
    struct nlattr *about;

    if (!kernel.is_old && netns < 0 &&
        mnl_nlmsg_get_payload_len(question) >= sizeof(*header) + 16 && header->ifi_index == 1)
        return put_error(bytes, NLMSG_ERROR, question->nlmsg_seq, EINVAL);
    if (header->ifi_index == 0 && strcmp(mnl_attr_get_str(name), "gone") == 0)
        return put_error(bytes, NLMSG_ERROR, question->nlmsg_seq, ENODEV);
    message = put_link(bytes, question->nlmsg_seq, index,
                       header->ifi_index > 0 ? "numbered" : mnl_attr_get_str(name));
    mnl_attr_put_u32(message, IFLA_LINK, netns >= 0 ? 12 : 3);
    mnl_attr_put_u32(message, IFLA_LINK_NETNSID, netns >= 0 ? OWN_NUMBER : POD_NUMBER);
    if (netns >= 0)
        mnl_attr_put_u32(message, IFLA_TARGET_NETNSID,
                         (uint32_t)(kernel.mistakes_netns ? OTHER_NUMBER : netns));
    about = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
    mnl_attr_nest_end(message, about);
    return message;
}

/* That something is done is said to who asks for that. */
static inline bool is_left_unsaid(const struct nlmsghdr *question, const struct nlmsghdr *message)
{
    const struct nlmsgerr *body = mnl_nlmsg_get_payload(message);

    return message->nlmsg_type == NLMSG_ERROR && body->error == 0 &&
           !(question->nlmsg_flags & NLM_F_ACK);
}

static inline size_t answer(char *bytes)
{
    size_t length = 0;

    for (unsigned i = 0; i < kernel.asked_count; i++) {
        const struct nlmsghdr *question = (const struct nlmsghdr *)kernel.asked[i];
        const struct nlmsghdr *message = question->nlmsg_type == RTM_GETLINK
                                             ? tell_link(bytes + length, question)
                                             : number_netns(bytes + length, question);

        if (!is_left_unsaid(question, message))
            length += MNL_ALIGN(message->nlmsg_len);
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
