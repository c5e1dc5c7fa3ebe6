/*
 * A move, under the lock: what the one backend has comes to stand in the other one, which is wanted, and
 * then all of the first goes at once. In between both stand, and a packet gets the stricter of two
 * verdicts that are the same: who is denied is denied all the time, and who is exempt is let pass.
 *
 * Only nf_tables is written without the lock, by who finds our table there. So the table goes only as it
 * was when it was looked at (selection.as_seen); if others have set guards since, or let some go, it is
 * looked at again: what is new comes along, and what has gone is taken away again where it has been
 * brought. It goes in two steps, for who is exempt to lose no packet (skeleton_retire). Who comes in
 * between, or when the table has gone, waits for the lock and finds all in iptables.
 */
#include "kernel/move.h"

#include "kernel/clock.h"
#include "kernel/iptables/xtables_lock.h"
#include "kernel/wanted.h"

#include <stdlib.h>
#include <string.h>

/* How long a lock is waited for that need not be had. */
#define ORDER_MS 100

struct move {
    const struct backend *to;
    const struct backend *from;
    const struct terms *terms;
    struct listing found; /* what `to` had before */
    struct listing left;  /* what `from` has; as of the last look */
    struct plan *own; /* of the plans, a guard each, borrowed; without what has been overtaken */
    size_t own_count;
};

static void cleanup_move(struct move *move)
{
    listing_free(&move->found);
    listing_free(&move->left);
    free(move->own);
}

bool iptables_stands(const struct terms *terms)
{
    cleanup(listing) struct listing listing = {0};
    struct error unused;

    return backend_iptables.list(terms, &listing, &unused) == 0 && listing.present;
}

int lock_for(const struct backend *chosen, const struct terms *terms, int *lock, struct error *err)
{
    const bool needed = chosen == &backend_iptables || iptables_stands(terms);
    struct error unused;

    if (needed)
        return xtables_lock(terms->lock_timeout_seconds * 1000, lock, err);
    if (xtables_lock(ORDER_MS, lock, &unused) < 0)
        *lock = -1;
    return 0;
}

/* --- what comes along --------------------------------------------------------------------------- */

static struct plan of_one_guard(const char *tag, struct guard *guard)
{
    struct plan plan = {.guards = guard, .guard_count = 1};

    memcpy(plan.tag, tag, strlen(tag) + 1);
    return plan;
}

static bool has_owner(const struct listing *listing, const char *interface, const char *tag)
{
    size_t count = 0;
    const struct held *held = listing_find(listing, interface, &count);

    for (size_t i = 0; i < count; i++)
        if (tags_have_same_owner(held[i].tag, tag))
            return true;
    return false;
}

/* Whether a DEL has lifted the guard since the look before, or the ADD of another has come instead. */
static bool is_overtaken(const struct plan *plan, const struct listing *before,
                         const struct listing *now)
{
    const struct wanted_guard wanted = {.guard = plan->guards, .tag = plan->tag};
    const char *interface = plan->guards->interface;
    size_t count = 0;
    const struct held *held = listing_find(now, interface, &count);

    for (size_t i = 0; i < count; i++)
        if (!wanted_takes_over(&wanted, held[i].tag, before))
            return true;
    return !has_owner(now, interface, plan->tag) && has_owner(before, interface, plan->tag);
}

static void drop_overtaken(struct move *move, const struct listing *before)
{
    size_t kept = 0;

    if (before == NULL)
        return;
    for (size_t i = 0; i < move->own_count; i++)
        if (!is_overtaken(&move->own[i], before, &move->left))
            move->own[kept++] = move->own[i];
    move->own_count = kept;
}

/* First what comes along, so that of two guards for one interface that of the plans counts. What `to` does
 * not accept gets the verdict for others there. */
static int put_together(struct move *move, struct plan **out, size_t *count, struct error *err)
{
    struct listing *left = &move->left;
    struct error unused;
    struct plan *plans = calloc(left->held_count + move->own_count + 1, sizeof(*plans));

    *out = plans;
    *count = 0;
    if (!plans)
        return error_no_memory(err);
    for (size_t i = 0; i < left->held_count; i++) {
        plans[*count] = of_one_guard(left->held[i].tag, &left->held[i].guard);
        /* Of two that stand already, as after somebody has restored what he had saved, what is denied stays
         * so: an exemption is not in force, and does not come along. */
        *count += tag_guards(left->held[i].tag) > 0 &&
                  (verdict_denies(left->held[i].guard.verdict) || !move->found.present) &&
                  move->to->accept(&plans[*count], &unused) == 0;
    }
    for (size_t i = 0; i < move->own_count; i++)
        plans[(*count)++] = move->own[i];
    return 0;
}

