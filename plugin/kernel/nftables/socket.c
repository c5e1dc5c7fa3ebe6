#include "kernel/nftables/socket.h"

#include "kernel/nftables/facts.h"
#include "kernel/nftables/messages.h"
#include "kernel/nftables/reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* --- refusals ----------------------------------------------------------------------------------- */

/* Neither the protocol, nor nf_tables behind it (net/netfilter/nfnetlink.c: EINVAL, EOPNOTSUPP). */
static bool means_absent(int error)
{
    return error == EPROTONOSUPPORT || error == EAFNOSUPPORT || error == EOPNOTSUPP ||
           error == EINVAL;
}

static int absent(struct nft_socket *socket, int error, struct error *err)
{
    socket->absent = true;
    return error_set(
        err, ERROR_KERNEL,
        "this kernel has no nf_tables (%s): use the iptables backend, or a kernel with "
        "CONFIG_NF_TABLES",
        strerror(error));
}

/* `sent` is what the kernel refuses; NULL: the transaction itself. */
static int refused(struct nft_socket *socket, const struct nlmsghdr *sent, bool writing,
                   const struct netlink_answer *answer, struct error *err)
{
    /* As their numbers follow each other (enum nf_tables_msg_types). */
    static const char *const verbs[] = {"make", "read", "delete"};
    int type = sent != NULL ? nft_reply_type(sent) : -1;
    char subject[160] = "";

    socket->netlink.refusal = answer->error;
    if (sent != NULL)
        nft_message_subject(sent, subject, sizeof(subject));
    if (answer->error == EPERM && (sent == NULL || !writing))
        error_set(err, ERROR_KERNEL,
                  "the kernel refuses access to nf_tables: CAP_NET_ADMIN is missing");
    else if (type == NFT_MSG_GETGEN && means_absent(answer->error))
        absent(socket, answer->error, err);
    else if (sent == NULL)
        error_set(err, ERROR_KERNEL, "nf_tables: cannot commit: %s", strerror(answer->error));
    else
        error_set(err, ERROR_KERNEL, "nf_tables: cannot %s %s: %s", verbs[type % 3], subject,
                  strerror(answer->error));
    if (answer->error == EPERM && sent != NULL && writing)
        error_details(err, "another program owns the table (flag owner): stop it");
    if (answer->text != NULL)
        error_details(err, "the kernel says: %s", answer->text);
    return -1;
}

static const struct nlmsghdr *message_at(const struct netlink_messages *messages, unsigned number)
{
    netlink_messages_each(message, messages)
    {
        if (number-- == 0)
            return message;
    }
    return NULL;
}

/* --- open, close -------------------------------------------------------------------------------- */

int nft_open(struct nft_socket *socket, struct error *err)
{
    int on = 1;

    *socket = (struct nft_socket){0};
    if (netlink_open(NETLINK_NETFILTER, "nf_tables", &socket->netlink) < 0) {
        socket->netlink.refusal = errno;
        return means_absent(errno)
                   ? absent(socket, errno, err)
                   : error_set(err, ERROR_KERNEL, "nf_tables: cannot open a netlink socket: %m");
    }
    /* Without these two the kernel says less, or more than needed: either will do. */
    setsockopt(socket->netlink.fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(socket->netlink.fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return 0;
}

void nft_close(struct nft_socket *socket)
{
    netlink_close(&socket->netlink);
}

/* --- asking, committing ------------------------------------------------------------------------- */

struct request {
    struct nft_socket *socket;
    const struct netlink_messages *messages;
    nft_answer *each;
    void *context;
};

/* What was asked for is not there; EINVAL: nor can it be, in a set with keys of another size;
 * EAFNOSUPPORT: nor any inet table, in a kernel that has nf_tables without them. */
static bool is_nothing(int asked, int error)
{
    return error == ENOENT || (error == EINVAL && asked == NFT_MSG_GETSETELEM) ||
           (error == EAFNOSUPPORT && asked != NFT_MSG_GETGEN);
}

static int take_answer(const struct netlink_answer *answer, void *context, struct error *err)
{
    const struct request *request = context;
    const struct nlmsghdr *sent = NULL;

    if (answer->message != NULL)
        return request->each(answer->message, request->context, err);
    sent = message_at(request->messages, answer->number);
    if (answer->error == 0 || is_nothing(nft_reply_type(sent), answer->error))
        return 0;
    return refused(request->socket, sent, false, answer, err);
}

int nft_ask(struct nft_socket *socket, const struct netlink_messages *requests, nft_answer *each,
            void *context, struct error *err)
{
    struct request request = {socket, requests, each, context};

    return netlink_ask(&socket->netlink, requests, take_answer, &request, err);
}

/* The batch's beginning, which has number 0, is refused where the generation has passed. */
static int take_refusal(const struct netlink_answer *answer, void *context, struct error *err)
{
    const struct request *request = context;

    if (answer->error == 0)
        return 0;
    return refused(request->socket,
                   answer->number > 0 ? message_at(request->messages, answer->number - 1) : NULL,
                   true, answer, err);
}

/* What a batch begins or ends with (linux/netfilter/nfnetlink.h). */
static struct iovec batch_mark(void *room, uint16_t type, uint32_t sequence, uint32_t generation)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(room);
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = sequence;
    header->res_id = htons(NFNL_SUBSYS_NFTABLES);
    if (generation != 0)
        nft_put_u32(message, NFNL_BATCH_GENID, generation);
    return (struct iovec){message, message->nlmsg_len};
}

static int transact(struct nft_socket *socket, const struct netlink_messages *messages,
                    uint32_t generation, bool carry_out, struct error *err)
{
    uint32_t first = socket->netlink.sequence + 1;
    uint32_t last = first + messages->count;
    uint32_t start[16];
    uint32_t finish[16];
    struct request request = {.socket = socket, .messages = messages};
    struct iovec parts[] = {batch_mark(start, NFNL_MSG_BATCH_BEGIN, first, generation),
                            {messages->bytes, messages->length},
                            batch_mark(finish, NFNL_MSG_BATCH_END, last + 1, 0)};

    if (messages->incomplete)
        return error_no_memory(err);
    if (messages->count == 0)
        return 0;
    netlink_messages_number(messages, first + 1);
    /* The last message's answer says that all are through; the others answer only if refused. */
    netlink_messages_each(message, messages)
    {
        if (message->nlmsg_seq == last)
            message->nlmsg_flags |= NLM_F_ACK;
    }
    socket->netlink.sequence = last + 1;
    /* Without its end the kernel checks a batch and drops it. */
    return netlink_exchange(&socket->netlink, parts, carry_out ? 3 : 2, first, last, take_refusal,
                            &request, err);
}

int nft_commit(struct nft_socket *socket, const struct netlink_messages *messages,
               uint32_t generation, struct error *err)
{
    return transact(socket, messages, generation, true, err);
}

int nft_rehearse(struct nft_socket *socket, const struct netlink_messages *messages,
                 struct error *err)
{
    return transact(socket, messages, 0, false, err);
}
