#include "kernel/backends.h"

#include "kernel/check.h"
#include "kernel/wanted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct backend *const backends[] = {&backend_nftables, &backend_iptables, NULL};

/* One name a line; empty while no legacy table is live. Of the thread, not of the process:
 * /proc/net leads to the latter's. Absent in a kernel without ip_tables. */
#define LEGACY_TABLES "/proc/thread-self/net/ip_tables_names"

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

const struct backend *backend_choose(enum backend_choice choice)
{
    const struct backend *first;
    const struct backend *second;

    if (choice == BACKEND_NFTABLES)
        return &backend_nftables;
    if (choice == BACKEND_IPTABLES)
        return &backend_iptables;
    first = legacy_tables_are_live() ? &backend_iptables : &backend_nftables;
    second = first == &backend_iptables ? &backend_nftables : &backend_iptables;
    return works(first) || !works(second) ? first : second;
}

int guards_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err)
{
    size_t total = 0;
    int result = 0;

    for (size_t i = 0; backends[i] != NULL; i++) {
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

int guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                 const struct terms *terms, bool *first, struct error *err)
{
    cleanup(wanted) struct wanted wanted = {0};
    size_t elsewhere = 0;

    *first = false;
    if (wanted_make(plans, plan_count, &wanted, err) < 0 ||
        chosen->apply(plans, plan_count, terms, first, err) < 0)
        return -1;

    /* No hint at interfaces: where a guard of a plan's owner stands that the plan does not have,
     * only a look at all of them finds it, and in the backend that is not in use there are hardly
     * any. */
    const struct selection selection = {.goes = wanted_covers, .context = &wanted};
    for (size_t i = 0; backends[i] != NULL; i++) {
        if (backends[i] == chosen)
            continue;
        if (backends[i]->remove(&selection, terms, &elsewhere, err) < 0) {
            *first = false; /* nobody knows what is there */
            return error_context(err, "guarded by %s, but the former guards in %s are still there",
                                 chosen->name, backends[i]->name);
        }
        *first = *first && elsewhere == 0;
    }
    return 0;
}

static bool is_of_plan(const struct held *held, const void *context)
{
    const struct plan *plan = context;

    return tags_have_same_owner(held->tag, plan->tag) && plan_find(plan, &held->guard) != NULL;
}

int guards_undo(const struct plan *plan, const struct terms *terms, struct error *err)
{
    const struct selection selection = {.goes = is_of_plan, .context = plan};

    return guards_remove(&selection, terms, NULL, err);
}

#define BACKEND_COUNT (sizeof(backends) / sizeof(*backends) - 1)

/* What every backend holds, in the order of `backends`. */
struct listings {
    struct listing of[BACKEND_COUNT];
};

static void cleanup_listings(struct listings *listings)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        listing_free(&listings->of[i]);
}

static int missing(const struct plan *plan, const struct error *findings, struct error *err)
{
    error_set(err, ERROR_GUARD_MISSING,
              "guard missing or wrong for %.*s: re-create the pod, or run imds-guard sync",
              (int)strcspn(plan->tag, " "), plan->tag);
    return error_details(err, "%s", findings->details);
}

/* The plan stands whole in backends[holder]: does another one get in its way? */
static int check_others(const struct plan *plan, const struct listings *listings, size_t holder,
                        struct error *err)
{
    struct error findings = {0};
    size_t found = 0;

    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (i != holder)
            found += check_contradictions(plan, backends[i]->name, &listings->of[i], &findings);
    return found == 0 ? 0 : missing(plan, &findings, err);
}

int guards_check(const struct plan *plan, const struct terms *terms, struct error *err)
{
    cleanup(listings) struct listings listings = {0};
    struct error worst = {0};
    size_t most = 0;

    if (plan->guard_count == 0)
        return 0;
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (backends[i]->list(terms, &listings.of[i], err) < 0)
            return -1;
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        struct error findings = {0};
        struct check check = check_plan(plan, backends[i]->name, &listings.of[i], &findings);

        if (check.wrong == 0)
            return check_others(plan, &listings, i, err);
        /* What is wrong where most of the plan stands is what matters; if it stands
         * nowhere, all. */
        if (check.held > most)
            worst = (struct error){0};
        if (check.held >= most)
            error_details(&worst, "%s", findings.details);
        most = check.held > most ? check.held : most;
    }
    return missing(plan, &worst, err);
}
