/*
 * The skeleton: everything in our table but the guards. As nft(8) would write it:
 *
 *     table inet imds-guard {
 *         set endpoints4 { type ipv4_addr; flags interval; elements = { 169.254.169.254 } }
 *         set endpoints6 { type ipv6_addr; flags interval; elements = { fd00:ec2::254 } }
 *         map in  { type ifname : verdict; counter; }
 *         map out { type ifname : verdict; counter; }
 *         chain forward {
 *             type filter hook forward priority mangle; policy accept;
 *             ip daddr @endpoints4 iifname vmap @in
 *             ip6 daddr @endpoints6 iifname vmap @in
 *         }
 *         chain postrouting {
 *             type filter hook postrouting priority mangle; policy accept;
 *             ip daddr @endpoints4 oifname vmap @out
 *             ip6 daddr @endpoints6 oifname vmap @out
 *         }
 *     }
 *
 * A guard is one element of a map (elements.h). Packets to other addresses pay for the look-up
 * in one set of endpoints, however many guards there are. The map `out` and the chain postrouting
 * are made with the first outgoing guard, and stay: only nodes with branch ENIs have any, and a
 * hook costs every packet of a node something.
 *
 * The table is ours. What others put into these chains and sets is a fault, and goes with the
 * repair; chains and sets of other names cannot weaken a guard, and stay until the table is made
 * anew.
 */
#ifndef IMDS_GUARD_NFTABLES_SKELETON_H
#define IMDS_GUARD_NFTABLES_SKELETON_H

#include "kernel/backend.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/messages.h"

#include <stdbool.h>

/* Requests for the skeleton without endpoints; the last one is a dump (socket.h). */
must_use int skeleton_ask(struct nft_messages *messages, struct error *err);

/* Makes everything, where there is no table: EEXIST if there is. */
must_use int skeleton_make(struct nft_messages *messages, const struct terms *terms, bool outgoing,
                           struct error *err);

/* The table with a map that a kernel must refuse (elements_make_refusable). */
must_use int skeleton_make_refusable(struct nft_messages *messages, struct error *err);

/* Adds what outgoing guards need, where nothing of it is: EEXIST if the map is. */
must_use int skeleton_add_outgoing(struct nft_messages *messages, struct error *err);

/* Empties the sets of endpoints and fills them. */
must_use int skeleton_renew_endpoints(struct nft_messages *messages, const struct terms *terms,
                                      struct error *err);

/*
 * Adds the endpoints that stand already, for guards that come without looking at the generation:
 * nothing, unless they have been taken away since they were seen, as by a sync that could not know
 * of these guards yet. EEXIST or ENOTEMPTY if others are in their way by now.
 */
must_use int skeleton_keep_endpoints(struct nft_messages *messages, const struct terms *terms,
                                     struct error *err);

must_use int skeleton_delete(struct nft_messages *messages, struct error *err);

/* What is wrong with the skeleton. */
struct verdict_on_skeleton {
    bool broken;          /* to be made anew */
    bool endpoints_wrong; /* others than the terms say and the surplus */
    bool outgoing;        /* what outgoing guards need is there, or some of it */
};

/*
 * Compares what is there (nft_facts_take on every answer) with what skeleton_make would make. Adds
 * a sentence to listing->faults for each difference that does not follow from another. With
 * terms->endpoint_count 0, the endpoints are not judged.
 */
must_use int skeleton_judge(const struct nft_facts *found, const struct terms *terms,
                            struct listing *listing, struct verdict_on_skeleton *out,
                            struct error *err);

#endif
