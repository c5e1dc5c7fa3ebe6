#include "kernel/nftables/elements.h"
#include "kernel/nftables/skeleton.h"

#include <string.h>

/* The fact of the same name and number; NULL if there is none. */
static const struct nft_fact *counterpart(const struct nft_facts *in, const struct nft_fact *fact)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct nft_fact *other = &in->facts[i];

        if (other->number == fact->number && other->is_rule == fact->is_rule &&
            strcmp(other->what, fact->what) == 0)
            return other;
    }
    return NULL;
}

/*
 * Chains of other names are nobody's business here, nor are their rules; this one is ours, and once
 * ip_vs has gone it is in the way of what rejects.
 */
static bool is_for_ipvs(const struct nft_fact *fact)
{
    return strcmp(fact->what, "chain " NFT_POSTROUTING) == 0;
}

static void mark(const struct nft_fact *fact, struct verdict_on_skeleton *verdict)
{
    if (fact->is_rule)
        verdict->rules_wrong = true;
    else
        verdict->broken = true;
}

/* Whether one sentence has told of it: the chain that a rule is in is missing. */
static bool goes_without_saying(const struct nft_fact *fact, const struct nft_facts *found)
{
    return fact->is_rule && !nft_facts_have(found, fact->what + strlen("rule of "));
}

/* What should be there is missing or different. */
static int judge_wanted(const struct nft_facts *wanted, const struct nft_facts *found,
                        struct listing *listing, struct verdict_on_skeleton *verdict,
                        struct error *err)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct nft_fact *fact = &wanted->facts[i];
        const struct nft_fact *there = counterpart(found, fact);
        bool added = true;

        if (there != NULL && nft_fact_is(there, fact))
            continue;
        if (there == NULL && is_for_ipvs(fact))
            verdict->rules_wrong = true;
        else
            mark(fact, verdict);
        if (there == NULL && goes_without_saying(fact, found))
            continue;
        if (there == NULL)
            added = listing_fault(listing, "%s is missing", fact->what);
        else if (fact->is_rule)
            added = listing_fault(listing, "%s %u is another one", fact->what, fact->number + 1);
        else
            added = listing_fault(listing, "%s is not as it should be: it is \"%s\", not \"%s\"",
                                  fact->what, there->how, fact->how);
        if (!added)
            return error_no_memory(err);
    }
    return 0;
}

/* What is there should not be. */
static int judge_found(const struct nft_facts *wanted, const struct nft_facts *found,
                       struct listing *listing, struct verdict_on_skeleton *verdict,
                       struct error *err)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct nft_fact *fact = &found->facts[i];

        if (counterpart(wanted, fact) != NULL ||
            (!nft_facts_have(wanted, fact->what) && !is_for_ipvs(fact)))
            continue;
        mark(fact, verdict);
        if (!listing_fault(listing, "%s should not be there", fact->what))
            return error_no_memory(err);
    }
    return 0;
}

static bool is_within(const struct endpoint *inner, const struct endpoint *endpoints, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (endpoint_contains(&endpoints[i], inner))
            return true;
    return false;
}

/* In the set, but no rule looks there for it. */
static bool tell_unasked(const struct endpoint *endpoint, struct listing *listing,
                         struct verdict_on_skeleton *verdict)
{
    char text[ENDPOINT_TEXT_SIZE];

    verdict->rules_wrong = true;
    endpoint_text(endpoint, text);
    return listing_fault(listing, "the rules of chain " NFT_FORWARD " do not ask for %s", text);
}

/* What there is beyond the terms is no fault; only who wants it exactly so takes it away. */
static int judge_endpoints(struct nft_facts *found, const struct terms *terms,
                           struct listing *listing, struct verdict_on_skeleton *verdict,
                           struct error *err)
{
    cleanup(free_memory) struct endpoint *standing = NULL;
    size_t faults_before = listing->fault_count;
    size_t count = 0;

    if (endpoints_read(&found->endpoints, &standing, &count, listing, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!listing_surplus(listing, terms, &standing[i]))
            return error_no_memory(err);
    verdict->endpoints_wrong =
        listing->fault_count > faults_before || (terms->exactly && listing->surplus_count > 0);
    for (size_t i = 0; i < count; i++)
        if (verdict->narrow & standing[i].family && !endpoint_is_usual(&standing[i]) &&
            !tell_unasked(&standing[i], listing, verdict))
            return error_no_memory(err);
    for (size_t i = 0; i < terms->endpoint_count; i++) {
        char set[] = "set endpoints4";
        char text[ENDPOINT_TEXT_SIZE];

        if (is_within(&terms->endpoints[i], standing, count))
            continue;
        verdict->endpoints_wrong = true;
        set[sizeof(set) - 2] = terms->endpoints[i].family == FAMILY_IPV4 ? '4' : '6';
        endpoint_text(&terms->endpoints[i], text);
        if (nft_facts_have(found, set) && !listing_fault(listing, "%s in %s is missing", text, set))
            return error_no_memory(err);
    }
    return 0;
}

/* All but the endpoints. */
static int make_wanted(const struct shape *shape, struct nft_facts *out, struct error *err)
{
    const struct terms no_endpoints = {0};
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    skeleton_make(&messages, &no_endpoints, shape);
    if (messages.incomplete)
        return error_no_memory(err);
    netlink_messages_each(message, &messages)
    {
        if (nft_facts_take(out, message, err) < 0)
            return -1;
    }
    return 0;
}

/* The families whose rule, one each, is as narrow as the wanted one. */
static unsigned narrow_families(const struct nft_facts *wanted, const struct nft_facts *found)
{
    unsigned families = 0;

    for (size_t i = 0; i < wanted->count; i++) {
        const struct nft_fact *fact = &wanted->facts[i];
        const struct nft_fact *there = NULL;

        if (!fact->is_rule || strcmp(fact->what, "rule of chain " NFT_FORWARD) != 0)
            continue;
        there = counterpart(found, fact);
        if (there != NULL && nft_fact_is(there, fact))
            families |= endpoint_sets[fact->number].family;
    }
    return families;
}

int skeleton_judge(struct nft_facts *found, const struct terms *terms, struct listing *listing,
                   struct verdict_on_skeleton *out, struct error *err)
{
    struct shape shape = {.others = listing->others,
                          .refusing = nft_facts_have(found, "chain " NFT_REFUSAL) ||
                                      nft_facts_have(found, "rule of chain " NFT_REFUSAL),
                          .narrow = FAMILY_IPV4 | FAMILY_IPV6};
    struct verdict_on_skeleton verdict = {.refusing = shape.refusing,
                                          .retired =
                                              nft_facts_have(found, "chain " NFT_JUDGE) &&
                                              !nft_facts_have(found, "rule of chain " NFT_JUDGE)};
    cleanup(nft_facts) struct nft_facts wanted = {0};

    if (make_wanted(&shape, &wanted, err) < 0)
        return -1;
    verdict.narrow = narrow_families(&wanted, found);
    if (verdict.narrow != shape.narrow) {
        shape.narrow = verdict.narrow;
        nft_facts_free(&wanted);
        if (make_wanted(&shape, &wanted, err) < 0)
            return -1;
    }
    if (judge_wanted(&wanted, found, listing, &verdict, err) < 0 ||
        judge_found(&wanted, found, listing, &verdict, err) < 0 ||
        (terms->endpoint_count > 0 && judge_endpoints(found, terms, listing, &verdict, err) < 0))
        return -1;
    *out = verdict;
    return 0;
}
