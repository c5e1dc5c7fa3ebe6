#include "kernel/nftables/elements.h"
#include "kernel/nftables/skeleton.h"

#include <string.h>

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

/* What should be there is missing or different. */
static void judge_wanted(const struct nft_facts *wanted, const struct nft_facts *found,
                         struct listing *listing, struct verdict_on_skeleton *verdict)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct nft_fact *fact = &wanted->facts[i];
        const struct nft_fact *there = nft_facts_find(found, fact->what, fact->number);

        if (there != NULL && nft_fact_is(there, fact))
            continue;
        if (there == NULL && is_for_ipvs(fact))
            verdict->rules_wrong = true;
        else
            mark(fact, verdict);
        if (there == NULL && fact->is_rule &&
            !nft_facts_find(found, fact->what + strlen("rule of "), 0))
            continue; /* one sentence has told of the chain that it is in */
        if (there == NULL)
            listing_fault(listing, "%s is missing", fact->what);
        else if (fact->is_rule)
            listing_fault(listing, "%s %u is another one", fact->what, fact->number + 1);
        else
            listing_fault(listing, "%s is not as it should be", fact->what);
    }
}

/* What is there should not be. */
static void judge_found(const struct nft_facts *wanted, const struct nft_facts *found,
                        struct listing *listing, struct verdict_on_skeleton *verdict)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct nft_fact *fact = &found->facts[i];

        if (nft_facts_find(wanted, fact->what, fact->number) != NULL ||
            (!nft_facts_find(wanted, fact->what, 0) && !is_for_ipvs(fact)))
            continue;
        mark(fact, verdict);
        listing_fault(listing, "%s should not be there", fact->what);
    }
}

/* Whether it is a rule that asks for an endpoint, if it is one of ours at all. */
static bool asks(const struct nft_fact *fact)
{
    return fact->endpoint.prefix > 0 && strcmp(fact->what, "rule of chain " NFT_FORWARD) == 0;
}

/* Tells, unless the chain is missing, which has been told. */
static void tell_unasked(const char *what, const struct nft_facts *found, struct listing *listing,
                         struct verdict_on_skeleton *verdict)
{
    verdict->rules_wrong = true;
    if (nft_facts_find(found, "chain " NFT_FORWARD, 0))
        listing_fault(listing, "no rule of chain " NFT_FORWARD " asks for %s", what);
}

/* What there is beyond the terms is no fault; only who wants it exactly so takes it away. */
static void judge_endpoints(const struct nft_facts *found, const struct terms *terms,
                            const struct endpoint *standing, size_t count, struct listing *listing,
                            struct verdict_on_skeleton *verdict)
{
    if (count == 0 && terms->endpoint_count == 0)
        tell_unasked("any endpoint", found, listing, verdict);
    for (size_t i = 0; i < terms->endpoint_count; i++) {
        char text[ENDPOINT_TEXT_SIZE];

        endpoint_text(&terms->endpoints[i], text);
        if (!endpoints_contain(standing, count, &terms->endpoints[i]))
            tell_unasked(text, found, listing, verdict);
    }
    for (size_t i = 0; terms->endpoint_count > 0 && i < count; i++)
        listing_surplus(listing, terms, &standing[i]);
    if (terms->exactly && listing->surplus_count > 0)
        verdict->rules_wrong = true;
}

int skeleton_judge(const struct nft_facts *found, const struct terms *terms,
                   struct listing *listing, struct verdict_on_skeleton *out, struct error *err)
{
    const struct shape shape = {.others = listing->others,
                                .refusing = nft_facts_find(found, "chain " NFT_REFUSAL, 0) ||
                                            nft_facts_find(found, "rule of chain " NFT_REFUSAL, 0)};
    struct verdict_on_skeleton verdict = {
        .refusing = shape.refusing,
        .retired = nft_facts_find(found, "chain " NFT_JUDGE, 0) &&
                   !nft_facts_find(found, "rule of chain " NFT_JUDGE, 0)};
    cleanup(free_memory) struct endpoint *asked = calloc(found->count + 1, sizeof(*asked));
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts wanted = {0};
    struct terms as_found = {.endpoints = asked};
    size_t standing = 0;

    if (asked == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < found->count; i++)
        if (asks(&found->facts[i]))
            asked[as_found.endpoint_count++] = found->facts[i].endpoint;
    skeleton_make(&messages, &as_found, &shape);
    if (messages.incomplete)
        return error_no_memory(err);
    netlink_messages_each(message, &messages)
    {
        if (nft_facts_take(&wanted, message, err) < 0)
            return -1;
    }
    /* Of the endpoints that are asked for, those stay whose rules are as they should be. */
    for (size_t i = 0, number = 0; i < found->count; i++) {
        const struct nft_fact *fact = &found->facts[i];

        if (asks(fact) &&
            nft_fact_is(fact, nft_facts_find(&wanted, fact->what, (unsigned)number++)))
            asked[standing++] = fact->endpoint;
    }
    judge_wanted(&wanted, found, listing, &verdict);
    judge_found(&wanted, found, listing, &verdict);
    judge_endpoints(found, terms, asked, standing, listing, &verdict);
    if (listing_complete(listing, err) < 0)
        return -1;
    *out = verdict;
    return 0;
}
