/*
 * The legacy tables (x_tables), through libiptc. Theory of operation:
 *
 *     snapshot (table) ──pure──▶ edits (skeleton, guards) ──▶ table
 *
 * A table is always written whole, and the kernel tells only of some writes by others that a write
 * of ours would undo; so who writes holds the lock from the reading on. To look, none is needed:
 * the kernel hands out a table in one piece. If a look without the lock finds nothing to change,
 * then having taken the lock at that moment would have found the same: while another keeps it, we
 * look before we wait any longer.
 *
 * Each family's table is exchanged as a whole, rules and counters, so that at no moment a packet sees
 * a part of what is edited: neither a chain that does not end yet in the rule for others, nor a guard
 * on its way.
 *
 * Version 0.1.0 had no rule for others, and on nodes with branch ENIs chain IMDS-GUARD-OUT with jumps
 * to it in POSTROUTING. The first apply makes the one and takes the other away, in the same exchange;
 * guards have the same form, so they stay, and their counters. Where both versions run for a while,
 * 0.1.0 takes the rule for others for a foreign one: it leaves it where it is and sets its guards in
 * front of it, so others stay denied; its flush takes it away with the chain. With the next pod that
 * has a branch ENI it makes IMDS-GUARD-OUT again, which the next apply of ours takes away: that is no
 * fault, it only denies once more what the pod's own guard denies. Who goes back to 0.1.0 for good
 * flushes first, or others stay denied.
 */
#include "kernel/backend.h"
#include "kernel/iptables/guards.h"
#include "kernel/iptables/listing.h"
#include "kernel/iptables/skeleton.h"
#include "kernel/iptables/table.h"
#include "kernel/iptables/xtables_lock.h"
#include "kernel/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <time.h>

#define FAMILIES 2

/* Most hold the lock for milliseconds, as we do: to wait for a hundred of them costs less than to
 * look without it, and then again with it. */
#define SOON_MS 100

/* Times that a table may be changed under our hands, by who takes no lock, before we give up. */
#define TRIES 10

/* Pause after the first; each next one is twice as long: half a second in all. */
#define PAUSE_NS 1000000L

/* What is to be brought about, the same in each family. */
struct task {
    int (*edit)(const struct task *task, const struct snapshot *snapshot, struct edits *edits,
                struct error *err);
    bool only_live; /* leaves alone a table that is not live, as there is nothing in it */
    const struct terms *terms;
    const struct wanted *wanted;       /* of apply */
    const struct selection *selection; /* of remove */
};

/* How far it is. */
struct progress {
    bool todo;  /* there is something to do, or was */
    bool again; /* it failed as it does if somebody writes without the lock */
    /* Of each family: guards that are gone, and the chain that could not go. */
    size_t removed[FAMILIES];
    const char *referenced[FAMILIES];
};

/* A table each has its own, which goes from what was to what is wanted at once. IPv6, which a kernel may
 * lack, comes first: what is refused for that finds nothing written. */
static const struct iptables_family *const families[FAMILIES] = {&iptables_ipv6, &iptables_ipv4};

static size_t count_guards(const struct edits *edits)
{
    size_t count = 0;

    for (size_t i = 0; i < edits->count; i++)
        count +=
            edits->items[i].kind == EDIT_DELETE_RULE && edits->items[i].rule.kind == RULE_GUARD;
    return count;
}

/* All of one family, so that only one table of thousands of rules is in memory. Without `write` it is
 * only seen whether there is anything to do. */
static int treat_family(const struct task *task, size_t i, bool write, struct progress *progress,
                        struct error *err)
{
    cleanup(table) struct table table = {0};
    cleanup(edits) struct edits edits = {0};
    bool live = true;

    if (task->only_live && iptables_table_live(families[i], &live, err) < 0)
        return -1;
    if (live && iptables_table_open(families[i], &table, err) < 0)
        return -1;
    if (!table.handle)
        return 0;
    if (task->edit(task, &table.snapshot, &edits, err) < 0)
        return -1;
    if (edits.count == 0)
        return 0;
    progress->todo = true;
    if (!write)
        return 0;
    if (iptables_table_edit(&table, &edits, err) < 0 ||
        iptables_table_commit(&table, &progress->again, err) < 0)
        return -1;
    progress->removed[i] += count_guards(&edits);
    progress->referenced[i] = table.referenced;
    return 0;
}

static int treat_all(const struct task *task, bool write, struct progress *progress,
                     struct error *err)
{
    progress->again = false;
    for (size_t i = 0; i < FAMILIES; i++)
        if (treat_family(task, i, write, progress, err) < 0)
            return -1;
    return 0;
}

/* Whether there can be anything to do: where no table is live, nothing is to be taken out
 * of one. */
static int may_have_work(const struct task *task, bool *out, struct error *err)
{
    bool live = !task->only_live;

    for (size_t i = 0; i < FAMILIES && !live; i++)
        if (iptables_table_live(families[i], &live, err) < 0)
            return -1;
    *out = live;
    return 0;
}

/*
 * Where the lock is free, or soon will be, it is had before the first reading, so that there need
 * be no second one. Where somebody keeps it, a look tells whether it is worth waiting for.
 */
