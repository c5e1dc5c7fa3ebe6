#include "kernel/backends.h"

#include "kernel/ipvs.h"
#include "kernel/move.h"
#include "kernel/nftables/backend.h"

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
 * Where no table of ours stands. What a healthy node needs not ask is not asked: whether the choice works,
 * shows when it is applied. To try nftables where legacy tables are live costs a grace period of the
 * kernel's, for what is tried is taken back.
 */
static const struct backend *choose_first(const struct config *config)
{
    if (config->backend == BACKEND_NFTABLES || config->deny == VERDICT_REJECT)
        return &backend_nftables;
    if (config->backend == BACKEND_IPTABLES)
        return &backend_iptables;
    if (!legacy_tables_are_live() || (ipvs_is_loaded() && works(&backend_nftables)))
        return &backend_nftables;
    return &backend_iptables;
}

/* Whether either will do. */
static bool leaves_choice(const struct config *config)
{
    return config->backend == BACKEND_AUTO && config->deny != VERDICT_REJECT;
}

const struct backend *backend_choose(const struct config *config)
{
    const struct backend *first = choose_first(config);

    return leaves_choice(config) && first == &backend_iptables && nft_is_present()
               ? &backend_nftables
               : first;
}

static bool allows(const struct config *config, const struct backend *backend)
{
    return leaves_choice(config) || backend == backend_choose(config);
}

/* Why the one does not work and, if it was tried, why the other one does not. */
static int neither(const struct error *first, const struct backend *instead,
                   const struct error *second, struct error *err)
{
    *err = *first;
    return second->msg[0] != '\0' ? error_details(err, "nor %s: %s", instead->name, second->msg)
                                  : -1;
}

static bool stands(const struct backend *backend, const struct terms *terms)
{
    return backend == &backend_nftables ? nft_is_present() : iptables_stands(terms);
}

int guards_probe_as(const struct config *config, const struct terms *terms, struct error *err)
{
    const struct backend *chosen = backend_choose(config);
    const struct backend *instead = other_than(chosen);
    struct error first = {0};
    struct error second = {0};

    if (chosen->probe(terms, &first) == 0 ||
        ((allows(config, instead) || (!terms->exactly && stands(instead, terms))) &&
         instead->probe(terms, &second) == 0))
        return 0;
    return neither(&first, instead, &second, err);
}

/* *tried has not worked, because of `first`. */
static int apply_instead(const struct config *config, const struct backend **tried,
                         const struct plan *plans, size_t plan_count, const struct terms *terms,
                         const struct holdings *seen, const struct error *first, struct error *err)
{
    const struct backend *instead = other_than(*tried);
    struct error second = {0};

    if (first->code != ERROR_TRY_AGAIN && allows(config, instead) &&
        guards_apply(instead, plans, plan_count, terms, seen, &second) == 0) {
        *tried = instead;
        return 0;
    }
    return neither(first, instead, &second, err);
}

int guards_apply_as(const struct config *config, const struct backend **chosen,
                    const struct plan *plans, size_t plan_count, const struct terms *terms,
                    const struct holdings *seen, struct error *err)
{
    struct error first = {0};

    if (guards_apply(*chosen, plans, plan_count, terms, seen, &first) == 0)
        return 0;
    return apply_instead(config, chosen, plans, plan_count, terms, seen, &first, err);
}

static bool lets_pass(const struct plan *plan)
{
    for (size_t i = 0; i < plan->guard_count; i++)
        if (!verdict_denies(plan->guards[i].verdict))
            return true;
    return false;
}

/* In our table where that stands, for which nobody waits. Where both stand one denial is enough. */
static int add_to_table(const struct plan *plan, const struct terms *terms, bool *done,
                        struct error *err)
{
    if (nft_join(plan, terms, done, err) < 0)
        return -1;
    *done = *done && !(lets_pass(plan) && iptables_stands(terms));
    return 0;
}

/* What could not be moved, because of `first`, is in force as it was. */
static int check_passage(const struct plan *plan, const struct terms *terms,
                         const struct error *first, struct error *err)
{
    struct error why = {0};

    if (guards_check(plan, terms, &why) == 0)
        return 0;
    *err = *first;
    return error_details(err, "%s", why.details[0] != '\0' ? why.details : why.msg);
}

