/*
 * The skeleton: everything in our table but the guards. As nft(8) would write it:
 *
 *     table inet imds_guard {
 *         map guards { type ifname : verdict; flags timeout; counter; }
 *         chain refuse {
 *             oifname "vlan.eth.*" drop
 *             fib saddr . iif oif missing drop
 *             meta l4proto tcp reject with tcp reset
 *             reject with icmpx admin-prohibited
 *         }
 *         chain judge {
 *             iifname vmap @guards
 *             counter drop
 *         }
 *         chain forward {
 *             type filter hook forward priority mangle + 1; policy accept;
 *             @nh,128,32 0xa9fea9fe ip daddr 169.254.169.254 goto judge
 *             @nh,192,32 0xfd000ec2 ip6 daddr fd00:ec2::254 goto judge
 *         }
 *         chain postrouting {
 *             type filter hook postrouting priority mangle + 1; policy accept;
 *             @nh,128,32 0xa9fea9fe ip daddr 169.254.169.254 iif != 0 goto judge
 *             @nh,192,32 0xfd000ec2 ip6 daddr fd00:ec2::254 iif != 0 goto judge
 *         }
 *     }
 *
 * A guard is one element of the map (elements.h), and who has none gets the last rule of `judge`. It
 * has a time-out only when it is to go. Packets to other addresses pay for one comparison an endpoint,
 * however many guards there are. The chain `refuse` is there only where packets are rejected: not every
 * kernel has its parts.
 *
 * The chain `postrouting` is there while ip_vs is loaded: IPVS sends what it takes for a Service from
 * the INPUT hook, past FORWARD. The node's own packets have come in through no link. A packet that may
 * pass is counted in both hooks. None can be rejected there, so `refuse` only drops then.
 *
 * No name in it is a word of the grammar of any nft(8) since 0.9.3. What nft(8) prints loads again from
 * 1.0.0 on: those before print counters of maps and cannot read them.
 *
 * The table is ours. What others put into these chains is a fault, and goes with the repair; chains and
 * sets of other names cannot weaken a guard, and stay until the table is made anew.
 */
#ifndef IMDS_GUARD_NFTABLES_SKELETON_H
#define IMDS_GUARD_NFTABLES_SKELETON_H

#include "kernel/backend.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/messages.h"

#include <stdbool.h>

/*
 * Before every chain of the table filter, and behind the chain of version 0.1.0, which is at mangle:
 * what that lets through in the moment in which it goes comes here. (Of two chains at one priority the
 * newer one is asked first.)
 */
#define NFT_PRIORITY (NF_IP_PRI_MANGLE + 1)

#define NFT_FORWARD     "forward"
#define NFT_POSTROUTING "postrouting" /* the chain past which IPVS cannot send */

/* Requests for the skeleton without its table; the last one is a dump (socket.h). */
void skeleton_ask(struct netlink_messages *messages);

/* The rule for others, if it is what the message is about and no laxer than *out; else *out is left
 * alone. */
void skeleton_take_others(const struct nlmsghdr *message, struct others *out);

/* What is not the same in every skeleton, beside the endpoints (terms->endpoints). */
struct shape {
    struct others others; /* the rule goes on counting from their numbers */
    bool refusing;        /* the chain `refuse` is there */
};

/* Makes everything, where there is no table: EEXIST if there is. */
void skeleton_make(struct netlink_messages *messages, const struct terms *terms,
                   const struct shape *shape);

/*
 * Writes the rules of all chains again, where the chains are (but for `postrouting`, which is made if
 * it is missing). A packet meets the old rules or the new ones: a chain and all that it goes to
 * change as one, which two tables do not, one being made and one deleted.
 */
void skeleton_renew_rules(struct netlink_messages *messages, const struct terms *terms,
                          const struct shape *shape);

/* The table with a map that a kernel must refuse (elements_make). */
void skeleton_make_refusable(struct netlink_messages *messages);

/* Adds the chain `refuse`. EEXIST if it is there. */
void skeleton_add_refusal(struct netlink_messages *messages);

/*
 * Says in `err` what the kernel lacks, if it has refused a skeleton that refuses (`refusal`: with what
 * number) because it lacks what that takes.
 */
void skeleton_explain_refusing(int refusal, struct error *err);

/*
 * Lets everything pass, before the table is deleted where others are in force by now: for a packet that
 * is under way in `judge` when the table goes, the kernel takes the map for empty, and who is exempt
 * would meet the rule for others. Nobody sets a guard there any more (nft_join).
 */
void skeleton_retire(struct netlink_messages *messages);

void skeleton_delete(struct netlink_messages *messages, const char *table);

/* What is wrong with the skeleton. */
struct verdict_on_skeleton {
    bool broken;      /* to be made anew */
    bool rules_wrong; /* to be written again; also where they ask for others than the endpoints */
    bool refusing;    /* the chain `refuse` is there, or some of it */
    bool retired;     /* skeleton_retire */
};

/*
 * Compares what is there (nft_facts_take on every answer) with what skeleton_make would make, with
 * the verdict for others that is there (listing->others). Adds a sentence to listing->faults for each
 * difference that does not follow from another, and to listing->surplus the endpoints that the terms do not
 * have. With terms->endpoint_count 0, any endpoint will do.
 */
must_use int skeleton_judge(const struct nft_facts *found, const struct terms *terms,
                            struct listing *listing, struct verdict_on_skeleton *out,
                            struct error *err);

#endif
