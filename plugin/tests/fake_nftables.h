/*
 * A kernel with one table, for the nftables backend in the test's own process: what is committed is
 * kept as messages, and given back to whoever asks. A set's elements come and go by the message. It
 * refuses what it is told to refuse, as others who write at the same time make the real one do.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_NFTABLES_H
#define IMDS_GUARD_TESTS_FAKE_NFTABLES_H

#include "kernel/nftables/facts.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/socket.h"

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

int __wrap_nft_open(struct nft_socket *socket, struct error *err);
void __wrap_nft_close(struct nft_socket *socket);
int __wrap_nft_ask(struct nft_socket *socket, const struct nft_messages *requests, nft_answer *each,
                   void *context, struct error *err);
int __wrap_nft_commit(struct nft_socket *socket, const struct nft_messages *messages,
                      uint32_t generation, struct error *err);
int __wrap_nft_rehearse(struct nft_socket *socket, const struct nft_messages *messages,
                        struct error *err);

enum { GENERATION = 41 };

static struct {
    /* What is there: messages with room for them, each aligned. */
    _Alignas(struct nlmsghdr) char bytes[65536];
    size_t length;

    int open_error;        /* nft_open fails, EPROTONOSUPPORT: no nf_tables */
    int refusal;           /* the next `refusals` commits are refused with this */
    unsigned refusals;     /* the same for questions: */
    int ask_refusal;       /* */
    unsigned ask_refusals; /* */
    unsigned asked;        /* times */
    unsigned committed;    /* times with success */
    unsigned rehearsed;    /* times */
    unsigned open;         /* sockets */
    uint32_t generation;   /* that the last commit depended on */
    bool is_old; /* before Linux 5.7: sets have no expressions, NFTA_SET_EXPR is skipped */
} nftables;

static inline void nftables_reset(void)
{
    memset(&nftables, 0, sizeof(nftables));
}

static inline const struct nlmsghdr *there_at(size_t offset)
{
    return (const struct nlmsghdr *)(nftables.bytes + offset);
}

static inline int fake_refusal(struct nft_socket *socket, int error, struct error *err)
{
    socket->refusal = error;
    return error_set(err, ERROR_KERNEL, "refused: %s", strerror(error));
}

int __wrap_nft_open(struct nft_socket *socket, struct error *err)
{
    *socket = (struct nft_socket){0};
    nftables.open++;
    socket->absent = nftables.open_error == EPROTONOSUPPORT;
    return nftables.open_error != 0 ? fake_refusal(socket, nftables.open_error, err) : 0;
}

void __wrap_nft_close(struct nft_socket *socket)
{
    (void)socket;
    nftables.open--;
}

static inline bool is_answer(const struct nlmsghdr *request, const struct nlmsghdr *there)
{
    char asked[128];
    char found[128];

    /* NFT_MSG_NEW* is one before NFT_MSG_GET* (linux/netfilter/nf_tables.h). */
    if (nft_reply_type(there) != nft_reply_type(request) - 1)
        return false;
    nft_message_subject(request, asked, sizeof(asked));
    nft_message_subject(there, found, sizeof(found));
    return nft_reply_type(request) == NFT_MSG_GETRULE || strcmp(asked, found) == 0;
}

static inline int tell_generation(nft_answer *each, void *context, struct error *err)
{
    uint32_t bytes[16];
    struct nlmsghdr *message =
        nftnl_nlmsg_build_hdr((char *)bytes, NFT_MSG_NEWGEN, NFPROTO_INET, 0, 0);

    mnl_attr_put_u32(message, NFTA_GEN_ID, htonl(GENERATION));
    return each(message, context, err);
}

static inline int answer_one(const struct nlmsghdr *request, nft_answer *each, void *context,
                             struct error *err)
{
    if (nft_reply_type(request) == NFT_MSG_GETGEN)
        return tell_generation(each, context, err);
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len))
        if (is_answer(request, there_at(at)) && each(there_at(at), context, err) < 0)
            return -1;
    return 0;
}

int __wrap_nft_ask(struct nft_socket *socket, const struct nft_messages *requests, nft_answer *each,
                   void *context, struct error *err)
{
    nftables.asked++;
    socket->refusal = 0;
    if (nftables.ask_refusals > 0) {
        nftables.ask_refusals--;
        return fake_refusal(socket, nftables.ask_refusal, err);
    }
    nft_messages_each(message, requests)
    {
        if (answer_one(message, each, context, err) < 0)
            return -1;
    }
    return 0;
}

static inline void forget_elements(const struct nlmsghdr *of)
{
    char gone[128];
    char found[128];
    size_t kept = 0;

    nft_message_subject(of, gone, sizeof(gone));
    for (size_t at = 0, size = 0; at < nftables.length; at += size) {
        size = MNL_ALIGN(there_at(at)->nlmsg_len);
        nft_message_subject(there_at(at), found, sizeof(found));
        if (strcmp(gone, found) == 0)
            continue;
        memmove(nftables.bytes + kept, nftables.bytes + at, size);
        kept += size;
    }
    nftables.length = kept;
}

static inline void carry_out_message(const struct nlmsghdr *message)
{
    switch (nft_reply_type(message)) {
    case NFT_MSG_DELTABLE:
        nftables.length = 0;
        break;
    case NFT_MSG_DELSETELEM:
        forget_elements(message);
        break;
    default:
        assert_true(nftables.length + MNL_ALIGN(message->nlmsg_len) <= sizeof(nftables.bytes));
        memcpy(nftables.bytes + nftables.length, message, MNL_ALIGN(message->nlmsg_len));
        nftables.length += MNL_ALIGN(message->nlmsg_len);
    }
}

int __wrap_nft_commit(struct nft_socket *socket, const struct nft_messages *messages,
                      uint32_t generation, struct error *err)
{
    socket->refusal = 0;
    if (messages->count == 0)
        return 0;
    if (nftables.refusals > 0) {
        nftables.refusals--;
        return fake_refusal(socket, nftables.refusal, err);
    }
    nft_messages_each(message, messages) carry_out_message(message);
    nftables.committed++;
    nftables.generation = generation;
    return 0;
}

/* An expression of a set must be one that keeps state (net/netfilter/nf_tables_api.c). */
static inline bool is_set_with_wrong_expression(const struct nlmsghdr *message)
{
    struct attributes set;
    struct attributes expression;
    const char *name;

    if (nftables.is_old || nft_reply_type(message) != NFT_MSG_NEWSET)
        return false;
    nft_reply_attributes(message, &set);
    attributes_nested(set.at[NFTA_SET_EXPR], &expression);
    name = attribute_text(&expression, NFTA_EXPR_NAME);
    return name != NULL && strcmp(name, "counter") != 0;
}

int __wrap_nft_rehearse(struct nft_socket *socket, const struct nft_messages *messages,
                        struct error *err)
{
    assert_true(messages->count > 0);
    nftables.rehearsed++;
    socket->refusal = 0;
    nft_messages_each(message, messages)
    {
        if (nftables.refusal == 0 && is_set_with_wrong_expression(message))
            return fake_refusal(socket, EOPNOTSUPP, err);
    }
    return nftables.refusal != 0 ? fake_refusal(socket, nftables.refusal, err) : 0;
}

#endif
