/*
 * Messages for nf_tables. Whoever builds one need not look whether there was memory for it
 * (netlink_messages.incomplete): what is incomplete is never sent.
 */
#ifndef IMDS_GUARD_NFTABLES_MESSAGES_H
#define IMDS_GUARD_NFTABLES_MESSAGES_H

#include "kernel/netlink/messages.h"

/* The table that messages are about, its map of guards, and the chain that tells the sender. */
#define NFT_TABLE   "imds_guard"
#define NFT_MAP     "guards"
#define NFT_JUDGE   "judge"
#define NFT_REFUSAL "refuse"

/*
 * The table of version 0.1.0, which has another skeleton. Under another name, so that a binary of
 * that version, which makes anew what is not its skeleton, does not take ours away.
 */
#define NFT_FORMER_TABLE "imds-guard"

/* Starts a message of the type NFT_MSG_* for the inet family; for netlink_message_end. */
struct nlmsghdr *nft_message_start(struct netlink_messages *messages, uint16_t type,
                                   uint16_t flags);

/*
 * Adds a message that says no more than a name: the table's or, if `attribute` is not 0, that of an
 * object in it.
 */
void nft_message_add(struct netlink_messages *messages, const char *table, uint16_t type,
                     uint16_t flags, uint16_t attribute, const char *name);

/* Attributes that are numbers, as nf_tables takes them: big-endian. */
void nft_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value);
void nft_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t value);

/* Bytes, as the kernel has them around keys and values to compare with. */
void nft_put_value(struct nlmsghdr *message, uint16_t type, const void *bytes, size_t length);

/*
 * One of nft(8)'s notes, which the kernel only keeps (libnftnl/udata.h of its library): what it is of,
 * how long, and the bytes.
 */
enum { NFT_NOTE_COMMENT = 0, NFT_NOTE_BYTE_ORDER = 0 }; /* of an element; of a set's keys */
void nft_put_note(struct nlmsghdr *message, uint16_t type, uint8_t kind, const void *bytes,
                  uint8_t length);

/* What ends the evaluation of a rule. */
struct nft_verdict {
    int32_t code;      /* NF_DROP, NF_ACCEPT, NFT_RETURN, NFT_GOTO, ... */
    const char *chain; /* where it goes; NULL if nowhere */
};

void nft_put_verdict(struct nlmsghdr *message, uint16_t type, struct nft_verdict verdict);

/* An expression, as an attribute of this type; its own attributes come between the two calls. */
struct nft_expression {
    struct nlattr *whole;
    struct nlattr *data;
};

struct nft_expression nft_expression_start(struct nlmsghdr *message, uint16_t type,
                                           const char *name);
void nft_expression_end(struct nlmsghdr *message, struct nft_expression expression);

/* A list of elements of the set, and one in it, of which there is the key; for mnl_attr_nest_end. */
struct nlattr *nft_elements_start(struct nlmsghdr *message, const char *set);
struct nlattr *nft_element_start(struct nlmsghdr *message, const void *key, size_t length);

#endif
