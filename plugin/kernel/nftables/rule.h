/*
 * The rules of our chains, each as the message that appends it.
 */
#ifndef IMDS_GUARD_NFTABLES_RULE_H
#define IMDS_GUARD_NFTABLES_RULE_H

#include "kernel/backend.h"
#include "kernel/nftables/endpoints.h"

/* ip daddr @endpoints4 goto <target> */
must_use int rule_to_endpoints(struct nft_messages *messages, const char *chain,
                               const struct endpoint_set *endpoints, const char *target,
                               struct error *err);

/* iifname vmap @<map> */
must_use int rule_by_interface(struct nft_messages *messages, const char *chain, const char *map,
                               struct error *err);

/* counter drop, counter return, or counter goto <refusal>; it goes on counting from others' numbers. */
must_use int rule_for_others(struct nft_messages *messages, const char *chain,
                             const struct others *others, const char *refusal, struct error *err);

/*
 * What such a rule says. False, and *out untouched, if the message is no rule of the chain that
 * counts and has a verdict. Any verdict but `drop` and going to `refusal` counts as one that lets
 * packets pass.
 */
must_use bool rule_read_others(const struct nlmsghdr *message, const char *chain,
                               const char *refusal, struct others *out);

/*
 * Tells the sender that it is refused, where that can reach nobody but who has sent:
 *
 *     fib saddr . iif oif missing drop
 *     meta l4proto tcp reject with tcp reset
 *     reject with icmpx admin-prohibited
 */
must_use int rules_to_refuse(struct nft_messages *messages, const char *chain, struct error *err);

#endif
