#include "node/pods/holdings.h"

#include "guard/owner.h"
#include "kernel/backends.h"

#include <string.h>

static int gather_tags(struct holdings *holdings, struct error *err)
{
    struct tags *tags = &holdings->tags;
    size_t room = 0;

    for (size_t i = 0; i < holdings->count; i++)
        room += holdings->items[i].listing.held_count;
    tags->items = calloc(room + 1, sizeof(*tags->items));
    if (!tags->items)
        return error_no_memory(err);
    for (size_t i = 0; i < holdings->count; i++) {
        const struct listing *listing = &holdings->items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            tags->items[tags->count++] = listing->held[j].tag;
    }
    tags_sort(tags);
    return 0;
}

int holdings_gather(const struct terms *terms, struct holdings *out, struct error *err)
{
    cleanup(holdings) struct holdings holdings = {0};
    size_t count = 0;

    while (backends[count])
        count++;
    holdings.items = calloc(count, sizeof(*holdings.items));
    if (!holdings.items)
        return error_no_memory(err);
    for (; holdings.count < count; holdings.count++) {
        struct holding *holding = &holdings.items[holdings.count];

        holding->backend = backends[holdings.count];
        if (holding->backend->list(terms, &holding->listing, err) < 0)
            return error_context(err, "%s", holding->backend->name);
    }
    if (gather_tags(&holdings, err) < 0)
        return -1;
    *out = holdings;
    holdings = (struct holdings){0};
    return 0;
}

void holdings_free(struct holdings *holdings)
{
    for (size_t i = 0; i < holdings->count; i++)
        listing_free(&holdings->items[i].listing);
    free(holdings->items);
    free(holdings->tags.items);
    *holdings = (struct holdings){0};
}

static bool listing_disputes(const struct listing *listing, const struct plan *plan,
                             const struct guard *guard)
{
    size_t count;
    const struct held *held = listing_find(listing, guard, &count);

    for (size_t i = 0; i < count; i++)
        if (tag_guards(held[i].tag) > 0 && !tags_have_same_owner(held[i].tag, plan->tag))
            return true;
    return false;
}

bool holdings_dispute(const struct holdings *holdings, const struct plan *plan)
{
    for (size_t i = 0; i < holdings->count; i++)
        for (size_t j = 0; j < plan->guard_count; j++)
            if (listing_disputes(&holdings->items[i].listing, plan, &plan->guards[j]))
                return true;
    return false;
}

static enum standing judge(const struct listing *listing, const struct held *held, const char *tag,
                           enum verdict wanted)
{
    if (listing->fault_count > 0)
        return STANDING_FAULTY;
    if ((held->families & listing->families) != listing->families)
        return STANDING_PARTIAL;
    if (held->guard.verdict == VERDICT_COUNT && wanted == VERDICT_DROP)
        return STANDING_TOO_LAX;
    if (!tags_have_same_owner(held->tag, tag))
        return STANDING_OTHER_OWNER;
    return held->guard.verdict == wanted ? STANDING_RIGHT : STANDING_TOO_STRICT;
}

enum standing holdings_standing(const struct holdings *holdings, const char *tag,
                                const struct guard *guard)
{
    enum standing best = STANDING_MISSING;

    for (size_t i = 0; i < holdings->count; i++) {
        const struct listing *listing = &holdings->items[i].listing;
        size_t count;
        const struct held *held = listing_find(listing, guard, &count);

        for (size_t j = 0; j < count; j++) {
            enum standing standing = judge(listing, &held[j], tag, guard->verdict);

            if (standing > best)
                best = standing;
        }
    }
    return best;
}

const char *standing_text(enum standing standing)
{
    static const char *const texts[] = {
        [STANDING_MISSING] = "no guard",
        [STANDING_FAULTY] = "its guard is not in force",
        [STANDING_PARTIAL] = "not guarded in every address family",
        [STANDING_TOO_LAX] = "packets pass that should be dropped",
        [STANDING_OTHER_OWNER] = "its guard belongs to another attachment",
        [STANDING_TOO_STRICT] = "packets are dropped that should pass",
        [STANDING_RIGHT] = NULL,
    };

    return texts[standing];
}

/* Whether the listing has what the plan wants there, and nothing else. */
static bool listing_has(const struct listing *listing, const struct plan *plan,
                        const struct guard *guard)
{
    size_t count;
    const struct held *held = listing_find(listing, guard, &count);

    return count == 1 && strcmp(held->tag, plan->tag) == 0 &&
           judge(listing, held, plan->tag, guard->verdict) == STANDING_RIGHT;
}

static bool listing_has_nothing(const struct listing *listing, const struct guard *place)
{
    size_t count;

    return !listing_find(listing, place, &count);
}

bool holdings_have(const struct holdings *holdings, const struct backend *chosen,
                   const struct plan *plan)
{
    if (tags_count(&holdings->tags, plan->tag) != plan->guard_count)
        return false;
    for (size_t i = 0; i < holdings->count; i++) {
        const struct holding *holding = &holdings->items[i];

        for (size_t j = 0; j < plan->guard_count; j++)
            if (holding->backend == chosen
                    ? !listing_has(&holding->listing, plan, &plan->guards[j])
                    : !listing_has_nothing(&holding->listing, &plan->guards[j]))
                return false;
    }
    return true;
}
