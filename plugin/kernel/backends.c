#include "kernel/backends.h"

#include "kernel/iptables/xtables_lock.h"
#include "kernel/ipvs.h"
#include "kernel/nftables/presence.h"
#include "kernel/wanted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One name a line; empty while no legacy table is live. Absent in a kernel without ip_tables. */
#define LEGACY_TABLES "/proc/self/net/ip_tables_names"

static bool legacy_tables_are_live(void)
{
    cleanup(close_fd) int fd = open(LEGACY_TABLES, O_RDONLY | O_CLOEXEC);
    char first;

    return fd >= 0 && read(fd, &first, 1) == 1;
}

static bool works(const struct backend *backend)
{
    const struct terms no_terms = {0};
    struct error unused;

    return backend->probe(&no_terms, &unused) == 0;
}

/*
 * What a healthy node needs not ask is not asked: whether the choice works, shows when it is applied
 * (guards_apply_as). To try nftables where legacy tables are live costs a grace period of the kernel's,
 * for what is tried is taken back.
 */
static const struct backend *choose(void)
{
    if (!legacy_tables_are_live() || nft_is_present() ||
        (ipvs_is_loaded() && works(&backend_nftables)))
        return &backend_nftables;
    return &backend_iptables;
}

const struct backend *backend_choose(const struct config *config)
{
    if (config->backend == BACKEND_NFTABLES || config->deny == VERDICT_REJECT)
        return &backend_nftables;
    return config->backend == BACKEND_IPTABLES ? &backend_iptables : choose();
}

/* Plans beside which there is room for what the other backend holds. */
struct together {
    struct listing other;
    struct plan *plans; /* their guards are borrowed */
    size_t count;
};

static void cleanup_together(struct together *together)
{
    listing_free(&together->other);
    free(together->plans);
}

/* What a backend that does not know it makes of it. */
static enum verdict without_reject(const struct backend *backend, enum verdict verdict)
{
    return verdict == VERDICT_REJECT && !backend->rejects ? VERDICT_DROP : verdict;
}

/*
 * Whether a guard of the other backend's comes along: none to let pass what the chosen one, beside it,
 * has denied, and none in place of one that stands there and denies, too.
 */
static bool comes_along(const struct held *guard, const struct listing *here)
{
    size_t count = 0;
    const struct held *held = listing_find(here, guard->guard.interface, &count);
    unsigned families = 0;
    bool passes = false;

    for (size_t i = 0; i < count; i++) {
        families |= held[i].families;
        passes = passes || !verdict_denies(held[i].guard.verdict);
    }
    if (!verdict_denies(guard->guard.verdict))
        return count == 0 && !(here->present && verdict_denies(here->others.verdict));
    return count == 0 || passes || families != here->families;
}

/*
 * What comes along from the other backend stands first, so that of two guards for one interface that of
 * the plans counts; what is not proven gives way to what is. Guards in one family alone count for both.
 * What the chosen one does not take gets the verdict for others there.
 */
static int put_together(struct together *together, const struct backend *chosen,
                        const struct listing *here, const struct plan *plans, size_t plan_count,
                        struct error *err)
{
    struct listing *other = &together->other;
    struct error unused;

    together->plans = calloc(other->held_count + plan_count + 1, sizeof(*together->plans));
    if (!together->plans)
        return error_no_memory(err);
    for (size_t i = 0; i < other->held_count; i++) {
        struct plan *plan = &together->plans[together->count];

        if (tag_guards(other->held[i].tag) == 0 || !comes_along(&other->held[i], here))
            continue;
        memcpy(plan->tag, other->held[i].tag, sizeof(plan->tag));
        other->held[i].guard.verdict = without_reject(chosen, other->held[i].guard.verdict);
        plan->guards = &other->held[i].guard;
        plan->guard_count = 1;
        together->count += chosen->accept(plan, &unused) == 0;
    }
    other->others.verdict = without_reject(chosen, other->others.verdict);
    for (size_t i = 0; i < plan_count; i++)
        together->plans[together->count++] = plans[i];
    return 0;
}

/* What the other backend has and the plans, in the chosen one. *present: there is something. */
static int unite(const struct backend *chosen, const struct backend *other,
                 const struct listing *here, const struct plan *plans, size_t plan_count,
                 const struct terms *terms, bool *present, struct error *err)
{
    cleanup(together) struct together together = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms united;
    struct error unused;

    *present = other->list(terms, &together.other, &unused) == 0 && together.other.present;
    if (!*present)
        return 0;
    if (put_together(&together, chosen, here, plans, plan_count, err) < 0 ||
        listing_terms(&together.other, terms, &room, &united, err) < 0)
        return -1;
    return chosen->apply(together.plans, together.count, &united, err);
}

/*
 * Moves house, one process at a time: of two that go opposite ways each would take away what the other
 * one relies on. United is twice, as others set guards without that lock: who does so after the second
 * look finds both backends there (guards_apply), and moves house itself.
 */
static int bring_along(const struct backend *chosen, const struct backend *from,
                       const struct plan *plans, size_t plan_count, const struct terms *terms,
                       bool *done, struct error *err)
{
    const struct selection everything = {.everything = true};
    struct terms alone = *terms;
    cleanup(listing) struct listing here = {0};
    cleanup(close_fd) int lock = -1;
    struct error why;

    alone.locked = xtables_lock(terms->lock_timeout_seconds * 1000, &lock, &why) == 0;
    if (!alone.locked && chosen == &backend_iptables) {
        *err = why;
        return -1;
    }
    if (chosen->list(terms, &here, err) < 0)
        return -1;
    for (int times = 0; times < 2; times++)
        if (unite(chosen, from, &here, plans, plan_count, &alone, done, err) < 0)
            return -1;
    if (*done && alone.locked) /* if not, or it fails, that is in force as it was */
        from->remove(&everything, &alone, NULL, &why);
    return 0;
}

