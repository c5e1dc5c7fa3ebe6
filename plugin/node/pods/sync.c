#include "node/pods/sync.h"

#include "guard/array.h"
#include "kernel/backends.h"
#include "kernel/flock.h"
#include "kernel/links/links.h"
#include "node/pods/exit_fence.h"
#include "node/pods/survey.h"
#include "node/pods/unchained.h"

#include <fcntl.h>
#include <string.h>

#define TURN_PATIENCE_MS 5000

int sync_turn(const char *results_dir)
{
    cleanup(close_fd) int fd = open(results_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && flock_within(fd, TURN_PATIENCE_MS) == 0 ? steal_fd(&fd) : -1;
}

/* Everything one run works on. */
struct sync {
    const struct config *config;
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

/* "eni1a2b3c drop, eni4d5e6f drop", or the names alone. */
static void list_guards(const struct plan *plan, bool verdicts, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < plan->guard_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s", i > 0 ? ", " : "",
                                 plan->guards[i].interface, verdicts ? " " : "",
                                 verdicts ? verdict_name(plan->guards[i].verdict) : "");
}

/* What is not right may be a deletion under way, unless the node is the reason. */
static bool is_left(const struct sync *sync, const struct surveyed *surveyed)
{
    const struct sync_options *options = sync->options;
    const bool anyway = sync->report.terms_set;

    return options->ripe &&
           !options->ripe(options->context, &surveyed->cached->attachment.owner, anyway) && !anyway;
}

static void note_planned(struct sync *sync, struct surveyed *surveyed, const char *label)
{
    char guards[512], interfaces[512];
    enum standing standing;

    if (holdings_have(&sync->survey.holdings, sync->chosen, &surveyed->plan)) {
        sync->report.right++;
        return;
    }
    standing = holdings_plan_standing(&sync->survey.holdings, &surveyed->plan);
    if (standing != STANDING_OPEN && is_left(sync, surveyed)) {
        surveyed->state = ATTACHMENT_LEFT;
        sync->report.left++;
        return;
    }
    sync->report.changed++;
    list_guards(&surveyed->plan, true, guards, sizeof(guards));
    list_guards(&surveyed->plan, false, interfaces, sizeof(interfaces));
    notes_about(&sync->report.notes, NOTE_DONE, label, interfaces, "%s %s: %s (%s); was: %s",
                sync->options->dry_run ? "would guard" : "guarded", label, guards,
                sync->chosen->name,
                standing == STANDING_RIGHT ? "in another form" : standing_text(standing));
}

/* `part`: "all of " if the rest has its guards. */
static void note_failed(struct sync *sync, const struct surveyed *surveyed, const char *label,
                        const char *part)
{
    if (verdict_denies(sync->terms.others) && surveyed->way == WAY_FORWARDED &&
        is_left(sync, surveyed)) {
        sync->report.left++;
        return;
    }
    sync->report.failed++;
    notes_about(&sync->report.notes, NOTE_PROBLEM, label, NULL, "cannot guard %s%s: %s", part,
                label, surveyed->reason);
}

static void note_attachment(struct sync *sync, struct surveyed *surveyed)
{
    static const char *const skipped[] = {
        [ATTACHMENT_REPLACED] = "its interfaces belong to another attachment by now",
        [ATTACHMENT_NO_INTERFACE] = "it has no interface any more",
        [ATTACHMENT_HOST_NETWORK] = "it is in the node's own network namespace",
        [ATTACHMENT_OTHER_NETWORK] = "neither its chain nor its network is this node's pods'",
    };
    char label[ATTACHMENT_LABEL_SIZE];

    attachment_label(&surveyed->cached->attachment, label);
    switch (surveyed->state) {
    case ATTACHMENT_PLANNED:
        if (surveyed->reason)
            note_failed(sync, surveyed, label, "all of ");
        note_planned(sync, surveyed, label);
        break;
    case ATTACHMENT_FAILED:
        note_failed(sync, surveyed, label, "");
        break;
    case ATTACHMENT_GONE:
        break; /* counted with those that the survey has not kept */
    default:
        sync->report.skipped++;
        notes_about(&sync->report.notes, NOTE_SKIPPED, label, NULL, "skipped %s: %s", label,
                    skipped[surveyed->state]);
    }
}

/* Whoever an unread one is about may run, and be open: worse than a file that is none of libcni's. */
static void note_file(struct sync *sync, const struct cache_skipped *skipped)
{
    const bool new_node = skipped->directory && sync->options->new_node;

    sync->report.failed += skipped->unread && !new_node;
    notes_add(&sync->report.notes, new_node ? NOTE_SKIPPED : NOTE_PROBLEM, "%s: %s",
              new_node             ? "no pod to guard yet"
              : skipped->directory ? "who runs is not known"
              : skipped->unread    ? "cannot guard the pod of a cached result"
                                   : "skipped a cached result",
              skipped->reason);
}

static void note_all(struct sync *sync)
{
    const struct cache *cache = &sync->survey.cache;
    size_t gone = cache->dropped_count;

    for (size_t i = 0; i < sync->survey.count; i++) {
        gone += sync->survey.attachments[i].state == ATTACHMENT_GONE;
        note_attachment(sync, &sync->survey.attachments[i]);
    }
    for (size_t i = 0; i < cache->skipped_count; i++)
        note_file(sync, &cache->skipped[i]);
    sync->report.skipped += gone;
    if (gone > 0) /* There may be thousands: one line. */
        notes_add(&sync->report.notes, NOTE_SKIPPED,
                  "skipped %zu cached result%s whose network namespace is gone", gone,
                  gone == 1 ? "" : "s");
}

/* Who lets others pass needs no rule for them. */
bool sync_terms_are_right(const struct holdings *holdings, const struct backend *chosen,
                          const struct terms *terms)
{
    if (!verdict_denies(terms->others) && !holdings_present(holdings))
        return true;
    return holdings_have_terms(holdings, chosen, terms);
}

static void note_chosen(struct sync *sync, const struct listing *listing)
{
    const bool dry_run = sync->options->dry_run;
    struct notes *notes = &sync->report.notes;
    char text[ENDPOINT_TEXT_SIZE];

    if (listing->former)
        notes_add(
            notes, NOTE_DONE,
            "%s what version 0.1.0 has made (%s); if that comes again, its agent still runs here",
            dry_run ? "would take over" : "took over", sync->chosen->name);
    for (size_t i = 0; i < listing->surplus_count; i++) {
        endpoint_text(&listing->surplus[i], text);
        notes_add(notes, NOTE_DONE,
                  "%s %s from the endpoints (%s): the configuration does not name it",
                  dry_run ? "would take" : "took", text, sync->chosen->name);
    }
    for (size_t i = 0; i < listing->fault_count; i++)
        notes_add(notes, NOTE_DONE, "%s %s; was: %s", dry_run ? "would repair" : "repaired",
                  sync->chosen->name, listing->faults[i]);
}

/* What is done beside setting guards, and what is not known of a backend. */
static void note_terms(struct sync *sync)
{
    const struct holdings *holdings = &sync->survey.holdings;
    const enum verdict was = holdings_others(holdings);
    struct notes *notes = &sync->report.notes;

    sync->report.terms_set = !sync_terms_are_right(holdings, sync->chosen, &sync->terms);
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (holdings->items[i].unread) {
            sync->report.unread = true;
            notes_add(notes, NOTE_PROBLEM, "cannot tell what rules there are: %s",
                      holdings->items[i].unread);
        }
    if (sync->report.terms_set && was != sync->terms.others)
        notes_add(notes, NOTE_DONE,
                  "%s the verdict for interfaces without a guard: %s (%s); was: %s",
                  sync->options->dry_run ? "would set" : "set", verdict_name(sync->terms.others),
                  sync->chosen->name, verdict_name(was));
    for (size_t i = 0; i < BACKEND_COUNT && sync->report.terms_set; i++) {
        const struct holding *holding = &holdings->items[i];

        if (holding->backend == sync->chosen)
            note_chosen(sync, &holding->listing);
        else if (holding->listing.present)
            notes_add(notes, NOTE_DONE, "%s all rules from %s to %s",
                      sync->options->dry_run ? "would move" : "moved", holding->backend->name,
                      sync->chosen->name);
    }
}

/*
 * All that is not right goes down in one go, and nothing else: what was right and has gone since was
 * a DEL's to lift.
 */
static int apply(struct sync *sync, struct error *err)
{
    cleanup(free_memory) struct plan *plans = NULL;
    size_t count = 0, wrong = 0;

    if (survey_plans(&sync->survey, &plans, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!holdings_have(&sync->survey.holdings, sync->chosen, &plans[i]))
            plans[wrong++] = plans[i];
    return guards_apply_as(sync->config, &sync->chosen, plans, wrong, &sync->terms,
                           &sync->survey.holdings, err);
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
        struct error why;

        if (surveyed->state == ATTACHMENT_PLANNED &&
            sync->chosen->accept(&surveyed->plan, &why) < 0 && survey_fail(surveyed, &why, err) < 0)
            return -1;
    }
    return 0;
}

/*
 * Whether its pod is none that lives, and nothing can come in through its interface. The kernel is
 * asked at the last moment: an ADD may just have made it.
 */
static bool is_leftover(const struct held *held, const void *survey)
{
    const struct surveyed *owner = survey_find(survey, held->tag);
    const bool lives = owner && owner->state != ATTACHMENT_GONE &&
                       owner->state != ATTACHMENT_NO_INTERFACE &&
                       owner->state != ATTACHMENT_HOST_NETWORK;

    return !lives && !link_exists(held->guard.interface);
}

static int remove_leftovers(struct sync *sync, struct error *err)
{
    const struct selection leftovers = {.goes = is_leftover, .context = &sync->survey};
    size_t removed = 0;

    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct listing *listing = &sync->survey.holdings.items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            removed += tag_guards(listing->held[j].tag) > 0 &&
                       is_leftover(&listing->held[j], &sync->survey);
    }
    if (removed > 0 && !sync->options->dry_run &&
        guards_remove(&leftovers, &sync->terms, &removed, err) < 0)
        return -1;
    sync->report.removed = removed;
    if (removed > 0)
        notes_add(&sync->report.notes, NOTE_DONE, "%s %zu guard%s whose pod and interface are gone",
                  sync->options->dry_run ? "would remove" : "removed", removed,
                  removed == 1 ? "" : "s");
    return 0;
}