/* What iptables, if it stands, cannot be emptied of is none of the move's errors, but cuts who may pass. */
static int move_to_table(const struct plan *plan, const struct terms *terms, bool from_iptables,
                         struct error *err)
{
    const struct error cut = {
        .code = ERROR_KERNEL,
        .msg = "rules of the legacy tables cut the pod and cannot be taken away: delete chain "
               "IMDS-GUARD of table mangle with iptables-legacy and ip6tables-legacy"};

    if (guards_apply(&backend_nftables, plan, 1, terms, NULL, err) < 0)
        return -1;
    return from_iptables && lets_pass(plan) ? check_passage(plan, terms, &cut, err) : 0;
}

/* *tried: where it has failed. */
static int add_with_lock(const struct config *config, const struct plan *plan,
                         const struct terms *terms, const struct backend **tried, struct error *err)
{
    const struct backend *chosen = choose_first(config);
    struct terms locked = *terms;
    cleanup(close_fd) int lock = -1;
    bool in_nftables = false;
    bool in_iptables = false;
    bool present = false;

    *tried = &backend_iptables;
    if (lock_for(chosen, terms, &lock, err) < 0)
        return -1;
    locked.locked = lock >= 0;
    *tried = &backend_nftables;
    present = nft_is_present();
    if (present && nft_join(plan, &locked, &in_nftables, err) < 0)
        return -1;
    if (in_nftables && !lets_pass(plan))
        return 0;
    /* Reading legacy tables is dear: not where everything goes there anyway. */
    in_iptables = (!present && chosen == &backend_iptables) || iptables_stands(&locked);
    if (in_nftables && !in_iptables)
        return 0;
    /* Where both stand, all move to the one that takes them at once; and where AUTO chooses nftables though
     * iptables stands, as IPVS may send packets. Who lets everything pass has moved to iptables. */
    if (in_nftables || !in_iptables || (chosen == &backend_nftables && leaves_choice(config)))
        return move_to_table(plan, &locked, in_iptables, err);
    *tried = &backend_iptables;
    return backend_iptables.apply(plan, 1, &locked, err);
}

int guards_add(const struct config *config, const struct plan *plan, const struct terms *terms,
               struct error *err)
{
    const struct backend *tried = &backend_nftables;
    struct error first;
    bool done = false;

    if ((config->backend == BACKEND_IPTABLES || add_to_table(plan, terms, &done, &first) == 0) &&
        (done || add_with_lock(config, plan, terms, &tried, &first) == 0))
        return 0;
    if (apply_instead(config, &tried, plan, 1, terms, NULL, &first, err) < 0)
        return -1;
    return lets_pass(plan) ? check_passage(plan, terms, &first, err) : 0;
}

/*
 * All may be moving meanwhile, under the lock. From iptables, which is asked first: that waits for the lock,
 * and then nftables has what is to go. To iptables: if nothing is left in nftables, it is there by now.
 */
int guards_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err)
{
    static const struct backend *const looks[] = {&backend_iptables, &backend_nftables,
                                                  &backend_iptables};
    size_t total = 0;
    int result = 0;

    for (size_t i = 0; i < 2 || (i < 3 && total == 0); i++) {
        size_t here = 0;
        struct error later;

        if (looks[i]->remove(selection, terms, &here, result == 0 ? err : &later) < 0)
            result = -1;
        total += here;
    }
    if (result == 0 && removed != NULL)
        *removed = total;
    return result;
}

static bool is_owned(const struct held *held, const void *tag)
{
    return tags_have_same_owner(held->tag, tag);
}

int guards_remove_owner(const struct owner *owner, const char (*interfaces)[INTERFACE_NAME_SIZE],
                        size_t interface_count, const struct terms *terms, struct error *err)
{
    char tag[TAG_SIZE] = "";
    const struct selection selection = {.goes = is_owned,
                                        .context = tag,
                                        .interfaces = interfaces,
                                        .interface_count = interface_count};

    tag_write(owner, 1, NULL, NULL, tag);
    return guards_remove(&selection, terms, NULL, err);
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
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct holding *holding = &holdings.items[i];

        if (holding->unread)
            error_details(&findings, "%s", holding->unread);
        for (size_t j = 0; j < holding->listing.fault_count; j++)
            error_details(&findings, "%s: %s", holding->backend->name, holding->listing.faults[j]);
    }
    error_set(err, ERROR_GUARD_MISSING,
              "guard missing or wrong for %.*s: re-create the pod, or run imds-guard sync",
              (int)strcspn(plan->tag, " "), plan->tag);
    return error_details(err, "%s", findings.details);
}
