/*
 * A run of nf_tables messages in one piece of memory: what is built here is sent as it stands
 * (socket.h), and read back with the same eyes as the kernel's answers (reply.h).
 */
#ifndef IMDS_GUARD_NFTABLES_MESSAGES_H
#define IMDS_GUARD_NFTABLES_MESSAGES_H

#include "guard/cleanup.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The table that messages are about. */
#define NFT_TABLE "imds_guard"

/*
 * The table of version 0.1.0, which has another skeleton. Under another name, so that a binary of
 * that version, which makes anew what is not its skeleton, does not take ours away.
 */
#define NFT_FORMER_TABLE "imds-guard"

/* Room there is for one message. Small, because it is zeroed, and most questions take a few bytes;
 * far below what the length of an attribute can tell (linux/netlink.h). */
#define NFT_MESSAGE_MAX 4096

struct nft_messages {
    char *bytes;
    size_t length;
    size_t capacity;
    unsigned count;
};

/*
 * Starts a message of the type NFT_MSG_* for the inet family, after the ones that are there. NULL
 * if out of memory. The pointer is good until the next start; NLM_F_REQUEST is set.
 */
must_use struct nlmsghdr *nft_messages_start(struct nft_messages *messages, uint16_t type,
                                             uint16_t flags);

/* Counts in the message that was started last, now that it is complete. */
void nft_messages_end(struct nft_messages *messages, const struct nlmsghdr *message);

/*
 * Adds a message that says no more than a name: the table's or, if `attribute` is not 0, that of an
 * object in it. False if out of memory.
 */
must_use bool nft_messages_add_name(struct nft_messages *messages, uint16_t type, uint16_t flags,
                                    uint16_t attribute, const char *name);

/* The same of another table. */
must_use bool nft_messages_add_name_in(struct nft_messages *messages, const char *table,
                                       uint16_t type, uint16_t flags, uint16_t attribute,
                                       const char *name);

void nft_messages_free(struct nft_messages *messages);

/* Goes through all messages. */
#define nft_messages_each(message, messages)                                                       \
    for (struct nlmsghdr *message = (struct nlmsghdr *)(messages)->bytes,                          \
                         *end = (struct nlmsghdr *)((messages)->bytes + (messages)->length);       \
         message < end;                                                                            \
         message = (struct nlmsghdr *)((char *)message + MNL_ALIGN(message->nlmsg_len)))

static inline void cleanup_nft_messages(struct nft_messages *messages)
{
    nft_messages_free(messages);
}

#endif
