/*
 * A kernel with nf_tables, for the nftables backend in the test's own process: what is committed is
 * kept as messages, elements one by one, and given back to whoever asks. It refuses what the real
 * one does: what is there already or no more, or a generation that has passed, as when others have
 * written meanwhile; and what it is told to refuse.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_NFTABLES_H
#define IMDS_GUARD_TESTS_FAKE_NFTABLES_H

#include "kernel/nftables/facts.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

int __wrap_nft_open(struct nft_socket *socket, struct error *err);
void __wrap_nft_close(struct nft_socket *socket);
int __wrap_nft_ask(struct nft_socket *socket, const struct netlink_messages *requests,
                   nft_answer *each, void *context, struct error *err);
int __wrap_nft_commit(struct nft_socket *socket, const struct netlink_messages *messages,
                      uint32_t generation, struct error *err);
int __wrap_nft_rehearse(struct nft_socket *socket, const struct netlink_messages *messages,
                        struct error *err);

enum { GENERATION = 41 }; /* the first */

static struct {
    /* What is there: messages with room for them, each aligned. */
    _Alignas(struct nlmsghdr) char bytes[65536];
    size_t length;

    int open_error;        /* nft_open fails, EPROTONOSUPPORT: no nf_tables */
    int refusal;           /* the next `refusals` commits are refused with this */
    unsigned refusals;     /* the same for questions: */
    int ask_refusal;       /* */
    unsigned ask_refusals; /* */
    int rehearsal_refusal; /* every rehearsal is refused with this */
    bool cannot_reject;    /* one is refused that leads packets from FORWARD to `refuse` */
    unsigned asked;        /* times */
    unsigned committed;    /* times with success */
    unsigned rehearsed;    /* times */
    unsigned open;         /* sockets */
    bool bound;            /* the last commit was good for one generation only */
    bool is_old;         /* before Linux 5.7: sets have no expressions, NFTA_SET_EXPR is skipped */
    bool lets_go;        /* since Linux 6.12: an element that is there takes a time-out, */
    unsigned goes_after; /* which is over after so many questions; 0: never */
    unsigned refused;    /* times that a commit was, for what is there or no more */
    void (*meanwhile)(void); /* what somebody else does, once, before the next commit */
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
    socket->netlink.refusal = error;
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

/* The table's name has the same number in every message but that of a generation. */
static inline const char *table_of(const struct nlmsghdr *message)
{
    struct attributes attributes;
    const char *table;

    nft_reply_attributes(message, &attributes);
    table = attribute_text(&attributes, NFTA_TABLE_NAME);
    return table != NULL ? table : "";
}

/* Whether both are about one object, or about elements of one set. */
static inline bool is_same_object(const struct nlmsghdr *a, const struct nlmsghdr *b)
{
    char left[128];
    char right[128];

    nft_message_subject(a, left, sizeof(left));
    nft_message_subject(b, right, sizeof(right));
    return strcmp(left, right) == 0 && strcmp(table_of(a), table_of(b)) == 0;
}

/* The first element that an answer or a request names; key NULL if there is none. */
static inline struct nft_element element_of(const struct nlmsghdr *message)
{
    struct attributes attributes;
    struct nft_elements elements = {0};
    struct nft_element element = {0};
    const struct nlattr *cursor = NULL;
    int type = nft_reply_type(message);

    nft_reply_attributes(message, &attributes);
    if (type == NFT_MSG_NEWSETELEM || type == NFT_MSG_GETSETELEM || type == NFT_MSG_DELSETELEM)
        elements.list = attributes.at[NFTA_SET_ELEM_LIST_ELEMENTS];
    (void)!nft_reply_next_element(&elements, &cursor, &element);
    return element;
}

static inline bool is_same_element(const struct nft_element *a, const struct nft_element *b)
{
    return a->key_length == b->key_length && a->flags == b->flags &&
           (a->key_length == 0 || memcmp(a->key, b->key, a->key_length) == 0);
}

static inline bool is_answer(const struct nlmsghdr *request, const struct nlmsghdr *there)
{
    struct nft_element asked;
    struct nft_element found;

    /* NFT_MSG_NEW* is one before NFT_MSG_GET* (linux/netfilter/nf_tables.h). */
    if (nft_reply_type(there) != nft_reply_type(request) - 1)
        return false;
    if (nft_reply_type(request) == NFT_MSG_GETRULE)
        return strcmp(table_of(request), table_of(there)) == 0;
    if (!is_same_object(request, there))
        return false;
    asked = element_of(request);
    found = element_of(there);
    return asked.key == NULL || is_same_element(&asked, &found);
}

static inline struct nlmsghdr *fake_message(char *bytes, int type, uint16_t flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
    message->nlmsg_flags = flags;
    header->nfgen_family = NFPROTO_INET;
    return message;
}

static inline int tell_generation(nft_answer *each, void *context, struct error *err)
{
    _Alignas(struct nlmsghdr) char bytes[64];
    struct nlmsghdr *message = fake_message(bytes, NFT_MSG_NEWGEN, 0);

    nft_put_u32(message, NFTA_GEN_ID, GENERATION + nftables.committed);
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

static inline void forget_what_is_let_go(void)
{
    size_t kept = 0;

    for (size_t at = 0, size = 0; at < nftables.length; at += size) {
        size = MNL_ALIGN(there_at(at)->nlmsg_len);
        if (element_of(there_at(at)).timeout != 0)
            continue;
        memmove(nftables.bytes + kept, nftables.bytes + at, size);
        kept += size;
    }
    nftables.length = kept;
}

int __wrap_nft_ask(struct nft_socket *socket, const struct netlink_messages *requests,
                   nft_answer *each, void *context, struct error *err)
{
    nftables.asked++;
    socket->netlink.refusal = 0;
    if (requests->incomplete)
        return error_no_memory(err);
    if (nftables.goes_after > 0 && --nftables.goes_after == 0)
        forget_what_is_let_go();
    if (nftables.ask_refusals > 0) {
        nftables.ask_refusals--;
        return fake_refusal(socket, nftables.ask_refusal, err);
    }
    netlink_messages_each(message, requests)
    {
        if (answer_one(message, each, context, err) < 0)
            return -1;
    }
    return 0;
}

/* Forgets what is in the same table, or else the same object; with a key, only this element of it.
 * How many that were. */
static inline unsigned forget(const struct nlmsghdr *gone, const struct nft_element *which)
{
    unsigned count = 0;
    size_t kept = 0;

    for (size_t at = 0, size = 0; at < nftables.length; at += size) {
        const struct nlmsghdr *there = there_at(at);
        struct nft_element element = element_of(there);
        bool goes = nft_reply_type(gone) == NFT_MSG_DELTABLE
                        ? strcmp(table_of(gone), table_of(there)) == 0
                        : is_same_object(gone, there) &&
                              (which->key == NULL || is_same_element(which, &element));

        size = MNL_ALIGN(there->nlmsg_len);
        count += goes;
        if (goes)
            continue;
        memmove(nftables.bytes + kept, nftables.bytes + at, size);
        kept += size;
    }
    nftables.length = kept;
    return count;
}

/* What is there loses NFTA_SET_EXPR, as if a kernel that skips it had made it. */
static inline void forget_counters(void)
{
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        const struct nlmsghdr *message = there_at(at);
        const struct nlattr *attribute;

        if (nft_reply_type(message) != NFT_MSG_NEWSET)
            continue;
        mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
        {
            size_t offset = (size_t)((const char *)attribute - nftables.bytes);

            if (mnl_attr_get_type(attribute) == NFTA_SET_EXPR)
                ((struct nlattr *)(nftables.bytes + offset))->nla_type = NFTA_SET_PAD;
        }
    }
}

static inline int forget_elements(const struct nlmsghdr *gone)
{
    struct nft_elements elements = {0};
    struct nft_element which = {0};
    struct attributes attributes;
    const struct nlattr *cursor = NULL;

    nft_reply_attributes(gone, &attributes);
    elements.list = attributes.at[NFTA_SET_ELEM_LIST_ELEMENTS];
    if (elements.list == NULL)
        forget(gone, &which);
    while (nft_reply_next_element(&elements, &cursor, &which))
        if (forget(gone, &which) == 0)
            return ENOENT;
    return 0;
}

static inline bool is_there(const struct nlmsghdr *message)
{
    struct nft_element which = element_of(message);

    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct nft_element element = element_of(there_at(at));

        if (nft_reply_type(there_at(at)) == nft_reply_type(message) &&
            is_same_object(there_at(at), message) && is_same_element(&which, &element))
            return true;
    }
    return false;
}

