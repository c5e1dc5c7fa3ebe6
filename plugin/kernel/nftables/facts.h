/*
 * What a table, chain, set or rule is like, so that what is there can be compared with
 * what should be: both are messages of the same types, the one from the kernel, the other for it. Pure.
 */
#ifndef IMDS_GUARD_NFTABLES_FACTS_H
#define IMDS_GUARD_NFTABLES_FACTS_H

#include "guard/cleanup.h"
#include "guard/endpoint.h"
#include "guard/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * `what` names it: "chain forward", "rule of chain forward" (the same for each of its rules, which
 * come in order and have a number). `how` is everything else that counts, as the kernel counts it. What is
 * ours fits; a longer one is cut and so differs from all that is ours.
 */
struct nft_fact {
    char what[64];
    char how[512];
    size_t length; /* of `how` */
    bool is_rule;
    unsigned number; /* of a rule: how many of its name came before it; else 0 */
    /* Which one a rule can only be about, if it is one that asks for an endpoint: whether it does, shows
     * when it is made again (rule_to_endpoint). Prefix 0: none. */
    struct endpoint endpoint;
};

struct nft_facts {
    struct nft_fact *facts;
    size_t count;
};

/*
 * Adds what NFT_MSG_NEWTABLE, NEWCHAIN, NEWSET or NEWRULE says; of any other message, nothing. The message
 * may be any bytes of which nlmsg_len are there. Errors: out of memory.
 */
must_use int nft_facts_take(struct nft_facts *facts, const struct nlmsghdr *message,
                            struct error *err);

/* Whether both are like each other, whatever their names. */
bool nft_fact_is(const struct nft_fact *fact, const struct nft_fact *other);

/* The fact of this name and number, or NULL. What is no rule has number 0, and so has a chain's first. */
const struct nft_fact *nft_facts_find(const struct nft_facts *facts, const char *what,
                                      unsigned number);

/*
 * What a message about any of these objects is about: "chain forward". For error messages; "" if it
 * does not say. Of a name that does not fit (`size` 32 or more), its beginning.
 */
void nft_message_subject(const struct nlmsghdr *message, char *out, size_t size);

void nft_facts_free(struct nft_facts *facts);

CLEANUP_FREE(nft_facts);

#endif
