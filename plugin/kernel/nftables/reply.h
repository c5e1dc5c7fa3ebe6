/*
 * What nf_tables says, from bytes to plain data. Pure, and trusts no length: the bytes may be
 * anything. Attributes are those of linux/netfilter/nf_tables.h; the ones not known here are
 * skipped.
 *
 * Every function takes one message of which nlmsg_len bytes are there (message_is_whole), returns
 * false if it is not what the function reads, and then leaves *out alone. Strings are borrowed from
 * the message.
 */
#ifndef IMDS_GUARD_NFTABLES_REPLY_H
#define IMDS_GUARD_NFTABLES_REPLY_H

#include "guard/cleanup.h"
#include "guard/verdict.h"
#include "kernel/netlink/attributes.h"
#include "kernel/nftables/messages.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NFT_MSG_* of a message, or -1 if it is not of nf_tables (linux/netfilter/nfnetlink.h). */
int nft_reply_type(const struct nlmsghdr *message);

/* NFT_MSG_NEWGEN: the number that every transaction changes. */
must_use bool nft_reply_generation(const struct nlmsghdr *message, uint32_t *out);

/* The verdict of an expression "immediate", the numbers of an expression "counter" (items of
 * NFTA_RULE_EXPRESSIONS). */
must_use bool nft_reply_immediate(const struct nlattr *expression, struct nft_verdict *out);
must_use bool nft_reply_counter(const struct nlattr *expression, uint64_t *packets,
                                uint64_t *bytes);

/* How a guard's verdict is written: VERDICT_REJECT goes to the chain NFT_REFUSAL. And what any verdict comes
 * to for a packet: whatever neither drops nor goes there, passes. */
struct nft_verdict nft_verdict_of(enum verdict verdict);
enum verdict nft_verdict_meaning(const struct nft_verdict *verdict);

/* One element of NFT_MSG_NEWSETELEM. */
struct nft_element {
    const uint8_t *key; /* NULL: the element that stands for all others */
    size_t key_length;
    uint32_t flags; /* NFT_SET_ELEM_* */
    bool has_verdict;
    struct nft_verdict verdict;
    const char *comment; /* NULL if there is none */
    uint64_t timeout;    /* milliseconds; 0: it stays */
    uint64_t packets;    /* 0 if there is no counter */
    uint64_t bytes;
};

/* The table and the set that the elements are in. */
struct nft_elements {
    const char *table;
    const char *set;
    const struct nlattr *list; /* NULL: no element */
};

must_use bool nft_reply_elements(const struct nlmsghdr *message, struct nft_elements *out);

/* The element after *cursor (start with NULL), or false. One that cannot be read ends the list. */
must_use bool nft_reply_next_element(const struct nft_elements *elements,
                                     const struct nlattr **cursor, struct nft_element *out);

/* The attributes of a message of nf_tables; none if it is too short to have any. */
void nft_reply_attributes(const struct nlmsghdr *message, struct attributes *out);

#endif
