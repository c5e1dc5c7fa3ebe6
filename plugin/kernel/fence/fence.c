#include "kernel/fence/fence.h"

#include "kernel/fence/maps.h"
#include "kernel/fence/stand.h"
#include "kernel/fence/uplinks.h"
#include "kernel/links/known.h"

#include <errno.h>
#include <string.h>

/* Each time one of many that start at once has won; then all others find that the fence stands. */
#define ATTEMPTS 100

/* What is to be brought about, at one link after another. */
struct work {
    const struct terms *terms;
    const struct plan *plans;
    size_t plan_count;
    enum maps_how how;
    struct maps shared; /* that the node's uplinks share, once they have been needed */
    size_t changes;
};

static void cleanup_work(struct work *work)
{
    maps_close(&work->shared);
}

/* The maps of the first link that has any; if none has, new ones. */
static int find_shared(struct work *work, struct error *err)
{
    const struct terms nowhere = {0};
    cleanup(free_memory) struct uplink *links = NULL;
    size_t count = 0;

    if (uplinks_of_node(NULL, &nowhere, NULL, 0, &links, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count && !maps_exist(&work->shared); i++) {
        cleanup(stand) struct stand stand = {0};

        if (stand_look(&links[i], &stand, err) < 0)
            return -1;
        work->shared = steal(&stand.maps);
    }
    return maps_exist(&work->shared) ? 0 : maps_create(work->terms->others, &work->shared, err);
}

/* The maps that the link's program is to use: its own, but sync brings all links together. */
static int choose_maps(struct work *work, const struct stand *stand, const struct maps **out,
                       struct error *err)
{
    bool has_own = maps_exist(&stand->maps);

    if (has_own && work->how != MAPS_SET) {
        *out = &stand->maps;
        return 0;
    }
    if (!maps_exist(&work->shared) && find_shared(work, err) < 0)
        return -1;
    if (has_own && stand->maps.id != work->shared.id &&
        maps_copy_verdicts(&stand->maps, &work->shared, err) < 0)
        return -1;
    *out = &work->shared;
    return 0;
}

/* Once; *lost: somebody else was at it as well. The maps are right before a program uses them. */
static int try_to_hold(struct work *work, const struct uplink *uplink, bool *lost,
                       struct error *err)
{
    cleanup(stand) struct stand stand = {0};
    const struct maps *maps = NULL;

    if (stand_look(uplink, &stand, err) < 0)
        return -1;
    if (stand.gone)
        return 0;
    if (choose_maps(work, &stand, &maps, err) < 0 ||
        maps_write(maps, work->how, work->terms, work->plans, work->plan_count, &work->changes,
                   err) < 0)
        return error_context(err, "exit fence on %s", uplink->name);
    if (stand_is_right(&stand, uplink) && maps_exist(&stand.maps) && stand.maps.id == maps->id)
        return 0;
    work->changes++;
    return stand_put(&stand, uplink, maps, lost, err) < 0
               ? error_context(err, "exit fence on %s", uplink->name)
               : 0;
}

static int hold(struct work *work, const struct uplink *uplink, struct error *err)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool lost = false;

        if (try_to_hold(work, uplink, &lost, err) < 0)
            return -1;
        if (!lost)
            return 0;
        maps_close(&work->shared);
    }
    return error_set(err, ERROR_KERNEL,
                     "exit fence on %s: its egress programs kept changing; does something else "
                     "attach and detach there all the time?",
                     uplink->name);
}

