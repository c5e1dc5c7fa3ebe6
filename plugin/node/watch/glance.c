#include "guard/array.h"
#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "node/pods/cache.h"
#include "node/pods/survey.h"
#include "node/watch/state.h"

#include <inttypes.h>
#include <string.h>

#define METRICS_LAG_MS 5000 /* until a pod that has come or gone is in the metrics */

static void name_file(const char *tag, char out[static CACHE_FILE_SIZE])
{
    struct tag parsed;

    out[0] = '\0';
    if (tag_parse(tag, &parsed))
        cache_file_name(&parsed.owner, out);
}

/* It has ended, or comes again. */
static void forget_pod(struct sync_report *known, const char *file)
{
    for (size_t i = 0; i < known->plan_count; i++) {
        char name[CACHE_FILE_SIZE];

        name_file(known->plans[i].tag, name);
        if (strcmp(name, file) != 0)
            continue;
        plan_free(&known->plans[i]);
        known->plan_count--;
        memmove(&known->plans[i], &known->plans[i + 1],
                (known->plan_count - i) * sizeof(*known->plans));
        return;
    }
}

/* False if it is for a look at everything to say what this is. */
static bool take_pod(struct sync_report *known, struct surveyed *surveyed)
{
    struct plan *added;

    switch (surveyed->state) {
    case ATTACHMENT_OTHER_NETWORK:
    case ATTACHMENT_HOST_NETWORK:
        return true;
    case ATTACHMENT_PLANNED:
        added = surveyed->reason ? NULL : array_add(&known->plans, &known->plan_count);
        if (added)
            *added = steal(&surveyed->plan);
        return added;
    default:
        return false;
    }
}

static void look_at_file(struct watch *watch, const char *file)
{
    struct sync_report *known = &watch->known.report;
    cleanup(survey) struct survey survey = {0};
    struct error ignored;

    doubts_settle(&watch->doubts, file);
    forget_pod(known, file);
    if (survey_one(&watch->known.settings, watch->options->results_dir, file, &survey, &ignored) <
            0 ||
        survey.cache.skipped_count > 0 ||
        (survey.count > 0 && !take_pod(known, &survey.attachments[0])))
        doubts_add(&watch->doubts, file, clock_now());
}

/* Also one whose file has just been written: it may be on its way out already. */
static void look_at_plan(struct watch *watch, const struct holdings *holdings,
                         const struct plan *plan)
{
    const bool right = holdings_have(holdings, watch->known.report.chosen, plan);
    char file[CACHE_FILE_SIZE];

    if (right && watch->doubts.count == 0)
        return;
    name_file(plan->tag, file);
    if (right)
        doubts_settle(&watch->doubts, file);
    else if (holdings_plan_standing(holdings, plan) == STANDING_OPEN)
        doubts_press(&watch->doubts, file, clock_now());
    else
        doubts_add(&watch->doubts, file, clock_now());
}

static void tell_hit(void *context, const char *tag, const struct guard *guard, uint64_t packets)
{
    const struct watch *watch = context;
    const char *verdict = verdict_name(guard->verdict);
    struct tag parsed;

    if (tag_parse(tag, &parsed))
        log_done(&watch->log, "counted", parsed.pod, guard->interface,
                 "%s asks for the instance metadata service: %s %s, %" PRIu64 " packets",
                 parsed.pod, guard->interface, verdict, packets);
    else
        log_done(&watch->log, "counted", NULL, NULL,
                 "somebody without a guard asks for the instance metadata service: %s, %" PRIu64
                 " packets",
                 verdict, packets);
}

/* Then nobody is kept from anything, and what is known is put back before a look at all pods. */
static void note_loss(struct watch *watch, const struct holdings *holdings,
                      const struct terms *terms)
{
    const struct sync_report *known = &watch->known.report;
    const struct listing *listing = holdings_of(holdings, known->chosen);

    watch->lost =
        (verdict_denies(terms->others) || known->plan_count > 0) && !holdings_in_force(holdings);
    snprintf(watch->was, sizeof(watch->was), "%s",
             listing->fault_count > 0 ? listing->faults[0] : "");
}

void glance(struct watch *watch)
{
    const struct terms terms = settings_terms(&watch->known.settings);
    const struct backend *chosen = watch->known.report.chosen;
    cleanup(holdings) struct holdings holdings = {0};
    const enum cause cause = watch->glance;
    const int64_t began = clock_now();
    int64_t rest = 0;
    struct error ignored;

    watch->glance = CAUSE_NONE;
    watch->doubtful = cause;
    if (watch->files.count > 0)
        metrics_due(watch, METRICS_LAG_MS);
    for (size_t i = 0; i < watch->files.count; i++)
        look_at_file(watch, watch->files.items[i]);
    names_free(&watch->files);
    if (!chosen || holdings_gather(&terms, &holdings, &ignored) < 0) {
        make_due(&watch->guards.cause, cause);
        return;
    }
    note_loss(watch, &holdings, &terms);
    if (watch->lost || !sync_terms_are_right(&holdings, chosen, &terms))
        make_due(&watch->guards.cause, cause);
    else
        for (size_t i = 0; i < watch->known.report.plan_count; i++)
            look_at_plan(watch, &holdings, &watch->known.report.plans[i]);
    if (doubts_next(&watch->doubts, INT64_MAX) <= clock_now())
        make_due(&watch->guards.cause, cause);
    if (!watch->lost)
        hits_look(&watch->hits, &holdings, time(NULL), tell_hit, watch);
    rest = PACE_GLANCE_REST * (clock_now() - began) + PACE_LOOK_PAUSE;
    watch->not_before = clock_now() + (rest < PACE_GLANCE_MAX ? rest : PACE_GLANCE_MAX);
}