/* Whether there is an object of this type (NFT_MSG_NEW*) and name in the message's table. */
static inline bool has_object(const struct nlmsghdr *message, int type, unsigned attribute,
                              const char *name)
{
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct attributes there;

        nft_reply_attributes(there_at(at), &there);
        if (nft_reply_type(there_at(at)) == type && attribute_is(&there, attribute, name) &&
            strcmp(table_of(there_at(at)), table_of(message)) == 0)
            return true;
    }
    return false;
}

static inline unsigned forget(const struct nlmsghdr *gone, const struct nft_element *which);

static inline int keep(const struct nlmsghdr *message)
{
    size_t size = MNL_ALIGN(message->nlmsg_len);
    const struct nft_element element = element_of(message);

    if (nftables.lets_go && element.timeout != 0 && is_there(message))
        forget(message, &element);
    if (is_there(message) && nft_reply_type(message) != NFT_MSG_NEWRULE)
        return message->nlmsg_flags & NLM_F_EXCL ? EEXIST : 0;
    assert_true(nftables.length + size <= sizeof(nftables.bytes));
    memcpy(nftables.bytes + nftables.length, message, size);
    nftables.length += size;
    return 0;
}

/* Each element as a message of its own. */
static inline int keep_elements(const struct nlmsghdr *message, const struct nft_elements *elements)
{
    const struct nlattr *item = NULL;

    while ((item = attribute_next(elements->list, item)) != NULL) {
        static _Alignas(struct nlmsghdr) char bytes[1024];
        struct nlmsghdr *one = fake_message(bytes, NFT_MSG_NEWSETELEM, message->nlmsg_flags);
        struct nlattr *list = NULL;
        struct nft_element element;
        int error = 0;

        mnl_attr_put_strz(one, NFTA_SET_ELEM_LIST_TABLE, elements->table);
        mnl_attr_put_strz(one, NFTA_SET_ELEM_LIST_SET, elements->set);
        list = mnl_attr_nest_start(one, NFTA_SET_ELEM_LIST_ELEMENTS);
        mnl_attr_put(one, NFTA_LIST_ELEM | NLA_F_NESTED, mnl_attr_get_payload_len(item),
                     mnl_attr_get_payload(item));
        mnl_attr_nest_end(one, list);
        element = element_of(one);
        if (element.has_verdict && element.verdict.chain != NULL &&
            !has_object(one, NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, element.verdict.chain))
            return ENOENT;
        error = keep(one);
        if (error != 0)
            return error;
    }
    return 0;
}

