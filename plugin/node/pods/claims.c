#include "node/pods/claims.h"

#include "guard/owner.h"
#include "kernel/links/links.h"
#include "node/pods/planned.h"

#include <string.h>

/*
 * How strong a claim to an interface is; the sum counts. That the interface is the kernel's
 * own peer of an interface within the pod's namespace cannot be forged, and together with the
 * result's naming it outweighs everything. The namespace alone may be recycled, and the name alone
 * is what the predecessor has as well: either gives way to whoever holds the guard now.
 */
enum {
    CLAIM_NONE = 0,
    CLAIM_NAMED = 1,  /* the result names the interface */
    CLAIM_PEER = 2,   /* its peer is in the pod's namespace */
    CLAIM_HELD = 3,   /* the kernel's guard there carries this owner's tag */
    CLAIM_PROVEN = 6, /* named and peer */
};

static bool is_peer(const struct facts *facts, const char *interface)
{
    for (size_t i = 0; i < facts->pod_count; i++) {
        const struct link *peer = &facts->pod[i].host_peer;

        if (peer->index != 0 && strcmp(peer->name, interface) == 0)
            return true;
    }
    return false;
}

/* An outgoing guard stands on the pod's VLAN, which has no peer: it goes with the pod's others. */
static bool is_proven_out(const struct surveyed *surveyed)
{
    for (size_t i = 0; i < surveyed->plan.guard_count; i++) {
        const struct guard *guard = &surveyed->plan.guards[i];

        if (guard->direction == DIRECTION_IN && is_peer(&surveyed->facts, guard->interface))
            return true;
    }
    return false;
}

static bool is_named(const struct result *result, const char *interface)
{
    for (size_t i = 0; i < result->interface_count; i++)
        if (result->interfaces[i].sandbox[0] == '\0' &&
            strcmp(result->interfaces[i].name, interface) == 0)
            return true;
    return false;
}

static bool is_held(const struct holdings *holdings, const char *tag, const struct guard *guard)
{
    for (size_t i = 0; i < holdings->count; i++) {
        size_t count;
        const struct held *held = listing_find(&holdings->items[i].listing, guard, &count);

        for (size_t j = 0; j < count; j++)
            if (tags_have_same_owner(held[j].tag, tag))
                return true;
    }
    return false;
}

static int strength_of(const struct surveyed *surveyed, const struct guard *guard,
                       const struct holdings *holdings)
{
    bool out = guard->direction == DIRECTION_OUT;
    bool peer = out ? is_proven_out(surveyed) : is_peer(&surveyed->facts, guard->interface);
    bool named = out || is_named(&surveyed->cached->attachment.result, guard->interface);
    int strength = peer && named ? CLAIM_PROVEN
                   : peer        ? CLAIM_PEER
                   : named       ? CLAIM_NAMED
                                 : CLAIM_NONE;

    return strength + (is_held(holdings, surveyed->plan.tag, guard) ? CLAIM_HELD : 0);
}

/* One planned guard, and what speaks for its being this attachment's. */
struct claim {
    const struct surveyed *surveyed;
    const struct guard *guard;
    int strength;
    size_t rank; /* among all planned guards, attachment by attachment */
};

/* Of equal claims that of the attachment whose file was written later is better. */
static int compare_merits(const struct claim *a, const struct claim *b)
{
    const struct timespec *left = &a->surveyed->cached->written;
    const struct timespec *right = &b->surveyed->cached->written;

    if (a->strength != b->strength)
        return a->strength < b->strength ? -1 : 1;
    if (left->tv_sec != right->tv_sec)
        return left->tv_sec < right->tv_sec ? -1 : 1;
    return left->tv_nsec != right->tv_nsec ? (left->tv_nsec < right->tv_nsec ? -1 : 1) : 0;
}

/* By place; the best claim to each comes last. */
static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    int order = guard_compare(left->guard, right->guard);

    return order ? order : compare_merits(left, right);
}

static void collect(const struct survey *survey, struct claim *claims)
{
    size_t count = 0;

    for (size_t i = 0; i < survey->count; i++) {
        const struct surveyed *surveyed = &survey->attachments[i];

        for (size_t j = 0; j < surveyed->plan.guard_count; j++, count++) {
            const struct guard *guard = &surveyed->plan.guards[j];

            claims[count] =
                (struct claim){.surveyed = surveyed,
                               .guard = guard,
                               .strength = strength_of(surveyed, guard, &survey->holdings),
                               .rank = count};
        }
    }
    qsort(claims, count, sizeof(*claims), compare_claims);
}

/* Whether the cache knows this tag's owner, and that its pod is no more or its claim is known. */
static bool is_accounted_for(const struct survey *survey, const char *tag,
                             const struct guard *guard)
{
    const struct surveyed *owner = survey_find(survey, tag);

    return owner && (owner->state == ATTACHMENT_GONE || owner->state == ATTACHMENT_HOST_NETWORK ||
                     (owner->state == ATTACHMENT_PLANNED && plan_find(&owner->plan, guard)));
}

