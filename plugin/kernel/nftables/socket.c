#include "kernel/nftables/socket.h"

#include "kernel/clock.h"
#include "kernel/netlink_message.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/reply.h"

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel's largest part of a dump (SKB_WITH_OVERHEAD(32768) in net/netlink/af_netlink.c). */
#define BUFFER_SIZE 32768

/* Datagrams taken in with one system call: each buffer costs a page fault more, which is dearer. */
#define BUFFER_COUNT 2

/*
 * Bytes as received, aligned for what they are. Only what is filled becomes memory. Not on the stack,
 * which a service manager may have made small; nothing here has a second thread, or asks while it
 * takes an answer.
 */
union buffer {
    struct nlmsghdr message;
    char bytes[BUFFER_SIZE];
};

/* Below every default of net.core.wmem_default; more needs a larger send buffer. */
#define SEND_SIZE_ALWAYS 65536

/* --- open, close ------------------------------------------------------------------------------ */

static int refused(struct nft_socket *socket, int error, const char *what, struct error *err)
{
    socket->refusal = error;
    return error_set(err, ERROR_KERNEL, "nf_tables: cannot %s: %s", what, strerror(error));
}

/* Neither the protocol, nor nf_tables behind it (net/netfilter/nfnetlink.c: EINVAL, EOPNOTSUPP). */
static bool means_absent(int error)
{
    return error == EPROTONOSUPPORT || error == EAFNOSUPPORT || error == EOPNOTSUPP ||
           error == EINVAL;
}

static int absent(struct nft_socket *socket, int error, struct error *err)
{
    socket->refusal = error;
    socket->absent = true;
    return error_set(
        err, ERROR_KERNEL,
        "this kernel has no nf_tables (%s): use the iptables backend, or a kernel with "
        "CONFIG_NF_TABLES",
        strerror(error));
}

int nft_open(struct nft_socket *socket, struct error *err)
{
    const struct timeval timeout = {.tv_sec = NFT_TIMEOUT};
    int on = 1;

    *socket = (struct nft_socket){0};
    socket->netlink = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (socket->netlink == NULL && means_absent(errno))
        return absent(socket, errno, err);
    if (socket->netlink == NULL || mnl_socket_bind(socket->netlink, 0, MNL_SOCKET_AUTOPID) < 0)
        return refused(socket, errno, "open a netlink socket", err);
    /* Without these two the kernel says less, or more than needed: either will do. */
    mnl_socket_setsockopt(socket->netlink, NETLINK_EXT_ACK, &on, sizeof(on));
    mnl_socket_setsockopt(socket->netlink, NETLINK_CAP_ACK, &on, sizeof(on));
    if (setsockopt(mnl_socket_get_fd(socket->netlink), SOL_SOCKET, SO_RCVTIMEO, &timeout,
                   sizeof(timeout)) < 0)
        return refused(socket, errno, "set a time limit", err);
    return 0;
}

void nft_close(struct nft_socket *socket)
{
    if (socket->netlink != NULL)
        mnl_socket_close(socket->netlink);
    socket->netlink = NULL;
}

/* --- one exchange ----------------------------------------------------------------------------- */

/* What was sent, and how far its answers have come. */
struct exchange {
    struct nft_socket *socket;
    const struct nft_messages *messages;
    uint32_t first; /* sequence number of the first of the messages */
    size_t pending; /* answers to come */
    bool batch;     /* `first` - 1 is the beginning's number; the last message's answer ends it */
    bool failed;    /* *err is set; what comes is thrown away */
    nft_answer *each;
    void *context;
    struct error *err;
};

static void number_messages(const struct nft_messages *messages, uint32_t first)
{
    nft_messages_each(message, messages) message->nlmsg_seq = first++;
}

static const struct nlmsghdr *sent_message(const struct exchange *exchange, uint32_t sequence)
{
    nft_messages_each(message,
                      exchange->messages) if (message->nlmsg_seq == sequence) return message;
    return NULL;
}

static const char *verb(int type)
{
    switch (type) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_NEWSET:
    case NFT_MSG_NEWRULE:
    case NFT_MSG_NEWSETELEM:
        return "make";
    case NFT_MSG_DELTABLE:
    case NFT_MSG_DELRULE:
    case NFT_MSG_DELSETELEM:
        return "delete";
    default:
        return "read";
    }
}

