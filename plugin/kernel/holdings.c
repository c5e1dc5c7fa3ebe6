#include "kernel/holdings.h"

#include "guard/owner.h"

#include <string.h>

const struct backend *const backends[BACKEND_COUNT] = {&backend_nftables, &backend_iptables};

int holdings_gather(const struct terms *terms, struct holdings *out, struct error *err)
{
    cleanup(holdings) struct holdings holdings = {0};
    struct error first = {0};
    size_t unread = 0;

    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        struct holding *holding = &holdings.items[i];
        struct error why = {0};

        holding->backend = backends[i];
        if (backends[i]->list(terms, &holding->listing, &why) == 0)
            continue;
        error_context(&why, "%s", backends[i]->name);
        holding->unread = strdup(why.msg);
        if (!holding->unread)
            return error_no_memory(err);
        first = unread++ == 0 ? why : first;
    }
    if (unread == BACKEND_COUNT) {
        *err = first;
        return -1;
    }
    *out = steal(&holdings);
    return 0;
}

void holdings_free(struct holdings *holdings)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        listing_free(&holdings->items[i].listing);
        free(holdings->items[i].unread);
    }
    *holdings = (struct holdings){0};
}

static bool is_in_force(const struct listing *listing)
{
    return listing->present && listing->fault_count == 0;
}

static enum verdict stricter(enum verdict a, enum verdict b)
{
    return a < b ? a : b;
}

/* What one backend does with packets of one family from the interface. Of several guards of one
 * interface the laxest is assumed to come first. */
static enum verdict verdict_in(const struct listing *listing, const char *interface,
                               enum family family)
{
    enum verdict verdict = listing->others.verdict;
    bool found = false;
    size_t count = 0;
    const struct held *held = listing_find(listing, interface, &count);

    for (size_t i = 0; i < count; i++) {
        if (!(held[i].families & family))
            continue;
        verdict = !found || held[i].guard.verdict > verdict ? held[i].guard.verdict : verdict;
        found = true;
    }
    return verdict;
}

/* What becomes of packets in the end. A family that a kernel does not have has no packets. */
static enum standing compare_verdicts(const struct holdings *holdings, const struct guard *guard)
{
    enum standing worst = STANDING_RIGHT;

    for (unsigned family = FAMILY_IPV4; family <= FAMILY_IPV6; family <<= 1) {
        enum verdict verdict = VERDICT_PASS;
        enum standing standing = STANDING_RIGHT;
        bool exists = true;

        for (size_t i = 0; i < BACKEND_COUNT; i++) {
            const struct listing *listing = &holdings->items[i].listing;

            exists = exists && (holdings->items[i].unread || (listing->families & family));
            if (is_in_force(listing))
                verdict = stricter(verdict, verdict_in(listing, guard->interface, family));
        }
        if (!exists || verdict == guard->verdict)
            continue;
        if (!verdict_denies(verdict))
            standing = STANDING_OPEN;
        else
            standing = verdict_denies(guard->verdict) ? STANDING_OTHER_WAY : STANDING_TOO_STRICT;
        worst = standing < worst ? standing : worst;
    }
    return worst;
}

/* How far it is the owner's own guard that has the wanted verdict in this backend. */
static enum standing own_guard(const struct listing *listing, const char *tag,
                               const struct guard *guard)
{
    enum standing best = STANDING_MISSING;
    size_t count = 0;
    const struct held *held = listing_find(listing, guard->interface, &count);

    for (size_t i = 0; is_in_force(listing) && i < count; i++) {
        enum standing standing = STANDING_RIGHT;

        if (held[i].guard.verdict != guard->verdict)
            continue;
        if ((held[i].families & listing->families) != listing->families)
            standing = STANDING_PARTIAL;
        else if (strcmp(held[i].tag, tag) != 0 && !tags_have_same_owner(held[i].tag, tag))
            standing = STANDING_OTHER_OWNER;
        best = standing > best ? standing : best;
    }
    return best;
}

enum standing holdings_standing(const struct holdings *holdings, const char *tag,
                                const struct guard *guard)
{
    enum standing standing = compare_verdicts(holdings, guard);
    enum standing best = STANDING_MISSING;

    if (standing != STANDING_RIGHT)
        return standing;
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        enum standing own = own_guard(&holdings->items[i].listing, tag, guard);

        best = own > best ? own : best;
    }
    return best;
}

enum standing holdings_plan_standing(const struct holdings *holdings, const struct plan *plan)
{
    enum standing worst = STANDING_RIGHT;

    for (size_t i = 0; i < plan->guard_count; i++) {
        enum standing standing = holdings_standing(holdings, plan->tag, &plan->guards[i]);

        worst = standing < worst ? standing : worst;
    }
    return worst;
}

const char *standing_text(enum standing standing)
{
    static const char *const texts[] = {
        [STANDING_OPEN] = "open: packets pass that should be denied",
        [STANDING_TOO_STRICT] = "packets are denied that should pass",
        [STANDING_OTHER_WAY] = "packets are denied in another way than configured",
        [STANDING_MISSING] = "no guard of its own: it has the verdict for others",
        [STANDING_PARTIAL] = "no guard of its own in one address family",
        [STANDING_OTHER_OWNER] = "its guard belongs to another attachment",
        [STANDING_RIGHT] = NULL,
    };

    return texts[standing];
}

enum verdict holdings_others(const struct holdings *holdings)
{
    enum verdict verdict = VERDICT_PASS;

    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (is_in_force(&holdings->items[i].listing))
            verdict = stricter(verdict, holdings->items[i].listing.others.verdict);
    return verdict;
}

bool holdings_in_force(const struct holdings *holdings)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (is_in_force(&holdings->items[i].listing))
            return true;
    return false;
}

bool holdings_present(const struct holdings *holdings)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (holdings->items[i].listing.present)
            return true;
    return false;
}

const struct listing *holdings_of(const struct holdings *holdings, const struct backend *backend)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (backends[i] == backend)
            return &holdings->items[i].listing;
    return NULL;
}

bool holdings_have(const struct holdings *holdings, const struct backend *chosen,
                   const struct plan *plan)
{
    const struct listing *listing = holdings_of(holdings, chosen);

    for (size_t i = 0; i < plan->guard_count; i++) {
        size_t count = 0;
        const struct held *held = listing_find(listing, plan->guards[i].interface, &count);

        if (count != 1 || strcmp(held->tag, plan->tag) != 0 ||
            own_guard(listing, plan->tag, &plan->guards[i]) != STANDING_RIGHT)
            return false;
    }
    return true;
}

bool holdings_have_terms(const struct holdings *holdings, const struct backend *chosen,
                         const struct terms *terms)
{
    const struct listing *listing = holdings_of(holdings, chosen);

    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (backends[i] != chosen && holdings->items[i].listing.present)
            return false;
    return is_in_force(listing) && !listing->former && listing->surplus_count == 0 &&
           listing->others.verdict == terms->others;
}