/* The plans that are in force change hands. */
static int hand_over_plans(struct sync *sync, struct error *err)
{
    struct sync_report *report = &sync->report;

    report->chosen = sync->chosen;
    for (size_t i = 0; i < sync->survey.count; i++) {
        struct surveyed *surveyed = &sync->survey.attachments[i];
        struct plan *added;

        if (surveyed->state != ATTACHMENT_PLANNED && surveyed->state != ATTACHMENT_LEFT)
            continue;
        added = array_add(&report->plans, &report->plan_count);
        if (!added)
            return error_no_memory(err);
        *added = steal(&surveyed->plan);
    }
    return 0;
}

int sync_run(const struct settings *settings, const struct sync_options *options,
             struct sync_report *out, struct error *err)
{
    cleanup(sync) struct sync sync = {
        .config = &settings->config,
        .options = options,
        .terms = settings_terms(settings),
        .chosen = backend_choose(&settings->config),
    };

    if (survey_take(settings, options->results_dir, &sync.survey, err) < 0 ||
        set_refused_aside(&sync, err) < 0)
        return -1;
    note_terms(&sync);
    note_all(&sync);
    note_drop_in_unread(settings, &sync.survey.cache, &sync.report.notes);
    if (!options->dry_run && (sync.report.changed > 0 || sync.report.terms_set) &&
        apply(&sync, err) < 0)
        return -1;
    if (remove_leftovers(&sync, err) < 0 || hand_over_plans(&sync, err) < 0 ||
        exit_fence_sync(sync.config, &sync.terms, &sync.survey.links, options->dry_run,
                        &sync.report, err) < 0 ||
        notes_complete(&sync.report.notes, err) < 0)
        return -1;
    *out = steal(&sync.report);
    return 0;
}

int sync_restore(const struct settings *settings, const struct sync_report *known,
                 struct error *err)
{
    static const struct holdings nothing;
    const struct terms terms = settings_terms(settings);

    return guards_apply(known->chosen, known->plans, known->plan_count, &terms, &nothing, err);
}

void sync_report_free(struct sync_report *report)
{
    for (size_t i = 0; i < report->plan_count; i++)
        plan_free(&report->plans[i]);
    free(report->plans);
    free(report->unfenced);
    notes_free(&report->notes);
    *report = (struct sync_report){0};
}
