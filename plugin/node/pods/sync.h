/*
 * Brings the guards of all running pods in line with the configuration: what the command `sync`
 * does once and `watch` repeats.
 */
#ifndef IMDS_GUARD_PODS_SYNC_H
#define IMDS_GUARD_PODS_SYNC_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/owner.h"
#include "kernel/holdings.h"
#include "node/chain/settings.h"
#include "node/notes.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One sync at a time, from the reading of the configuration on: who has read it before it was changed
 * must not put it in force after who has read it since. Waits until no other sync is at work: a lock on
 * the results directory (flock(2)), which closing the descriptor lets go. Not for ever: -1, after some
 * seconds or where there is no such directory, is to go on all the same, for order is not worth a node
 * that nobody syncs.
 */
int sync_turn(const char *results_dir);

struct sync_options {
    const char *results_dir;
    bool new_node; /* where there is no such directory, no pod has started yet */
    bool dry_run;  /* changes nothing; the report says what would be done */
    /*
     * Asked of each attachment that is not as it should be, or cannot be guarded, as far as nothing
     * of it is open: false leaves it for now, and it is not in the notes; but not `anyway`, where
     * the node itself is not as it should be. NULL: nobody is left.
     */
    bool (*ripe)(void *context, const struct owner *owner, bool anyway);
    void *context;
};

struct sync_report {
    struct notes notes;
    size_t right;   /* attachments that needed nothing */
    size_t changed; /* attachments whose guards were set */
    size_t failed;  /* attachments that cannot be guarded; if in part, they count above, too;
                     * cached results that cannot be read */
    size_t left;    /* attachments that were left as they are (sync_options.ripe) */
    size_t removed; /* guards without attachment and interface */
    size_t skipped; /* attachments that are gone, replaced, of the host or of another network */
    bool terms_set; /* what holds for all of the node was not as configured */
    bool unread;    /* a backend cannot be read: what it holds is not known */
    bool fenced;    /* the exit fence stands */
    char *unfenced; /* why it does not, or not everywhere; NULL: it does, or shall not */
    /* What stands now, and where: for sync_restore. */
    const struct backend *chosen;
    struct plan *plans;
    size_t plan_count;
};

/*
 * Plans every attachment as ADD would, applies all plans at once with the verdict for others and
 * the endpoints, exactly as they are configured, and then removes guards whose attachment and whose
 * interface are both gone. Writes nothing if everything is right. An attachment that cannot be
 * guarded, or not in all its parts, a plan that the backend refuses, or a cached result that cannot
 * be read is in the report and keeps no other from its guard. So is why the exit fence
 * does not stand. Errors: what survey_take, apply and
 * remove say. The report is for sync_report_free.
 */
must_use int sync_run(const struct settings *settings, const struct sync_options *options,
                      struct sync_report *out, struct error *err);
void sync_report_free(struct sync_report *report);

/* Whether nothing is to be written but guards. */
bool sync_terms_are_right(const struct holdings *holdings, const struct backend *chosen,
                          const struct terms *terms);

/*
 * Makes what stood after a run stand again, in one go and without another look at the pods: for
 * whoever knows that it is not in force any more, flushed or damaged, and that nothing but rules has
 * changed. Takes nothing over from anybody: what is there by now is an ADD's. Errors: what apply says.
 */
must_use int sync_restore(const struct settings *settings, const struct sync_report *known,
                          struct error *err);

CLEANUP_FREE(sync_report);

#endif
