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

/* The map of version 0.1.0's table; that had one for outgoing packets, too, which is left to go. */
#define NFT_FORMER_MAP "in"

/* A guard that is to go has this time-out, which no other has. */
#define NFT_GOING_MS 10

/*
 * map guards { type ifname : verdict; flags timeout; <expression>; }: "counter". With "immediate" it is a
 * map that can be none: each of its elements would have an expression that keeps no state, and lacks its
 * attributes. A kernel that gives elements counters (NFTA_SET_EXPR, Linux 5.7) refuses it, with EINVAL
 * or EOPNOTSUPP; an older one does not look at that attribute, and takes it.
 */
void elements_make(struct netlink_messages *messages, const char *expression);

/* A request for the element of one interface, whose name need be none. */
void elements_ask(struct netlink_messages *messages, const char *interface);

/*
 * Adds the guards of an answer that has elements of the map, or of version 0.1.0's, to listing->held, and
 * those that have been let go to going->held. An element whose key is no interface's name guards nothing
 * and is skipped. Errors: out of memory.
 */
must_use int elements_take(const struct nlmsghdr *message, struct listing *listing,
                           struct listing *going, struct error *err);

/* Adds guards, with tag and counters. EEXIST in the kernel if an interface has one. */
void elements_add(struct netlink_messages *messages, const struct held *const *held, size_t count);

/*
 * Sets guards a time after which they are gone (Linux 6.12). An older kernel says yes and lets them stay:
 * to be looked at again. Nothing is deleted, so that nobody waits for it (remove.c).
 */
void elements_let_go(struct netlink_messages *messages, const struct held *const *held,
                     size_t count);

/* Takes guards away. ENOENT in the kernel if one has gone. */
void elements_delete(struct netlink_messages *messages, const struct held *const *held,
                     size_t count);

#endif
