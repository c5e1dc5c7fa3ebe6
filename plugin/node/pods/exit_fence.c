#include "node/pods/exit_fence.h"

#include "kernel/fence/fence.h"

#include <string.h>

static int tell_unfenced(struct sync_report *report, const struct error *why, struct error *err)
{
    report->unfenced = strdup(why->msg);
    return report->unfenced ? 0 : error_no_memory(err);
}

static void take_off(const struct fence_listing *listing, bool dry_run, struct sync_report *report)
{
    struct error why = {0};
    size_t count = 0;

    for (size_t i = 0; i < listing->uplink_count; i++)
        count += listing->uplinks[i].place > 0;
    if (count == 0)
        return;
    if (!dry_run && fence_remove(&count, &why) < 0) {
        notes_add(&report->notes, NOTE_PROBLEM, "cannot take the exit fence off: %s", why.msg);
        return;
    }
    report->terms_set = true;
    notes_add(&report->notes, NOTE_DONE,
              "%s the exit fence off %zu link%s: the configuration wants none",
              dry_run ? "would take" : "took", count, count == 1 ? "" : "s");
}

/* Its places, or else what it knows. */
static void note_changes(const struct fence_listing *listing, size_t changes, bool dry_run,
                         struct sync_report *report)
{
    for (size_t i = 0; i < listing->uplink_count; i++) {
        const struct fence_uplink *uplink = &listing->uplinks[i];

        if (fence_uplink_is_right(uplink))
            continue;
        report->terms_set = true;
        notes_add(&report->notes, NOTE_DONE, "%s the exit fence first on %s; was: %s",
                  dry_run ? "would put" : "put", uplink->name,
                  uplink->place == 0  ? "not there"
                  : uplink->place > 1 ? "another program before it"
                                      : "another version");
    }
    if (changes == 0 || !fence_stands(listing))
        return;
    report->terms_set = true;
    notes_add(&report->notes, NOTE_DONE,
              "brought the exit fence's endpoints and verdicts up to date: %zu", changes);
}

int exit_fence_sync(const struct config *config, const struct terms *terms,
                    const struct known_links *known, bool dry_run, struct sync_report *report,
                    struct error *err)
{
    cleanup(fence_listing) struct fence_listing listing = {0};
    const bool off = config->exit_fence == EXIT_FENCE_OFF;
    struct error why = {0};
    size_t changes = 0;

    if (fence_list(known, terms, report->plans, report->plan_count, &listing, &why) < 0)
        return off ? 0 : tell_unfenced(report, &why, err);
    if (off) {
        take_off(&listing, dry_run, report);
        return 0;
    }
    report->fenced = fence_is_right(&listing, terms, report->plans, report->plan_count);
    if (report->fenced)
        return 0;
    if (dry_run ? fence_probe(&why) < 0
                : fence_sync(terms, report->plans, report->plan_count, &changes, &why) < 0)
        return tell_unfenced(report, &why, err);
    report->fenced = true;
    note_changes(&listing, changes, dry_run, report);
    return 0;
}
