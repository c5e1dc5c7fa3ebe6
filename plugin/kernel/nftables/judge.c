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
    if (fact->is_element)
        verdict->endpoints_wrong = true;
    else if (fact->is_rule)
        verdict->rules_wrong = true;
    else
        verdict->broken = true;
}

/* The set or chain that an element or a rule is in, as facts call it; NULL for anything else. */
static const char *place_of(const struct nft_fact *fact)
{
    static const char rule[] = "rule of ";
    const char *in = strstr(fact->what, " in ");

    if (fact->is_element)
        return in != NULL ? in + strlen(" in ") : NULL;
    return strncmp(fact->what, rule, strlen(rule)) == 0 ? fact->what + strlen(rule) : NULL;
}

/* Whether one sentence has told of it: its place is missing, or the interval that it ends. */
static bool goes_without_saying(const struct nft_facts *wanted, const struct nft_facts *found,
                                size_t index)
{
    const struct nft_fact *fact = &wanted->facts[index];
    const char *place = place_of(fact);

    if (place != NULL && !nft_facts_have(found, place))
        return true;
    return fact->is_end && index > 0 && counterpart(found, fact - 1) == NULL;
}

/* What should be there is missing or different. */
static int judge_wanted(const struct nft_facts *wanted, const struct nft_facts *found,
                        const struct terms *terms, struct listing *listing,
                        struct verdict_on_skeleton *verdict, struct error *err)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct nft_fact *fact = &wanted->facts[i];
        const struct nft_fact *there = counterpart(found, fact);
        bool added = true;

        if (fact->is_element && terms->endpoint_count == 0)
            continue;
        if (there != NULL && strcmp(there->how, fact->how) == 0)
            continue;
        if (there == NULL && is_for_ipvs(fact))
            verdict->rules_wrong = true;
        else
            mark(fact, verdict);
        if (there == NULL && goes_without_saying(wanted, found, i))
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
                       const struct terms *terms, struct listing *listing,
                       struct verdict_on_skeleton *verdict, struct error *err)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct nft_fact *fact = &found->facts[i];

        if (fact->is_element && terms->endpoint_count == 0)
            continue;
        if (counterpart(wanted, fact) != NULL)
            continue;
        if (!fact->is_element && !nft_facts_have(wanted, fact->what) && !is_for_ipvs(fact))
            continue;
        mark(fact, verdict);
        if (!listing_fault(listing, "%s should not be there", fact->what))
            return error_no_memory(err);
    }
    return 0;
}

int skeleton_judge(const struct nft_facts *found, const struct terms *terms,
                   struct listing *listing, struct verdict_on_skeleton *out, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};
    cleanup(nft_facts) struct nft_facts wanted = {0};
    struct verdict_on_skeleton verdict = {.refusing =
                                              nft_facts_have(found, "chain " NFT_REFUSAL) ||
                                              nft_facts_have(found, "rule of chain " NFT_REFUSAL)};

    if (skeleton_make(&messages, terms, &listing->others, verdict.refusing, err) < 0)
        return -1;
    nft_messages_each(message, &messages) if (nft_facts_take(&wanted, message, err) < 0) return -1;
    if (judge_wanted(&wanted, found, terms, listing, &verdict, err) < 0 ||
        judge_found(&wanted, found, terms, listing, &verdict, err) < 0)
        return -1;
    *out = verdict;
    return 0;
}