/* The first refusal counts: later ones follow from it. */
static void fail(struct exchange *exchange, int error, const struct nlmsghdr *message,
                 const char *text)
{
    char subject[160] = "";

    if (exchange->failed)
        return;
    exchange->failed = true;
    exchange->socket->refusal = error;
    if (message != NULL)
        nft_message_subject(message, subject, sizeof(subject));
    if (error == EPERM && (message == NULL || !exchange->batch))
        error_set(exchange->err, ERROR_KERNEL,
                  "the kernel refuses access to nf_tables: CAP_NET_ADMIN is missing");
    else if (message != NULL && nft_reply_type(message) == NFT_MSG_GETGEN && means_absent(error))
        absent(exchange->socket, error, exchange->err);
    else if (message == NULL)
        refused(exchange->socket, error, exchange->batch ? "commit" : "ask", exchange->err);
    else
        error_set(exchange->err, ERROR_KERNEL, "nf_tables: cannot %s %s: %s",
                  verb(nft_reply_type(message)), subject, strerror(error));
    if (error == EPERM && message != NULL && exchange->batch)
        error_details(exchange->err, "another program owns the table (flag owner): stop it");
    if (text != NULL)
        error_details(exchange->err, "the kernel says: %s", text);
}

/* What was asked for is not there; EINVAL: nor can it be, in a set with keys of another size;
 * EAFNOSUPPORT: nor any inet table, in a kernel that has nf_tables without them. */
static bool is_nothing(const struct exchange *exchange, const struct nlmsghdr *sent, int error)
{
    if (exchange->batch || sent == NULL)
        return false;
    return error == ENOENT || (error == EINVAL && nft_reply_type(sent) == NFT_MSG_GETSETELEM) ||
           (error == EAFNOSUPPORT && nft_reply_type(sent) != NFT_MSG_GETGEN);
}

static void take_ack(struct exchange *exchange, const struct nlmsghdr *message,
                     const struct nft_ack *ack)
{
    const struct nlmsghdr *sent = sent_message(exchange, message->nlmsg_seq);
    uint32_t last = exchange->first + exchange->messages->count - 1;

    if (ack->error != 0 && !is_nothing(exchange, sent, ack->error))
        fail(exchange, ack->error, sent, ack->text);
    if (!exchange->batch)
        exchange->pending--;
    else if (message->nlmsg_seq == last ||
             (message->nlmsg_seq < exchange->first && ack->error != 0))
        exchange->pending = 0;
}

static void take_message(struct exchange *exchange, const struct nlmsghdr *message)
{
    struct nft_ack ack;

    if (nft_reply_ack(message, &ack)) {
        take_ack(exchange, message, &ack);
        return;
    }
    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        fail(exchange, EINTR, sent_message(exchange, message->nlmsg_seq), NULL);
    if (!exchange->failed && exchange->each != NULL &&
        exchange->each(message, exchange->context, exchange->err) < 0)
        exchange->failed = true;
    if (!(message->nlmsg_flags & NLM_F_MULTI) && !exchange->batch)
        exchange->pending--;
}

/* Whether a message answers one of this exchange's. */
static bool is_ours(const struct exchange *exchange, const struct nlmsghdr *message)
{
    uint32_t begin = exchange->first - (exchange->batch ? 1 : 0);

    return message->nlmsg_pid == mnl_socket_get_portid(exchange->socket->netlink) &&
           message->nlmsg_seq - begin < exchange->first - begin + exchange->messages->count;
}

static void take_datagram(struct exchange *exchange, const char *bytes, size_t length)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
    int left = (int)length;

    for (; exchange->pending > 0 && message_is_whole(message, left);
         message = mnl_nlmsg_next(message, &left))
        if (is_ours(exchange, message))
            take_message(exchange, message);
}

/* Takes in what is there, and waits for the first if nothing is. */
static int receive(struct exchange *exchange)
{
    static union buffer buffers[BUFFER_COUNT];
    struct sockaddr_nl from[BUFFER_COUNT];
    struct iovec parts[BUFFER_COUNT];
    struct mmsghdr datagrams[BUFFER_COUNT];
    int count;

    for (size_t i = 0; i < BUFFER_COUNT; i++) {
        parts[i] = (struct iovec){buffers[i].bytes, BUFFER_SIZE};
        datagrams[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                    .msg_namelen = sizeof(from[i]),
                                                    .msg_iov = &parts[i],
                                                    .msg_iovlen = 1}};
    }
    count = recvmmsg(mnl_socket_get_fd(exchange->socket->netlink), datagrams, BUFFER_COUNT,
                     MSG_WAITFORONE, NULL);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (from[i].nl_pid == 0 && !(datagrams[i].msg_hdr.msg_flags & MSG_TRUNC))
            take_datagram(exchange, parts[i].iov_base, datagrams[i].msg_len);
    return 0;
}

