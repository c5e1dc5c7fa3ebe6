#include "kernel/netlink/netlink.h"

#include "kernel/clock.h"
#include "kernel/netlink/attributes.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Fits every link without statistics, even one with 64 KiB of alternative names (IFLA_PROP_LIST, as
 * long as an attribute gets), which a pod that is root in its namespace can give; and is more than
 * the kernel puts into one part of a dump (SKB_WITH_OVERHEAD(32768) in net/netlink/af_netlink.c).
 */
#define BUFFER_SIZE 131072

/* As many answers as a socket's default buffer (net.core.rmem_default) holds with room to spare: the
 * kernel throws away what does not fit. */
#define QUESTIONS_MAX 16

/* Datagrams taken in with one system call. Each buffer costs a page fault the first time, which is dearer:
 * all of them are for who asks so much that it asks again and again. */
#define BUFFER_COUNT    QUESTIONS_MAX
#define BUFFERS_FOR_FEW 2

/*
 * Bytes as received, aligned for what they are. Only what is filled becomes memory, and from the start of a
 * page, as most answers need no second one. (Aligned by the linker, all other variables without a value
 * would begin a page of their own, too.) Not on the stack, which a service manager may have made small;
 * nothing here has a second thread, or asks while it takes an answer.
 */
#define PAGE_SIZE 4096U

static char *buffer_at(size_t number)
{
    static char room[BUFFER_COUNT * BUFFER_SIZE + PAGE_SIZE];

    return room + (-(uintptr_t)room & (PAGE_SIZE - 1)) + number * BUFFER_SIZE;
}

/* Below every default of net.core.wmem_default; more needs a larger send buffer. */
#define SEND_SIZE_ALWAYS 65536

int netlink_open(int protocol, const char *peer, struct netlink *out)
{
    *out = (struct netlink){.peer = peer};
    out->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    return out->fd < 0 ? -1 : 0;
}

void netlink_close(struct netlink *netlink)
{
    cleanup_close_fd(&netlink->fd);
    netlink->fd = -1;
}

int netlink_subscribe(int protocol, unsigned groups)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    cleanup(close_fd) int fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return steal_fd(&fd);
}

/* --- one datagram, and its answers -------------------------------------------------------------- */

struct exchange {
    struct netlink *netlink;
    uint32_t first; /* number of the first message that may be answered */
    uint32_t last;  /* of the one whose answer ends it */
    bool over;
    bool
        interrupted; /* a dump is of no use; its end is waited for all the same, or no other could begin */
    netlink_take *take;
    void *context;
};

static int failed(struct netlink *netlink, int error, const char *what, struct error *err)
{
    netlink->refusal = error;
    return error_set(err, ERROR_KERNEL, "%s: %s: %s", netlink->peer, what, strerror(error));
}

static int take_datagram(struct exchange *exchange, const void *bytes, size_t length,
                         struct error *err)
{
    const struct nlmsghdr *message = bytes;
    int left = (int)length;

    for (; !exchange->over && message_is_whole(message, left);
         message = mnl_nlmsg_next(message, &left)) {
        struct netlink_answer answer = {.number = message->nlmsg_seq - exchange->first};
        bool is_ack = message_is_ack(message, &answer.error, &answer.text);

        if (answer.number > exchange->last - exchange->first)
            continue;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            exchange->interrupted = true;
        if (message->nlmsg_seq == exchange->last &&
            (is_ack || !(message->nlmsg_flags & NLM_F_MULTI)))
            exchange->over = true;
        if (exchange->interrupted || (message->nlmsg_type == NLMSG_DONE && answer.error == 0))
            continue;
        answer.message = is_ack ? NULL : message;
        if (exchange->take(&answer, exchange->context, err) < 0)
            return -1;
    }
    return 0;
}

/* Until there is something to read, or a signal. */
static int wait_for_answer(struct netlink *netlink, int64_t deadline, struct error *err)
{
    struct pollfd poll_fd = {.fd = netlink->fd, .events = POLLIN};
    int left = clock_left(deadline);

    if (left > 0 && poll(&poll_fd, 1, left) < 0 && errno != EINTR)
        return failed(netlink, errno, "cannot wait for the kernel", err);
    return 0;
}