/*
 * The claim of an owner that the cache does not know (yet): it holds the guard, and that is all. If
 * it holds it in one address family and this attachment in the other, its ADD is under way, or was
 * cut off and comes again: then no name helps against it either, only the kernel's own peer.
 */
static bool loses_to_holder(const struct survey *survey, const struct claim *claim)
{
    if (claim->strength >= CLAIM_PEER + CLAIM_HELD)
        return false;
    for (size_t i = 0; i < survey->holdings.count; i++) {
        size_t count;
        const struct held *held =
            listing_find(&survey->holdings.items[i].listing, claim->guard, &count);

        for (size_t j = 0; j < count; j++)
            if (tag_guards(held[j].tag) > 0 &&
                !tags_have_same_owner(held[j].tag, claim->surveyed->plan.tag) &&
                !is_accounted_for(survey, held[j].tag, claim->guard))
                return true;
    }
    return false;
}

/* Judges every guard before any plan changes: claims are compared with plans as they were made. */
static void judge(const struct survey *survey, const struct claim *claims, size_t count, bool *lost)
{
    const struct claim *best = NULL;

    for (size_t i = count; i-- > 0;) {
        const struct claim *claim = &claims[i];

        if (!best || guard_compare(best->guard, claim->guard) != 0)
            best = claim;
        lost[claim->rank] = compare_merits(claim, best) < 0 || loses_to_holder(survey, claim);
    }
}

static void retag(struct surveyed *surveyed)
{
    const struct attachment *attachment = &surveyed->cached->attachment;

    tag_write(&attachment->owner, (unsigned)surveyed->plan.guard_count, attachment->pod.namespace,
              attachment->pod.name, surveyed->plan.tag);
}

static void narrow(struct survey *survey, const bool *lost)
{
    for (size_t i = 0; i < survey->count; i++) {
        struct surveyed *surveyed = &survey->attachments[i];
        struct plan *plan = &surveyed->plan;
        size_t planned = plan->guard_count, kept = 0;

        for (size_t j = 0; j < planned; j++, lost++)
            if (!*lost)
                plan->guards[kept++] = plan->guards[j];
        if (kept == planned)
            continue;
        plan->guard_count = kept;
        if (kept == 0)
            surveyed->state = ATTACHMENT_REPLACED;
        else
            retag(surveyed);
    }
}

/* Whether one of those who hold a guard at this place has it in its plan by now. */
static bool is_kept(const struct survey *survey, const struct guard *place)
{
    for (size_t i = 0; i < survey->holdings.count; i++) {
        size_t count;
        const struct held *held = listing_find(&survey->holdings.items[i].listing, place, &count);

        for (size_t j = 0; j < count; j++) {
            const struct surveyed *owner = survey_find(survey, held[j].tag);

            if (owner && plan_find(&owner->plan, place))
                return true;
        }
    }
    return false;
}

static int keep(struct surveyed *surveyed, const struct guard *guard, struct error *err)
{
    struct plan *plan = &surveyed->plan;
    struct guard *larger = reallocarray(plan->guards, plan->guard_count + 1, sizeof(*larger));

    if (!larger)
        return error_no_memory(err);
    plan->guards = larger;
    plan->guards[plan->guard_count] = *guard;
    plan->guards[plan->guard_count++].verdict = plan->guards[0].verdict;
    retag(surveyed);
    return 0;
}

static int keep_held(const struct survey *survey, const struct planned *planned,
                     const struct held *held, struct error *err)
{
    struct surveyed *owner;

    if (planned_have(planned, &held->guard) ||
        !links_have(survey->links, survey->link_count, held->guard.interface) ||
        is_kept(survey, &held->guard))
        return 0;
    owner = survey_find(survey, held->tag);
    if (!owner || owner->state != ATTACHMENT_PLANNED || owner->plan.guard_count == OWNER_GUARDS_MAX)
        return 0;
    return keep(owner, &held->guard, err);
}

static int keep_all_held(const struct survey *survey, struct error *err)
{
    cleanup(planned) struct planned planned = {0};

    if (planned_make(survey, &planned, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->holdings.count; i++) {
        const struct listing *listing = &survey->holdings.items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            if (keep_held(survey, &planned, &listing->held[j], err) < 0)
                return -1;
    }
    return 0;
}

int claims_settle(struct survey *survey, struct error *err)
{
    cleanup(free_memory) struct claim *claims = NULL;
    cleanup(free_memory) bool *lost = NULL;
    size_t count = 0;

    for (size_t i = 0; i < survey->count; i++)
        count += survey->attachments[i].plan.guard_count;
    claims = calloc(count + 1, sizeof(*claims));
    lost = calloc(count + 1, sizeof(*lost));
    if (!claims || !lost)
        return error_no_memory(err);
    collect(survey, claims);
    judge(survey, claims, count, lost);
    narrow(survey, lost);
    return keep_all_held(survey, err);
}
