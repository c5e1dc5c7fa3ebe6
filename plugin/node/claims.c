#include "node/claims.h"

#include "guard/owner.h"
#include "kernel/links.h"

#include <string.h>

/*
 * How well founded a claim to an interface is; the sum counts. That the interface is the kernel's
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
        const struct listing *listing = &holdings->items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            if (guard_is_at(&listing->held[j].guard, guard) &&
                tags_have_same_owner(listing->held[j].tag, tag))
                return true;
    }
    return false;
}

static int claim_of(const struct surveyed *surveyed, const struct guard *guard,
                    const struct holdings *holdings)
{
    bool out = guard->direction == DIRECTION_OUT;
    bool peer = out ? is_proven_out(surveyed) : is_peer(&surveyed->facts, guard->interface);
    bool named = out || is_named(&surveyed->cached->attachment.result, guard->interface);
    int claim = peer && named ? CLAIM_PROVEN : peer ? CLAIM_PEER : named ? CLAIM_NAMED : CLAIM_NONE;

    return claim + (is_held(holdings, surveyed->plan.tag, guard) ? CLAIM_HELD : 0);
}

static const struct guard *find_guard(const struct plan *plan, const struct guard *place)
{
    for (size_t i = 0; i < plan->guard_count; i++)
        if (guard_is_at(&plan->guards[i], place))
            return &plan->guards[i];
    return NULL;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* The claim of another attachment of the cache; of equal claims the later written one is better. */
static bool loses_to_cached(const struct survey *survey, const struct surveyed *surveyed,
                            const struct guard *guard, int claim)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct surveyed *other = &survey->attachments[i];
        int theirs;

        if (other == surveyed || other->state != ATTACHMENT_PLANNED ||
            !find_guard(&other->plan, guard))
            continue;
        theirs = claim_of(other, guard, &survey->holdings);
        if (theirs > claim ||
            (theirs == claim && is_later(&other->cached->written, &surveyed->cached->written)))
            return true;
    }
    return false;
}

/* Whether the cache knows this tag's owner, and that its pod is no more or its claim is known. */
static bool is_accounted_for(const struct survey *survey, const char *tag,
                             const struct guard *guard)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct surveyed *other = &survey->attachments[i];

        if (!tag_is_owned_by(tag, &other->cached->attachment.owner))
            continue;
        return other->state == ATTACHMENT_GONE || other->state == ATTACHMENT_HOST_NETWORK ||
               (other->state == ATTACHMENT_PLANNED && find_guard(&other->plan, guard));
    }
    return false;
}

/*
 * The claim of an owner that the cache does not know (yet): it holds the guard, and that is all. If
 * it holds it in one address family and this attachment in the other, its ADD is under way, or was
 * cut off and comes again: then no name helps against it either, only the kernel's own peer.
 */
static bool loses_to_holder(const struct survey *survey, const struct surveyed *surveyed,
                            const struct guard *guard, int claim)
{
    if (claim >= CLAIM_PEER + CLAIM_HELD)
        return false;
    for (size_t i = 0; i < survey->holdings.count; i++) {
        const struct listing *listing = &survey->holdings.items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++) {
            const struct held *held = &listing->held[j];

            if (guard_is_at(&held->guard, guard) && tag_guards(held->tag) > 0 &&
                !tags_have_same_owner(held->tag, surveyed->plan.tag) &&
                !is_accounted_for(survey, held->tag, guard))
                return true;
        }
    }
    return false;
}

/* Judges every guard before any plan changes: claims are compared with plans as they were made. */
static void judge(const struct survey *survey, bool *lost)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct surveyed *surveyed = &survey->attachments[i];

        for (size_t j = 0; j < surveyed->plan.guard_count; j++, lost++) {
            const struct guard *guard = &surveyed->plan.guards[j];
            int claim = claim_of(surveyed, guard, &survey->holdings);

            *lost = loses_to_cached(survey, surveyed, guard, claim) ||
                    loses_to_holder(survey, surveyed, guard, claim);
        }
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

static bool is_planned_by_any(const struct survey *survey, const struct guard *guard)
{
    for (size_t i = 0; i < survey->count; i++)
        if (find_guard(&survey->attachments[i].plan, guard))
            return true;
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

static int keep_held(struct survey *survey, const struct held *held, struct error *err)
{
    if (is_planned_by_any(survey, &held->guard) ||
        !links_have(survey->links, survey->link_count, held->guard.interface))
        return 0;
    for (size_t i = 0; i < survey->count; i++) {
        struct surveyed *surveyed = &survey->attachments[i];

        if (surveyed->state == ATTACHMENT_PLANNED &&
            surveyed->plan.guard_count < OWNER_GUARDS_MAX &&
            tag_is_owned_by(held->tag, &surveyed->cached->attachment.owner))
            return keep(surveyed, &held->guard, err);
    }
    return 0;
}

int claims_settle(struct survey *survey, struct error *err)
{
    cleanup(free_memory) bool *lost = NULL;
    size_t guards = 0;

    for (size_t i = 0; i < survey->count; i++)
        guards += survey->attachments[i].plan.guard_count;
    lost = calloc(guards + 1, sizeof(*lost));
    if (!lost)
        return error_no_memory(err);
    judge(survey, lost);
    narrow(survey, lost);
    for (size_t i = 0; i < survey->holdings.count; i++) {
        const struct listing *listing = &survey->holdings.items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            if (keep_held(survey, &listing->held[j], err) < 0)
                return -1;
    }
    return 0;
}