/* Takes in what is there. Answers are when sendmsg(2) returns, so that there is hardly ever a wait. */
static int receive(struct exchange *exchange, int64_t deadline, struct error *err)
{
    struct sockaddr_nl from[BUFFER_COUNT];
    struct iovec parts[BUFFER_COUNT];
    struct mmsghdr datagrams[BUFFER_COUNT];
    const unsigned buffers =
        exchange->last - exchange->first + 1 < QUESTIONS_MAX ? BUFFERS_FOR_FEW : BUFFER_COUNT;
    int count;

    for (size_t i = 0; i < buffers; i++) {
        parts[i] = (struct iovec){buffer_at(i), BUFFER_SIZE};
        datagrams[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                    .msg_namelen = sizeof(from[i]),
                                                    .msg_iov = &parts[i],
                                                    .msg_iovlen = 1}};
    }
    count = recvmmsg(exchange->netlink->fd, datagrams, buffers, MSG_DONTWAIT, NULL);
    if (count < 0 && errno == EAGAIN)
        return wait_for_answer(exchange->netlink, deadline, err);
    if (count < 0 && errno != EINTR)
        return failed(exchange->netlink, errno,
                      errno == ENOBUFS ? "answers were lost" : "cannot read the answers", err);
    for (int i = 0; i < count; i++) {
        if (from[i].nl_pid != 0)
            continue;
        if (datagrams[i].msg_hdr.msg_flags & MSG_TRUNC)
            return error_set(err, ERROR_KERNEL, "%s: an answer is longer than %d bytes",
                             exchange->netlink->peer, BUFFER_SIZE);
        if (take_datagram(exchange, buffer_at((size_t)i), datagrams[i].msg_len, err) < 0)
            return -1;
    }
    return 0;
}

static int send_parts(struct netlink *netlink, struct iovec *parts, size_t count, struct error *err)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct msghdr header = {
        .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = parts, .msg_iovlen = count};
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += parts[i].iov_len;
    if (length > SEND_SIZE_ALWAYS) {
        /* The kernel doubles it, for its own overhead. A refusal shows in sendmsg. */
        int size = (int)length + SEND_SIZE_ALWAYS;
        setsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    }
    while (sendmsg(netlink->fd, &header, 0) < 0)
        if (errno != EINTR)
            return failed(netlink, errno, "cannot send to the kernel", err);
    return 0;
}

int netlink_exchange(struct netlink *netlink, struct iovec *parts, size_t part_count,
                     uint32_t first, uint32_t last, netlink_take *take, void *context,
                     struct error *err)
{
    struct exchange exchange = {
        .netlink = netlink, .first = first, .last = last, .take = take, .context = context};
    int64_t deadline = 0;

    netlink->refusal = 0;
    if (send_parts(netlink, parts, part_count, err) < 0)
        return -1;
    deadline = clock_deadline(NETLINK_TIMEOUT * 1000);
    while (!exchange.over) {
        if (receive(&exchange, deadline, err) < 0)
            return -1;
        if (!exchange.over && clock_left(deadline) == 0)
            return error_set(err, ERROR_KERNEL, "%s: the kernel has not answered within %d seconds",
                             netlink->peer, NETLINK_TIMEOUT);
    }
    return exchange.interrupted ? failed(netlink, EINTR, "what it tells changed meanwhile", err)
                                : 0;
}

/* --- questions ---------------------------------------------------------------------------------- */

int netlink_ask(struct netlink *netlink, const struct netlink_messages *questions,
                netlink_take *take, void *context, struct error *err)
{
    const uint32_t first = netlink->sequence + 1;
    char *next = questions->bytes;
    const char *end = next + questions->length;

    if (questions->incomplete)
        return error_no_memory(err);
    netlink_messages_number(questions, first);
    while (next < end) {
        struct iovec part = {next, 0};

        for (unsigned i = 0; i < QUESTIONS_MAX && next < end; i++) {
            next += MNL_ALIGN(((const struct nlmsghdr *)next)->nlmsg_len);
            netlink->sequence++;
        }
        part.iov_len = (size_t)(next - (char *)part.iov_base);
        if (netlink_exchange(netlink, &part, 1, first, netlink->sequence, take, context, err) < 0)
            return -1;
    }
    return 0;
}