/* 0, or why not. */
static inline int carry_out_message(const struct nlmsghdr *message)
{
    static const struct nft_element none;
    struct nft_elements elements;

    switch (nft_reply_type(message)) {
    case NFT_MSG_DELTABLE:
        return forget(message, &none) > 0 ? 0 : ENOENT;
    case NFT_MSG_DELSETELEM:
        return forget_elements(message);
    case NFT_MSG_DELRULE: /* the rules of a chain, of which there may be none */
        forget(message, &none);
        return 0;
    case NFT_MSG_NEWTABLE:
        return keep(message);
    }
    if (!has_object(message, NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, table_of(message)))
        return ENOENT;
    if (!nft_reply_elements(message, &elements))
        return keep(message);
    if (!has_object(message, NFT_MSG_NEWSET, NFTA_SET_NAME, elements.set))
        return ENOENT;
    return keep_elements(message, &elements);
}

/* All of them or none. */
static inline int carry_out_all(const struct netlink_messages *messages)
{
    static char before[sizeof(nftables.bytes)];
    size_t length = nftables.length;

    memcpy(before, nftables.bytes, length);
    netlink_messages_each(message, messages)
    {
        int error = carry_out_message(message);

        if (error != 0) {
            memcpy(nftables.bytes, before, length);
            nftables.length = length;
            return error;
        }
    }
    return 0;
}

int __wrap_nft_commit(struct nft_socket *socket, const struct netlink_messages *messages,
                      uint32_t generation, struct error *err)
{
    void (*meanwhile)(void) = nftables.meanwhile;
    int error = 0;

    socket->netlink.refusal = 0;
    if (messages->incomplete)
        return error_no_memory(err);
    if (messages->count == 0)
        return 0;
    nftables.meanwhile = NULL;
    if (meanwhile != NULL)
        meanwhile();
    if (nftables.refusals > 0) {
        nftables.refusals--;
        return fake_refusal(socket, nftables.refusal, err);
    }
    if (generation != 0 && generation != GENERATION + nftables.committed)
        return fake_refusal(socket, ERESTART, err);
    error = carry_out_all(messages);
    nftables.refused += error != 0;
    if (error != 0)
        return fake_refusal(socket, error, err);
    nftables.committed++;
    nftables.bound = generation != 0;
    if (nftables.is_old)
        forget_counters();
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

static inline bool is_rule_of(const struct nlmsghdr *message, const char *chain)
{
    struct attributes rule;

    if (nft_reply_type(message) != NFT_MSG_NEWRULE)
        return false;
    nft_reply_attributes(message, &rule);
    return attribute_is(&rule, NFTA_RULE_CHAIN, chain);
}

int __wrap_nft_rehearse(struct nft_socket *socket, const struct netlink_messages *messages,
                        struct error *err)
{
    bool refuses = false;
    bool leads = false;

    socket->netlink.refusal = 0;
    if (messages->incomplete)
        return error_no_memory(err);
    assert_true(messages->count > 0);
    nftables.rehearsed++;
    netlink_messages_each(message, messages)
    {
        if (nftables.rehearsal_refusal == 0 && is_set_with_wrong_expression(message))
            return fake_refusal(socket, EOPNOTSUPP, err);
        /* Only what a hook leads to is looked at. */
        refuses = refuses || is_rule_of(message, NFT_REFUSAL);
        leads = leads || is_rule_of(message, NFT_FORWARD);
    }
    if (nftables.cannot_reject && refuses && leads)
        return fake_refusal(socket, EOPNOTSUPP, err);
    return nftables.rehearsal_refusal != 0 ? fake_refusal(socket, nftables.rehearsal_refusal, err)
                                           : 0;
}

#endif
