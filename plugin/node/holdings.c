#include "node/holdings.h"

#include "guard/owner.h"
#include "kernel/backends.h"

#include <string.h>

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
    *out = holdings;
    holdings = (struct holdings){0};
    return 0;
}

void holdings_free(struct holdings *holdings)
{
    for (size_t i = 0; i < holdings->count; i++)
        listing_free(&holdings->items[i].listing);
    free(holdings->items);
    *holdings = (struct holdings){0};
}

static bool listing_disputes(const struct listing *listing, const struct plan *plan,
                             const struct guard *guard)
{
    for (size_t i = 0; i < listing->held_count; i++)
        if (guard_is_at(&listing->held[i].guard, guard) && tag_guards(listing->held[i].tag) > 0 &&
            !tags_have_same_owner(listing->held[i].tag, plan->tag))
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

int holdings_tags(const struct holdings *holdings, struct tags *out, struct error *err)
{
    struct tags tags = {0};
    size_t room = 0;

    for (size_t i = 0; i < holdings->count; i++)
        room += holdings->items[i].listing.held_count;
    tags.items = calloc(room + 1, sizeof(*tags.items));
    if (!tags.items)
        return error_no_memory(err);
    for (size_t i = 0; i < holdings->count; i++) {
        const struct listing *listing = &holdings->items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            tags.items[tags.count++] = listing->held[j].tag;
    }
    tags_sort(&tags);
    *out = tags;
    return 0;
}

bool guard_is_at(const struct guard *guard, const struct guard *place)
{
    return guard_compare(guard, place) == 0;
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

        for (size_t j = 0; j < listing->held_count; j++) {
            const struct held *held = &listing->held[j];
            enum standing standing;

            if (!guard_is_at(&held->guard, guard))
                continue;
            standing = judge(listing, held, tag, guard->verdict);
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

/* Guards of this tag's owner, or on a place of the plan, that a listing has. */
static size_t count_touched(const struct listing *listing, const struct plan *plan)
{
    size_t touched = 0;

    for (size_t i = 0; i < listing->held_count; i++) {
        bool touches = strcmp(listing->held[i].tag, plan->tag) == 0;

        for (size_t j = 0; j < plan->guard_count && !touches; j++)
            touches = guard_is_at(&listing->held[i].guard, &plan->guards[j]);
        touched += touches;
    }
    return touched;
}

static bool listing_has(const struct listing *listing, const struct plan *plan,
                        const struct guard *guard)
{
    for (size_t i = 0; i < listing->held_count; i++) {
        const struct held *held = &listing->held[i];

        if (guard_is_at(&held->guard, guard) && strcmp(held->tag, plan->tag) == 0)
            return judge(listing, held, plan->tag, guard->verdict) == STANDING_RIGHT;
    }
    return false;
}

bool holdings_have(const struct holdings *holdings, const struct backend *chosen,
                   const struct plan *plan)
{
    for (size_t i = 0; i < holdings->count; i++) {
        const struct listing *listing = &holdings->items[i].listing;
        bool here = holdings->items[i].backend == chosen;

        if (count_touched(listing, plan) != (here ? plan->guard_count : 0))
            return false;
        for (size_t j = 0; here && j < plan->guard_count; j++)
            if (!listing_has(listing, plan, &plan->guards[j]))
                return false;
    }
    return true;
}
