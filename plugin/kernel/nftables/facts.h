/*
 * What a table, chain, set or rule is like, in words, so that what is there can be compared with
 * what should be: both are messages of the same types, the one from the kernel, the other for it.
 * Pure.
 */
#ifndef IMDS_GUARD_NFTABLES_FACTS_H
#define IMDS_GUARD_NFTABLES_FACTS_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * `what` names it: "chain forward", "rule of chain forward" (the same for each of its rules, which
 * come in order and have a number), "169.254.169.254 in set endpoints4". `how` is everything else that counts, as the
 * kernel counts it. What is ours fits; a longer one is cut and so differs from all that is ours.
 */
struct nft_fact {
    char what[128];
    char how[640];
    bool is_element; /* of a set of endpoints */
    bool is_end;     /* the one that ends the interval of the element before it */
    bool is_rule;    /* `how` is bytes, for comparing, not for people */
    unsigned number; /* of a rule: how many of its name came before it; else 0 */
};

struct nft_facts {
    struct nft_fact *facts;
    size_t count;
    size_t capacity;
};

/*
 * Adds what NFT_MSG_NEWTABLE, NEWCHAIN, NEWSET, NEWRULE or NEWSETELEM says; of any other message,
 * nothing. The message may be any bytes of which nlmsg_len are there. Errors: out of memory.
 */
must_use int nft_facts_take(struct nft_facts *facts, const struct nlmsghdr *message,
                            struct error *err);

/* Whether there is a fact of this name. */
bool nft_facts_have(const struct nft_facts *facts, const char *what);

/*
 * What a message about any of these objects is about: "chain forward". For error messages; "" if it
 * does not say.
 */
void nft_message_subject(const struct nlmsghdr *message, char *out, size_t size);

void nft_facts_free(struct nft_facts *facts);

static inline void cleanup_nft_facts(struct nft_facts *facts)
{
    nft_facts_free(facts);
}

#endif