/* Asked by each ADD, twice, of the backend that is not in use: so it takes no more than it must. */
static bool is_present(const struct backend *backend, const struct terms *terms)
{
    cleanup(listing) struct listing listing = {0};
    struct error unused;

    if (backend == &backend_nftables)
        return nft_is_present();
    return legacy_tables_are_live() && backend->list(terms, &listing, &unused) == 0 &&
           listing.present;
}

static const struct backend *other_than(const struct backend *chosen)
{
    return chosen == &backend_nftables ? &backend_iptables : &backend_nftables;
}

int guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                 const struct terms *terms, const struct holdings *seen, struct error *err)
{
    const struct backend *other = other_than(chosen);
    struct terms here = *terms;
    bool done = false;

    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (backends[i] == chosen && seen)
            here.seen = &seen->items[i].listing;
    if (is_present(other, terms) &&
        bring_along(chosen, other, plans, plan_count, &here, &done, err) < 0)
        return -1;
    if (done)
        return 0;
    if (chosen->apply(plans, plan_count, &here, err) < 0)
        return -1;
    /* Somebody may have moved house meanwhile, without this guard. */
    return is_present(other, terms)
               ? bring_along(chosen, other, plans, plan_count, &here, &done, err)
               : 0;
}

/* The backend that AUTO has not chosen; NULL if there is no choice. */
static const struct backend *instead_of(const struct config *config, const struct backend *chosen)
{
    if (config->backend != BACKEND_AUTO || config->deny == VERDICT_REJECT)
        return NULL;
    return other_than(chosen);
}

/* Why the one does not work and, if it was tried, why the other one does not. */
static int neither(const struct error *first, const struct backend *instead,
                   const struct error *second, struct error *err)
{
    *err = *first;
    return second->msg[0] != '\0' ? error_details(err, "nor %s: %s", instead->name, second->msg)
                                  : -1;
}

int guards_probe_as(const struct config *config, const struct terms *terms, struct error *err)
{
    const struct backend *chosen = backend_choose(config);
    const struct backend *instead = instead_of(config, chosen);
    struct error first = {0};
    struct error second = {0};

    if (chosen->probe(terms, &first) == 0 || (instead && instead->probe(terms, &second) == 0))
        return 0;
    return neither(&first, instead, &second, err);
}

int guards_apply_as(const struct config *config, const struct backend **chosen,
                    const struct plan *plans, size_t plan_count, const struct terms *terms,
                    const struct holdings *seen, struct error *err)
{
    const struct backend *instead = instead_of(config, *chosen);
    struct error first = {0};
    struct error second = {0};

    if (guards_apply(*chosen, plans, plan_count, terms, seen, &first) == 0)
        return 0;
    if (instead && first.code != ERROR_TRY_AGAIN &&
        guards_apply(instead, plans, plan_count, terms, seen, &second) == 0) {
        *chosen = instead;
        return 0;
    }
    return neither(&first, instead, &second, err);
}

/*
 * Iptables first: where all is just being moved from there, this waits for the lock, and then nftables
 * has what is to go.
 */
int guards_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err)
{
    size_t total = 0;
    int result = 0;

    for (size_t i = BACKEND_COUNT; i-- > 0;) {
        size_t here = 0;
        struct error later;

        if (backends[i]->remove(selection, terms, &here, result == 0 ? err : &later) < 0)
            result = -1;
        total += here;
    }
    if (result == 0 && removed != NULL)
        *removed = total;
    return result;
}

static bool is_owned(const struct held *held, const void *owner)
{
    return tag_is_owned_by(held->tag, owner);
}

int guards_remove_owner(const struct owner *owner, const char (*interfaces)[INTERFACE_NAME_SIZE],
                        size_t interface_count, const struct terms *terms, struct error *err)
{
    const struct selection selection = {.goes = is_owned,
                                        .context = owner,
                                        .interfaces = interfaces,
                                        .interface_count = interface_count};

    return guards_remove(&selection, terms, NULL, err);
}

static void note_faults(const struct holdings *holdings, struct error *findings)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct holding *holding = &holdings->items[i];

        if (holding->unread)
            error_details(findings, "%s", holding->unread);
        for (size_t j = 0; j < holding->listing.fault_count; j++)
            error_details(findings, "%s: %s", holding->backend->name, holding->listing.faults[j]);
    }
}

int guards_check(const struct plan *plan, const struct terms *terms, struct error *err)
{
    cleanup(holdings) struct holdings holdings = {0};
    struct error findings = {0};

    if (plan->guard_count == 0)
        return 0;
    if (holdings_gather(terms, &holdings, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->guard_count; i++) {
        const struct guard *guard = &plan->guards[i];
        const char *wrong = standing_text(holdings_standing(&holdings, plan->tag, guard));

        if (wrong)
            error_details(&findings, "%s (%s): %s", guard->interface, verdict_name(guard->verdict),
                          wrong);
    }
    if (verdict_denies(terms->others) && !verdict_denies(holdings_others(&holdings)))
        error_details(&findings, "nothing stops the packets of who has no guard");
    if (findings.details[0] == '\0')
        return 0;
    note_faults(&holdings, &findings);
    error_set(err, ERROR_GUARD_MISSING,
              "guard missing or wrong for %.*s: re-create the pod, or run imds-guard sync",
              (int)strcspn(plan->tag, " "), plan->tag);
    return error_details(err, "%s", findings.details);
}