static int receive_all(struct exchange *exchange)
{
    int64_t deadline = clock_deadline(NFT_TIMEOUT * 1000);

    while (exchange->pending > 0) {
        if (receive(exchange) < 0 && errno != EINTR) {
            if (errno == EAGAIN)
                break;
            fail(exchange, errno, NULL, NULL);
            return -1;
        }
        if (clock_left(deadline) == 0)
            break;
    }
    if (exchange->pending > 0 && !exchange->failed)
        return error_set(exchange->err, ERROR_KERNEL,
                         "nf_tables: the kernel has not answered within %d seconds", NFT_TIMEOUT);
    return exchange->failed ? -1 : 0;
}

/* --- sending ---------------------------------------------------------------------------------- */

static int send_parts(struct exchange *exchange, struct iovec *parts, size_t count)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = mnl_socket_get_fd(exchange->socket->netlink);
    struct msghdr header = {.msg_name = (void *)(uintptr_t)&kernel,
                            .msg_namelen = sizeof(kernel),
                            .msg_iov = parts,
                            .msg_iovlen = count};

    if (exchange->messages->length > SEND_SIZE_ALWAYS) {
        /* The kernel doubles it, for its own overhead. A refusal shows in sendmsg. */
        int size = (int)exchange->messages->length + SEND_SIZE_ALWAYS;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    }
    while (sendmsg(fd, &header, 0) < 0) {
        if (errno != EINTR)
            return refused(exchange->socket, errno, "send to the kernel", exchange->err);
    }
    return 0;
}

int nft_ask(struct nft_socket *socket, const struct nft_messages *requests, nft_answer *each,
            void *context, struct error *err)
{
    struct iovec part = {requests->bytes, requests->length};
    struct exchange exchange = {.socket = socket,
                                .messages = requests,
                                .first = socket->sequence + 1,
                                .pending = requests->count,
                                .each = each,
                                .context = context,
                                .err = err};

    if (requests->count == 0)
        return 0;
    socket->refusal = 0;
    socket->sequence += requests->count;
    number_messages(requests, exchange.first);
    if (send_parts(&exchange, &part, 1) < 0)
        return -1;
    return receive_all(&exchange);
}

/* The last message's answer says that all are through; the others answer only if refused. */
static void ask_for_last_ack(const struct nft_messages *messages, uint32_t last)
{
    nft_messages_each(message, messages) if (message->nlmsg_seq == last) message->nlmsg_flags |=
        NLM_F_ACK;
}

static int transact(struct nft_socket *socket, const struct nft_messages *messages,
                    uint32_t generation, bool carry_out, struct error *err)
{
    uint32_t start[16];
    uint32_t stop[16];
    struct nlmsghdr *begin = nftnl_batch_begin((char *)start, socket->sequence + 1);
    struct nlmsghdr *end = NULL;
    struct exchange exchange = {.socket = socket,
                                .messages = messages,
                                .first = socket->sequence + 2,
                                .pending = messages->count,
                                .batch = true,
                                .err = err};

    if (messages->count == 0)
        return 0;
    socket->refusal = 0;
    socket->sequence += messages->count + 2;
    if (generation != 0)
        mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(generation));
    end = nftnl_batch_end((char *)stop, socket->sequence);
    number_messages(messages, exchange.first);
    ask_for_last_ack(messages, socket->sequence - 1);
    struct iovec parts[] = {
        {begin, begin->nlmsg_len}, {messages->bytes, messages->length}, {end, end->nlmsg_len}};
    /* Without its end the kernel checks a batch and drops it. */
    if (send_parts(&exchange, parts, carry_out ? 3 : 2) < 0)
        return -1;
    return receive_all(&exchange);
}

int nft_commit(struct nft_socket *socket, const struct nft_messages *messages, uint32_t generation,
               struct error *err)
{
    return transact(socket, messages, generation, true, err);
}

int nft_rehearse(struct nft_socket *socket, const struct nft_messages *messages, struct error *err)
{
    return transact(socket, messages, 0, false, err);
}
