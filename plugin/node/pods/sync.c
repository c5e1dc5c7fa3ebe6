#include "node/pods/sync.h"

#include "kernel/backends.h"
#include "node/pods/leftovers.h"
#include "node/pods/survey.h"

#include <string.h>

/* Everything one run works on. */
struct sync {
    const struct settings *settings;
    const struct sync_options *options;
    struct terms terms;
    const struct backend *chosen;
    struct survey survey;
    struct sync_report report;
};

static void cleanup_sync(struct sync *sync)
{
    survey_free(&sync->survey);
    sync_report_free(&sync->report);
}

/* "eni1a2b3c in drop, vlan.eth.7 out drop" */
static void list_guards(const struct plan *plan, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < plan->guard_count && used < size; i++)
        used += (size_t)snprintf(
            out + used, size - used, "%s%s %s %s", i > 0 ? ", " : "", plan->guards[i].interface,
            direction_name(plan->guards[i].direction), verdict_name(plan->guards[i].verdict));
}

static enum standing worst_standing(const struct survey *survey, const struct plan *plan)
{
    enum standing worst = STANDING_RIGHT;

    for (size_t i = 0; i < plan->guard_count; i++) {
        enum standing standing = holdings_standing(&survey->holdings, plan->tag, &plan->guards[i]);

        if (standing < worst)
            worst = standing;
    }
    return worst;
}

static int note_planned(struct sync *sync, const struct surveyed *surveyed, struct error *err)
{
    const char *was = standing_text(worst_standing(&sync->survey, &surveyed->plan));
    char label[ATTACHMENT_LABEL_SIZE], guards[512];

    if (holdings_have(&sync->survey.holdings, sync->chosen, &surveyed->plan)) {
        sync->report.right++;
        return 0;
    }
    sync->report.changed++;
    attachment_label(&surveyed->cached->attachment, label);
    list_guards(&surveyed->plan, guards, sizeof(guards));
    return notes_add(&sync->report.notes, err, NOTE_DONE, "%s %s: %s (%s); was: %s",
                     sync->options->dry_run ? "would guard" : "guarded", label, guards,
                     sync->chosen->name, was ? was : "in another form");
}

/* `part`: "all of " if the rest has its guards. */
static int note_failed(struct sync *sync, const struct surveyed *surveyed, const char *part,
                       struct error *err)
{
    char label[ATTACHMENT_LABEL_SIZE];

    attachment_label(&surveyed->cached->attachment, label);
    sync->report.failed++;
    return notes_add(&sync->report.notes, err, NOTE_PROBLEM, "cannot guard %s%s: %s", part, label,
                     surveyed->reason);
}

static int note_skipped(struct sync *sync, const struct surveyed *surveyed, const char *why,
                        struct error *err)
{
    char label[ATTACHMENT_LABEL_SIZE];

    attachment_label(&surveyed->cached->attachment, label);
    sync->report.skipped++;
    return notes_add(&sync->report.notes, err, NOTE_SKIPPED, "skipped %s: %s", label, why);
}

static int note_attachment(struct sync *sync, const struct surveyed *surveyed, struct error *err)
{
    switch (surveyed->state) {
    case ATTACHMENT_PLANNED:
        if (surveyed->reason && note_failed(sync, surveyed, "all of ", err) < 0)
            return -1;
        return note_planned(sync, surveyed, err);
    case ATTACHMENT_FAILED:
        return note_failed(sync, surveyed, "", err);
    case ATTACHMENT_REPLACED:
        return note_skipped(sync, surveyed, "its interfaces belong to another attachment by now",
                            err);
    case ATTACHMENT_GONE:
        return note_skipped(sync, surveyed, "its network namespace is gone", err);
    case ATTACHMENT_HOST_NETWORK:
        return note_skipped(sync, surveyed, "it is in the node's own network namespace", err);
    case ATTACHMENT_OTHER_NETWORK:
        return note_skipped(sync, surveyed, "it is of another network than the conflist's", err);
    }
    return 0;
}

/* Whoever an unread one is about may run, and be open: worse than a file that is none of libcni's. */
static int note_file(struct sync *sync, const struct cache_skipped *skipped, struct error *err)
{
    sync->report.failed += skipped->unread;
    return notes_add(&sync->report.notes, err, NOTE_PROBLEM, "%s a cached result: %s",
                     skipped->unread ? "cannot guard the pod of" : "skipped", skipped->reason);
}

static int note_all(struct sync *sync, struct error *err)
{
    const struct cache *cache = &sync->survey.cache;

    for (size_t i = 0; i < sync->survey.count; i++)
        if (note_attachment(sync, &sync->survey.attachments[i], err) < 0)
            return -1;
    for (size_t i = 0; i < cache->skipped_count; i++)
        if (note_file(sync, &cache->skipped[i], err) < 0)
            return -1;
    return 0;
}

/* What the backend in use keeps pods from beyond the configuration's endpoints. */
static const struct listing *surplus(const struct sync *sync)
{
    static const struct listing none = {0};

    for (size_t i = 0; i < sync->survey.holdings.count; i++) {
        const struct holding *holding = &sync->survey.holdings.items[i];

        if (holding->backend == sync->chosen && holding->listing.held_count > 0)
            return &holding->listing;
    }
    return &none;
}

/*
 * Whether the surplus may go: all guards are of attachments that this configuration is for, one
 * network's, and its only entry of ours. A guard that comes later is not among the tags that have
 * agreed, so apply minds it.
 */