/* --- the move ----------------------------------------------------------------------------------- */

struct expected {
    const struct wanted *wanted;
    const struct listing *found;
};

/* Neither wanted, nor there before: brought by a move that has been overtaken. */
static bool is_outdated(const struct held *held, const void *context)
{
    const struct expected *expected = context;
    const char *interface = held->guard.interface;
    const struct wanted_guard *wanted = wanted_find(expected->wanted, interface);

    return !(wanted && tags_have_same_owner(wanted->tag, held->tag)) &&
           !has_owner(expected->found, interface, held->tag);
}

static int take_outdated_away(const struct move *move, const struct plan *plans, size_t count,
                              struct error *err)
{
    cleanup(wanted) struct wanted wanted = {0};
    const struct expected expected = {&wanted, &move->found};
    const struct selection outdated = {.goes = is_outdated, .context = &expected};

    if (wanted_make(plans, count, &wanted, err) < 0)
        return -1;
    return move->to->remove(&outdated, move->terms, NULL, err);
}

/* `again`: it has been done before, and then others have changed what is left. */
static int unite(struct move *move, bool again, struct error *err)
{
    cleanup(free_memory) struct plan *plans = NULL;
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms terms;
    size_t count = 0;

    if (put_together(move, &plans, &count, err) < 0 ||
        listing_terms(&move->left, move->terms, &room, &terms, err) < 0 ||
        (again && take_outdated_away(move, plans, count, err) < 0))
        return -1;
    return move->to->apply(plans, count, &terms, err);
}

/* False if there is nothing to move, or it cannot be read. */
static bool look(struct move *move)
{
    struct error unused;

    return move->from->list(move->terms, &move->left, &unused) == 0 && move->left.present;
}

/* `seen`: what `from` had when the plans were made; may be NULL. */
static int move_all(struct move *move, const struct listing *seen, struct error *err)
{
    const struct selection everything = {.everything = true, .as_seen = &move->left};
    const int64_t deadline = clock_deadline((int64_t)move->terms->lock_timeout_seconds * 1000);
    cleanup(listing) struct listing before = {0};

    drop_overtaken(move, seen);
    /* Iptables has been changed by nobody of ours. To nftables others have come: none of them is outdated. */
    for (bool again = false;; again = move->from == &backend_nftables) {
        struct error why = {0};

        if (unite(move, again, err) < 0)
            return -1;
        /* What cannot be removed is in force as it was; without the lock it is in use. */
        if (!move->terms->locked || move->from->remove(&everything, move->terms, NULL, &why) == 0 ||
            why.code != ERROR_TRY_AGAIN)
            return 0;
        if (clock_left(deadline) == 0) {
            *err = why;
            return error_context(err, "cannot move all rules from %s to %s", move->from->name,
                                 move->to->name);
        }
        listing_free(&before);
        before = steal(&move->left);
        if (!look(move))
            return 0;
        drop_overtaken(move, &before);
    }
}

int guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                 const struct terms *terms, const struct holdings *seen, struct error *err)
{
    struct terms here = *terms;
    cleanup(move) struct move move = {.to = chosen, .from = other_than(chosen), .terms = &here};
    cleanup(close_fd) int lock = -1;
    size_t count = 0;

    here.seen = seen != NULL ? holdings_of(seen, chosen) : NULL;
    if (!terms->locked && lock_for(chosen, terms, &lock, err) < 0 && chosen == &backend_iptables)
        return -1;
    here.locked = terms->locked || lock >= 0;
    if (!look(&move))
        return chosen->apply(plans, plan_count, &here, err);
    if (chosen->list(&here, &move.found, err) < 0)
        return -1;
    for (size_t i = 0; i < plan_count; i++)
        count += plans[i].guard_count;
    move.own = calloc(count + 1, sizeof(*move.own));
    if (!move.own)
        return error_no_memory(err);
    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++)
            move.own[move.own_count++] = of_one_guard(plans[i].tag, &plans[i].guards[j]);
    return move_all(&move, seen != NULL ? holdings_of(seen, move.from) : NULL, err);
}