int fence_add(const struct terms *terms, const struct plan *plan, struct error *err)
{
    cleanup(work) struct work work = {
        .terms = terms, .plans = plan, .plan_count = 1, .how = MAPS_TIGHTEN};
    cleanup(free_memory) struct uplink *uplinks = NULL;
    size_t count = 0;

    if (stand_need(err) < 0 || uplinks_of_routes(terms, plan, 1, &uplinks, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (hold(&work, &uplinks[i], err) < 0)
            return -1;
    return 0;
}

/*
 * The plans' guards but those whose links are gone: a pod may have ended since they were made, and what its
 * DEL has had forgotten is none of what there is to do. The caller frees out->guards.
 */
static int leave_out_gone(const struct known_links *links, const struct plan *plans,
                          size_t plan_count, struct plan *out, struct error *err)
{
    size_t room = 1;

    for (size_t i = 0; i < plan_count; i++)
        room += plans[i].guard_count;
    out->guards = calloc(room, sizeof(*out->guards));
    if (out->guards == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++) {
            const struct link_question link = {.index = plans[i].guards[j].index};

            if (links->count == 0 || known_links_find(links, &link) != NULL)
                out->guards[out->guard_count++] = plans[i].guards[j];
        }
    return 0;
}

int fence_sync(const struct terms *terms, const struct plan *plans, size_t plan_count,
               size_t *changes, struct error *err)
{
    cleanup(known_links) struct known_links links = {0};
    cleanup(plan) struct plan there = {0};
    cleanup(work) struct work work = {
        .terms = terms, .plans = &there, .plan_count = 1, .how = MAPS_SET};
    cleanup(free_memory) struct uplink *uplinks = NULL;
    size_t count = 0;
    int result = 0;

    if (stand_need(err) < 0)
        return -1;
    known_links_read(&links);
    if (uplinks_of_node(&links, terms, plans, plan_count, &uplinks, &count, err) < 0 ||
        leave_out_gone(&links, plans, plan_count, &there, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct error failure = {0};

        if (!uplinks[i].wanted || hold(&work, &uplinks[i], &failure) == 0)
            continue;
        if (result == 0)
            *err = failure;
        result = -1;
    }
    *changes = work.changes;
    if (result == 0 && maps_exist(&work.shared))
        result = maps_prune(&work.shared, err);
    return result;
}

/* --- CHECK -------------------------------------------------------------------------------------- */

static void find_fault(struct error *faults, const struct uplink *uplink, const char *what)
{
    if (faults->code == ERROR_NONE)
        error_set(faults, ERROR_GUARD_MISSING,
                  "the exit fence is not whole; sync repairs it, and so does the pod's next ADD");
    error_details(faults, "%s: %s", uplink->name, what);
}

static int check_uplink(const struct terms *terms, const struct plan *plan,
                        const struct uplink *uplink, struct error *faults, struct error *err)
{
    cleanup(stand) struct stand stand = {0};
    size_t wrong = 0;

    if (stand_look(uplink, &stand, err) < 0)
        return -1;
    if (stand.gone)
        return 0;
    if (stand.place == 0)
        find_fault(faults, uplink, "its program is missing");
    else if (stand.place > 1)
        find_fault(faults, uplink, "another program stands before its own");
    else if (!stand_is_right(&stand, uplink))
        find_fault(faults, uplink, "its program is another version's, or there twice");
    if (!maps_exist(&stand.maps))
        return 0;
    if (maps_write(&stand.maps, MAPS_LOOK, terms, plan, 1, &wrong, err) < 0)
        return -1;
    if (wrong > 0)
        find_fault(faults, uplink, "it has not the pod's verdict, or not all endpoints");
    return 0;
}

int fence_check(const struct terms *terms, const struct plan *plan, struct error *err)
{
    cleanup(free_memory) struct uplink *uplinks = NULL;
    struct error faults = {0};
    size_t count = 0;

    if (uplinks_of_routes(terms, plan, 1, &uplinks, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (check_uplink(terms, plan, &uplinks[i], &faults, err) < 0)
            return -1;
    if (faults.code == ERROR_NONE)
        return 0;
    *err = faults;
    return -1;
}

/* --- taking it off, and whether it could be put on ------------------------------------------------ */

int fence_remove(size_t *removed, struct error *err)
{
    const struct terms nowhere = {0};
    cleanup(free_memory) struct uplink *links = NULL;
    size_t total = 0;
    size_t count = 0;

    *removed = 0;
    if (!stand_is_possible())
        return 0;
    if (uplinks_of_node(NULL, &nowhere, NULL, 0, &links, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        cleanup(stand) struct stand stand = {0};

        if (stand_look(&links[i], &stand, err) < 0)
            return -1;
        if (stand_remove(&stand, err) < 0)
            return error_context(err, "exit fence on %s", links[i].name);
        total += stand.count > 0;
    }
    *removed = total;
    return 0;
}

int fence_probe(struct error *why)
{
    cleanup(maps) struct maps maps = {0};
    cleanup(close_fd) int program = -1;
    cleanup(close_fd) int found = -1;

    if (stand_need(why) < 0 || maps_create(VERDICT_DROP, &maps, why) < 0 ||
        program_load(true, &maps, &program, why) < 0)
        return -1;
    found = bpf_open_map(maps.id);
    return found < 0 ? bpf_failed("find a map of the exit fence", why) : 0;
}