static bool surplus_goes(const struct sync *sync)
{
    const struct tags *tags = &sync->survey.holdings.tags;
    struct tag tag;

    if (surplus(sync)->surplus_count == 0 || !sync->settings->sole)
        return false;
    for (size_t i = 0; i < tags->count; i++)
        if (!tag_parse(tags->items[i], &tag) || strcmp(tag.network, sync->settings->network) != 0)
            return false;
    return true;
}

static int note_surplus(struct sync *sync, bool goes, struct error *err)
{
    const struct listing *listing = surplus(sync);
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < listing->surplus_count; i++) {
        endpoint_text(&listing->surplus[i], text);
        if (goes &&
            notes_add(&sync->report.notes, err, NOTE_DONE,
                      "%s %s from the endpoints (%s): the configuration does not name it",
                      sync->options->dry_run ? "would take" : "took", text, sync->chosen->name) < 0)
            return -1;
        if (!goes && notes_add(&sync->report.notes, err, NOTE_SKIPPED,
                               "left %s among the endpoints (%s): another network's attachments, "
                               "or a second entry, may want it",
                               text, sync->chosen->name) < 0)
            return -1;
    }
    return 0;
}

/*
 * All that is not right goes down in one go, and nothing else: what was right and has gone since was
 * a DEL's to lift. What has come since the survey is an ADD's, and stays: it knows better than the
 * survey whose interface that is.
 */
static int apply(const struct sync *sync, bool surplus_too, struct error *err)
{
    cleanup(free_memory) struct plan *plans = calloc(sync->survey.count + 1, sizeof(*plans));
    const struct tags *tags = &sync->survey.holdings.tags;
    struct terms terms = sync->terms;
    bool first = false; /* of no interest: what sync has made stays, whatever else fails */
    size_t count = 0;

    if (!plans)
        return error_no_memory(err);
    if (surplus_too)
        terms.agreed = tags;
    for (size_t i = 0; i < sync->survey.count; i++) {
        const struct surveyed *surveyed = &sync->survey.attachments[i];

        if (surveyed->state != ATTACHMENT_PLANNED ||
            holdings_have(&sync->survey.holdings, sync->chosen, &surveyed->plan))
            continue;
        plans[count] = surveyed->plan; /* borrowed */
        plans[count++].rivals = tags;
    }
    return guards_apply(sync->chosen, plans, count, &terms, &first, err);
}

/*
 * A plan that the backend refuses would fail the apply for all. The attachment keeps what it has, in
 * whichever backend: taking its other guards over would lift one that stands elsewhere for the name
 * that is refused here.
 */
static int set_refused_aside(struct sync *sync, struct error *err)
{
    for (size_t i = 0; i < sync->survey.count; i++) {
        struct surveyed *surveyed = &sync->survey.attachments[i];
        struct error why = {0};

        if (surveyed->state == ATTACHMENT_PLANNED &&
            sync->chosen->accept(&surveyed->plan, &why) < 0 && survey_fail(surveyed, &why, err) < 0)
            return -1;
    }
    return 0;
}

static int remove_leftovers(struct sync *sync, struct error *err)
{
    if (leftovers_remove(&sync->survey, sync->options, &sync->terms, &sync->report.removed, err) <
        0)
        return -1;
    if (sync->report.removed == 0)
        return 0;
    return notes_add(&sync->report.notes, err, NOTE_DONE,
                     "%s %zu guard%s whose pod and interface are gone",
                     sync->options->dry_run ? "would remove" : "removed", sync->report.removed,
                     sync->report.removed == 1 ? "" : "s");
}

/* The plans that are in force change hands. */
static int hand_over_plans(struct sync *sync, struct error *err)
{
    static const struct tags nobody;
    struct sync_report *report = &sync->report;

    report->chosen = sync->chosen;
    report->plans = calloc(sync->survey.count + 1, sizeof(*report->plans));
    if (!report->plans)
        return error_no_memory(err);
    for (size_t i = 0; i < sync->survey.count; i++) {
        struct surveyed *surveyed = &sync->survey.attachments[i];

        if (surveyed->state != ATTACHMENT_PLANNED)
            continue;
        report->plans[report->plan_count] = surveyed->plan;
        report->plans[report->plan_count++].rivals = &nobody;
        surveyed->plan = (struct plan){0};
    }
    return 0;
}

int sync_run(const struct settings *settings, const struct sync_options *options,
             struct sync_report *out, struct error *err)
{
    cleanup(sync) struct sync sync = {
        .settings = settings,
        .options = options,
        .terms = settings_terms(settings),
        .chosen = backend_choose(settings->config.backend),
    };
    bool goes;

    if (survey_take(settings, options->results_dir, &sync.survey, err) < 0 ||
        set_refused_aside(&sync, err) < 0 || note_all(&sync, err) < 0)
        return -1;
    goes = surplus_goes(&sync);
    if (note_surplus(&sync, goes, err) < 0)
        return -1;
    if (!options->dry_run && (sync.report.changed > 0 || goes) && apply(&sync, goes, err) < 0)
        return -1;
    if (remove_leftovers(&sync, err) < 0 || hand_over_plans(&sync, err) < 0)
        return -1;
    *out = sync.report;
    sync.report = (struct sync_report){0};
    return 0;
}

int sync_restore(const struct settings *settings, const struct sync_report *known,
                 struct error *err)
{
    const struct terms terms = settings_terms(settings);
    bool first;

    return guards_apply(known->chosen, known->plans, known->plan_count, &terms, &first, err);
}

void sync_report_free(struct sync_report *report)
{
    for (size_t i = 0; i < report->plan_count; i++)
        plan_free(&report->plans[i]);
    free(report->plans);
    notes_free(&report->notes);
    *report = (struct sync_report){0};
}
