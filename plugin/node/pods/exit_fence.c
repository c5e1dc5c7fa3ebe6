#include "node/pods/exit_fence.h"

#include "kernel/fence/fence.h"

#include <string.h>

/* One run's part of it. */
struct fencing {
    const struct terms *terms;
    bool dry_run;
    struct sync_report *report;
};

static int tell_unfenced(struct fencing *fencing, const struct error *why, struct error *err)
{
    fencing->report->unfenced = strdup(why->msg);
    return fencing->report->unfenced ? 0 : error_no_memory(err);
}

static int note_removed(struct fencing *fencing, size_t count, struct error *err)
{
    fencing->report->terms_set = true;
    return notes_add(&fencing->report->notes, err, NOTE_DONE,
                     "%s the exit fence off %zu link%s: the configuration wants none",
                     fencing->dry_run ? "would take" : "took", count, count == 1 ? "" : "s");
}

static size_t count_standing(const struct fence_listing *listing)
{
    size_t count = 0;

    for (size_t i = 0; i < listing->uplink_count; i++)
        count += listing->uplinks[i].place > 0;
    return count;
}

static int take_off(struct fencing *fencing, const struct fence_listing *listing, struct error *err)
{
    size_t count = count_standing(listing);
    struct error why = {0};

    if (count == 0)
        return 0;
    if (!fencing->dry_run && fence_remove(&count, &why) < 0)
        return notes_add(&fencing->report->notes, err, NOTE_PROBLEM,
                         "cannot take the exit fence off: %s", why.msg);
    return note_removed(fencing, count, err);
}

static const char *what_was(const struct fence_uplink *uplink)
{
    if (uplink->place == 0)
        return "not there";
    return uplink->place > 1 ? "another program before it" : "another version";
}

static int note_uplinks(struct fencing *fencing, const struct fence_listing *listing,
                        struct error *err)
{
    for (size_t i = 0; i < listing->uplink_count; i++) {
        const struct fence_uplink *uplink = &listing->uplinks[i];

        if (fence_uplink_is_right(uplink))
            continue;
        fencing->report->terms_set = true;
        if (notes_add(&fencing->report->notes, err, NOTE_DONE,
                      "%s the exit fence first on %s; was: %s",
                      fencing->dry_run ? "would put" : "put", uplink->name, what_was(uplink)) < 0)
            return -1;
    }
    return 0;
}

/* Beside its places: what it knows. */
static int note_contents(struct fencing *fencing, const struct fence_listing *listing,
                         size_t changes, struct error *err)
{
    if (changes == 0 || !fence_stands(listing))
        return 0;
    fencing->report->terms_set = true;
    return notes_add(&fencing->report->notes, err, NOTE_DONE,
                     "brought the exit fence's endpoints and verdicts up to date: %zu", changes);
}

static int put_up(struct fencing *fencing, const struct fence_listing *listing, struct error *err)
{
    struct sync_report *report = fencing->report;
    struct error why = {0};
    size_t changes = 0;

    if (fencing->dry_run
            ? fence_probe(&why) < 0
            : fence_sync(fencing->terms, report->plans, report->plan_count, &changes, &why) < 0)
        return tell_unfenced(fencing, &why, err);
    report->fenced = true;
    return note_uplinks(fencing, listing, err) < 0 ? -1
                                                   : note_contents(fencing, listing, changes, err);
}

int exit_fence_sync(const struct config *config, const struct terms *terms, bool dry_run,
                    struct sync_report *report, struct error *err)
{
    cleanup(fence_listing) struct fence_listing listing = {0};
    struct fencing fencing = {.terms = terms, .dry_run = dry_run, .report = report};
    struct error why = {0};

    if (fence_list(terms, report->plans, report->plan_count, &listing, &why) < 0)
        return config->exit_fence == EXIT_FENCE_OFF ? 0 : tell_unfenced(&fencing, &why, err);
    return config->exit_fence == EXIT_FENCE_OFF ? take_off(&fencing, &listing, err)
                                                : put_up(&fencing, &listing, err);
}