static int lock_for_work(const struct task *task, int *lock, bool *todo, struct error *err)
{
    struct progress seen = {0};
    struct error busy;

    if (may_have_work(task, todo, err) < 0)
        return -1;
    if (!*todo || task->terms->locked || xtables_lock(SOON_MS, lock, &busy) == 0)
        return 0;
    if (treat_all(task, false, &seen, err) < 0)
        return -1;
    *todo = seen.todo;
    return *todo ? xtables_lock(task->terms->lock_timeout_seconds * 1000, lock, err) : 0;
}

/* *progress begins as zeroes. */
static int bring_about(const struct task *task, struct progress *progress, struct error *err)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    cleanup(close_fd) int lock = -1;
    bool todo = false;

    if (lock_for_work(task, &lock, &todo, err) < 0)
        return -1;
    if (!todo)
        return 0;
    for (int tries = 1;; tries++) {
        struct error failure;

        if (treat_all(task, true, progress, &failure) == 0)
            return 0;
        if (!progress->again || tries == TRIES) {
            *err = failure;
            return -1;
        }
        nanosleep(&pause, NULL);
        pause.tv_nsec *= 2;
    }
}

static int edit_to_apply(const struct task *task, const struct snapshot *snapshot,
                         struct edits *edits, struct error *err)
{
    cleanup(listing) struct listing standing = {.present = iptables_skeleton_present(snapshot)};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms terms;

    iptables_guards_others(snapshot, &standing);
    iptables_skeleton_surplus(snapshot, task->terms, &standing);
    if (listing_complete(&standing, err) < 0 ||
        listing_terms(&standing, task->terms, &room, &terms, err) < 0)
        return -1;
    iptables_skeleton_make(snapshot, &terms, edits);
    iptables_guards_set(snapshot, task->wanted, &terms, edits);
    return iptables_edits_complete(edits, err);
}

static int edit_to_remove(const struct task *task, const struct snapshot *snapshot,
                          struct edits *edits, struct error *err)
{
    if (task->selection->everything)
        iptables_skeleton_unmake(snapshot, edits);
    else
        iptables_guards_unset(snapshot, task->selection, edits);
    return iptables_edits_complete(edits, err);
}

static int backend_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
                         struct error *err)
{
    cleanup(wanted) struct wanted wanted = {0};
    const struct task task = {.edit = edit_to_apply, .terms = terms, .wanted = &wanted};
    struct progress progress = {0};

    if (terms->endpoint_count == 0)
        return error_set(err, ERROR_KERNEL, "there is no endpoint to keep anybody from");
    for (size_t i = 0; i < plan_count; i++)
        if (iptables_accept(&plans[i], err) < 0)
            return -1;
    if (wanted_make(plans, plan_count, &wanted, err) < 0)
        return -1;
    return bring_about(&task, &progress, err);
}

/* What is gone of both families counts once. */
static int backend_remove(const struct selection *selection, const struct terms *terms,
                          size_t *removed, struct error *err)
{
    const struct task task = {
        .edit = edit_to_remove, .only_live = true, .terms = terms, .selection = selection};
    struct progress progress = {0};
    size_t most = 0;

    if (bring_about(&task, &progress, err) < 0)
        return -1;
    for (size_t i = 0; i < FAMILIES; i++) {
        most = progress.removed[i] > most ? progress.removed[i] : most;
        if (progress.referenced[i])
            return error_set(err, ERROR_KERNEL,
                             "%s: chain %s of table %s is empty now, but cannot be deleted: a rule "
                             "that is not ours jumps to it; find it with: %s-legacy-save -t %s",
                             families[i]->command, progress.referenced[i], IPTABLES_TABLE,
                             families[i]->command, IPTABLES_TABLE);
    }
    if (removed)
        *removed = most;
    return 0;
}

/* A kernel part that is not there has no list of live tables either. */
static int check_kernel_part(const struct iptables_family *family, struct error *err)
{
    if (!iptables_family_exists(family) || access(family->live, F_OK) == 0)
        return 0;
    return iptables_part_missing(family, err);
}

/* A table that is live can be read without making anything; whoever may have made it. */
static int check_readable(const struct iptables_family *family, struct error *err)
{
    cleanup(table) struct table table = {0};
    bool live;

    if (iptables_table_live(family, &live, err) < 0)
        return -1;
    if (!live)
        return 0;
    return iptables_table_open(family, &table, err);
}

static int backend_probe(const struct terms *terms, struct error *err)
{
    (void)terms;
    /* libiptc talks over a raw socket (raw(7)); the kernel then asks for the other one. */
    if (capability_check(CAP_NET_RAW, "CAP_NET_RAW", err) < 0 ||
        capability_check(CAP_NET_ADMIN, "CAP_NET_ADMIN", err) < 0)
        return -1;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (check_kernel_part(families[i], err) < 0 || check_readable(families[i], err) < 0)
            return -1;
    }
    if (xtables_lock_usable(err) < 0) {
        err->code = ERROR_KERNEL;
        return -1;
    }
    return 0;
}

const struct backend backend_iptables = {
    .name = "iptables",
    .probe = backend_probe,
    .accept = iptables_accept,
    .apply = backend_apply,
    .remove = backend_remove,
    .list = iptables_list,
};
