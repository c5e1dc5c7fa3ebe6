/*
 * Guards as elements of one map: the key is the interface's name in 16 bytes, filled up with NULs;
 * the data is the verdict, with `return` for who passes and going to the chain `refuse` for who is
 * rejected; the user data is the tag, as the comment that nft(8) shows:
 *
 *     "eni1a2b" counter packets 3 bytes 180 comment "aws-cni/4f3c/eth0 1 default/web-0" : drop
 *
 * The map has no intervals: every byte of a name stands for itself, `*` too.
 */
#ifndef IMDS_GUARD_NFTABLES_ELEMENTS_H
#define IMDS_GUARD_NFTABLES_ELEMENTS_H

#include "kernel/backend.h"
#include "kernel/nftables/messages.h"

#define NFT_MAP     "guards"
#define NFT_REFUSAL "refuse" /* the chain that tells the sender */

/* The map of version 0.1.0's table; that had one for outgoing packets, too, which is left to go. */
#define NFT_FORMER_MAP "in"

/* A guard that is to go has this time-out, which no other has. */
#define NFT_GOING_MS 10

/* map guards { type ifname : verdict; flags timeout; counter; } */
must_use int elements_make(struct nft_messages *messages, struct error *err);

/*
 * A map that can be none: each of its elements would have an expression that keeps no state, and
 * lacks its attributes. A kernel that gives elements counters (NFTA_SET_EXPR, Linux 5.7) refuses
 * it, with EINVAL or EOPNOTSUPP; an older one does not look at that attribute, and takes it.
 */
must_use int elements_make_refusable(struct nft_messages *messages, struct error *err);

/* A request for the element of one interface. */
must_use int elements_ask(struct nft_messages *messages,
                          const char interface[static INTERFACE_NAME_SIZE], struct error *err);

/* A request for all elements of this map, or of version 0.1.0's; it is a dump (socket.h). */
must_use int elements_ask_all(struct nft_messages *messages, const char *table, const char *map,
                              struct error *err);

/* Whether an answer has elements of the map, or of version 0.1.0's. */
bool elements_are_guards(const struct nlmsghdr *message);

/*
 * Adds the guards of such an answer to listing->held. An element whose key is no interface's name
 * guards nothing and is skipped; so is one that has been let go. Errors: out of memory.
 */
must_use int elements_take(const struct nlmsghdr *message, struct listing *listing,
                           struct error *err);

/* Adds guards, with tag and counters. EEXIST in the kernel if an interface has one. */
must_use int elements_add(struct nft_messages *messages, const struct held *const *held,
                          size_t count, struct error *err);

/*
 * Sets guards a time after which they are gone (Linux 6.12). An older kernel says yes and lets them stay:
 * to be looked at again. Nothing is deleted, so that nobody waits for it (remove.c).
 */
must_use int elements_let_go(struct nft_messages *messages, const struct held *const *held,
                             size_t count, struct error *err);

/* Takes guards away. ENOENT in the kernel if one has gone. */
must_use int elements_delete(struct nft_messages *messages, const struct held *const *held,
                             size_t count, struct error *err);

#endif
