#include "node/status/status.h"

#include "kernel/links/links.h"
#include "kernel/wanted.h"
#include "node/pods/in_force.h"
#include "node/pods/survey.h"
#include "node/pods/unchained.h"
#include "node/status/row.h"

#include <string.h>

/* What is collected from. */
struct source {
    struct settings settings; /* nothing in it, if there is no usable configuration */
    struct survey survey;
};

static void cleanup_source(struct source *source)
{
    survey_free(&source->survey);
    settings_free(&source->settings);
}

static void add_error(struct status *status, const char *before, const struct error *why)
{
    notes_add(&status->problems, NOTE_PROBLEM, "%s%s%s%s", before, why->msg,
              why->details[0] != '\0' ? "; " : "", why->details);
}

static enum status_state state_of(enum standing standing)
{
    static const enum status_state states[] = {
        [STANDING_OPEN] = STATUS_STATE_OPEN,         [STANDING_TOO_STRICT] = STATUS_STATE_WRONG,
        [STANDING_OTHER_WAY] = STATUS_STATE_WRONG,   [STANDING_MISSING] = STATUS_STATE_UNGUARDED,
        [STANDING_PARTIAL] = STATUS_STATE_UNGUARDED, [STANDING_OTHER_OWNER] = STATUS_STATE_GUARDED,
        [STANDING_RIGHT] = STATUS_STATE_GUARDED,
    };

    return states[standing];
}

/* Whose packets, or part of them, no guard can stop. */
static int judge_unplanned(const struct status *status, const struct source *source,
                           const struct surveyed *surveyed, struct status_row *row,
                           struct error *err)
{
    const struct config *config = &source->settings.config;
    const bool stopped =
        verdict_denies(holdings_others(&source->survey.holdings)) &&
        (surveyed->way == WAY_FORWARDED ||
         (surveyed->way == WAY_UPLINK && status_fence_knows_sockets(&status->fence)));
    const bool open = config->mode == MODE_ENFORCE && !stopped &&
                      !pod_is_exempt(&surveyed->cached->attachment.pod, config);
    const char *held = surveyed->way == WAY_FORWARDED ? "as good as the verdict for others: "
                                                      : "the exit fence alone stops it: ";
    char text[640];

    snprintf(text, sizeof(text), "%s%s", open ? "" : held, surveyed->reason);
    return status_row_judge(row, open ? STATUS_STATE_OPEN : STATUS_STATE_UNGUARDED, text, err);
}

static int judge(struct status *status, const struct source *source,
                 const struct surveyed *surveyed, struct status_row *row, struct error *err)
{
    enum standing standing = holdings_plan_standing(&source->survey.holdings, &surveyed->plan);
    const char *text = standing_text(standing);

    status->complete = status->complete && !surveyed->unseen;
    if (surveyed->state == ATTACHMENT_NO_INTERFACE)
        return status_row_judge(row, STATUS_STATE_DETACHED, "it has no interface any more", err);
    if (surveyed->reason && standing_is_in_force(standing))
        return judge_unplanned(status, source, surveyed, row, err);
    return status_row_judge(row, state_of(standing), text ? text : "", err);
}

static int add_attachments(struct status *status, const struct source *source, struct error *err)
{
    for (size_t i = 0; i < source->survey.count; i++) {
        const struct surveyed *surveyed = &source->survey.attachments[i];
        const struct attachment *attachment = &surveyed->cached->attachment;
        struct status_row *row = status_row_last(status, &attachment->owner);
        const bool bad = row && row->state >= STATUS_STATE_UNGUARDED;

        if (surveyed->state != ATTACHMENT_PLANNED && surveyed->state != ATTACHMENT_FAILED &&
            surveyed->state != ATTACHMENT_NO_INTERFACE)
            continue;
        if (!row && status_row_add(status, &attachment->owner, attachment->pod.namespace,
                                   attachment->pod.name, &row, err) < 0)
            return -1;
        row->unchained = row->unchained || started_unchained(&source->settings, surveyed->cached);
        for (size_t j = 0; j < surveyed->plan.guard_count; j++)
            if (status_row_add_wanted(row, &source->survey.holdings, &surveyed->plan.guards[j],
                                      err) < 0)
                return -1;
        if (!bad && judge(status, source, surveyed, row, err) < 0)
            return -1;
    }
    return 0;
}

/* Whether it is in the row of whose plan it is in, or of another guard of this backend in its place. */
static bool is_shown(const struct wanted *wanted, const struct listing *listing,
                     const struct held *held)
{
    size_t count = 0;

    if (wanted_find(wanted, held->guard.interface))
        return true;
    for (const struct held *other = listing_find(listing, held->guard.interface, &count);
         other < held; other++)
        if (tag_guards(other->tag) > 0)
            return true;
    return false;
}

/* Of an interface that no plan has. */
static int judge_held(const struct survey *survey, const struct held *held, struct status_row *row,
                      struct error *err)
{
    enum standing standing = holdings_standing(&survey->holdings, held->tag, &held->guard);
    const char *text = standing_text(standing);

    if (row->state == STATUS_STATE_DETACHED || row->state >= STATUS_STATE_UNGUARDED)
        return 0;
    if (link_exists(held->guard.interface))
        return status_row_judge(row, state_of(standing), text ? text : "", err);
    return row->guard_count > 1
               ? 0
               : status_row_judge(row, STATUS_STATE_LEFTOVER, "pod and interface are gone", err);
}

/* A guard of an attachment that the cache does not have: an ADD under way, or what is left
 * of one. */
static int add_held(struct status *status, const struct survey *survey, const char *backend,
                    const struct held *held, struct error *err)
{
    struct tag tag;
    struct status_row *row;
    char *slash;

    if (!tag_parse(held->tag, &tag))
        return 0;
    row = status_row_find(status, &tag.owner);
    slash = strchr(tag.pod, '/');
    if (slash)
        *slash = '\0';
    if (!row && status_row_add(status, &tag.owner, slash ? tag.pod : NULL, slash ? slash + 1 : NULL,
                               &row, err) < 0)
        return -1;
    if (status_row_add_held(row, backend, held, err) < 0)
        return -1;
    return judge_held(survey, held, row, err);
}

/* Endpoints that the configuration does not name, but pods are kept from. */
static void add_surplus(struct status *status, const struct holding *holding)
{
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < holding->listing.surplus_count; i++) {
        endpoint_text(&holding->listing.surplus[i], text);
        notes_add(&status->problems, NOTE_PROBLEM,
                  "%s: pods are kept from %s as well, which the configuration does not name",
                  holding->backend->name, text);
    }
}

/* What is wrong in a backend is one problem, and one repair. */
static int add_faults(struct status *status, const struct holding *holding, struct error *err)
{
    const struct listing *listing = &holding->listing;
    cleanup(free_text) char *text = NULL;
    size_t size = 0;
    FILE *joined;

    if (listing->fault_count == 0)
        return 0;
    joined = open_memstream(&text, &size);
    if (!joined)
        return error_no_memory(err);
    for (size_t i = 0; i < listing->fault_count; i++)
        fprintf(joined, "%s%s", i > 0 ? "; " : "", listing->faults[i]);
    if (fclose(joined) != 0)
        return error_no_memory(err);
    notes_add(&status->problems, NOTE_PROBLEM, "%s: damaged (imds-guard sync repairs it): %s",
              holding->backend->name, text);
    return 0;
}

static int add_holdings(struct status *status, const struct source *source, struct error *err)
{
    const struct survey *survey = &source->survey;
    struct error why = {0};
    cleanup(free_memory) struct plan *plans = NULL;
    cleanup(wanted) struct wanted wanted = {0};
    size_t count = 0;

    if (survey_plans(survey, &plans, &count, err) < 0 ||
        wanted_make(plans, count, &wanted, err) < 0)
        return -1;
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct holding *holding = &survey->holdings.items[i];
        const struct listing *listing = &holding->listing;

        if (listing->present)
            status->others[status->others_count++] =
                (struct status_others){.backend = holding->backend->name,
                                       .in_force = listing->fault_count == 0,
                                       .others = listing->others};
        status->complete = status->complete && !holding->unread;
        for (size_t j = 0; j < listing->held_count; j++)
            if (!is_shown(&wanted, listing, &listing->held[j]) &&
                add_held(status, survey, holding->backend->name, &listing->held[j], err) < 0)
                return -1;
        add_surplus(status, holding);
        if (add_faults(status, holding, err) < 0)
            return -1;
        if (holding->unread)
            notes_add(&status->problems, NOTE_PROBLEM, "cannot tell what rules there are: %s",
                      holding->unread);
    }
    status->others_verdict = holdings_others(&survey->holdings);
    status->others_wrong =
        source->settings.network &&
        status_judge_others(&source->settings, &survey->holdings, &why) != STATUS_IN_FORCE;
    if (status->others_wrong)
        add_error(status, "", &why);
    return 0;
}

static void add_skipped(struct status *status, const struct cache *cache)
{
    for (size_t i = 0; i < cache->skipped_count; i++) {
        status->complete = status->complete && !cache->skipped[i].unread;
        notes_add(&status->problems, NOTE_PROBLEM, "%s: %s",
                  cache->skipped[i].directory ? "who runs is not known" : "skipped a cached result",
                  cache->skipped[i].reason);
    }
}

static int survey_anyway(const struct status_options *options, struct status *status,
                         struct source *out, struct error *err)
{
    /* Without configuration nobody can say what should hold: what does, alone. */
    const struct terms terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};
    struct settings *settings = &out->settings;
    struct error why = {0};

    status->complete = in_force_load(&options->sources, options->results_dir, settings, &why) == 0;
    status->network = strdup(status->complete ? settings->network : "");
    if (!status->network)
        return error_no_memory(err);
    if (status->complete) {
        /* What is in force by memory alone may not be what is meant. */
        status->problems = steal(&settings->problems);
        status->complete = !settings->remembered;
        return survey_take(settings, options->results_dir, &out->survey, err);
    }
    add_error(status, "who should be guarded is not known: ", &why);
    return holdings_gather(&terms, &out->survey.holdings, err);
}

int status_collect(const struct status_options *options, struct status *out, struct error *err)
{
    cleanup(status) struct status status = {0};
    cleanup(source) struct source source = {0};

    if (survey_anyway(options, &status, &source, err) < 0 ||
        status_add_fence(&status, &source.settings, &source.survey, err) < 0 ||
        add_attachments(&status, &source, err) < 0 || add_holdings(&status, &source, err) < 0)
        return -1;
    add_skipped(&status, &source.survey.cache);
    note_drop_in_unread(&source.settings, &source.survey.cache, &status.problems);
    if (notes_complete(&status.problems, err) < 0)
        return -1;
    status_rows_sort(&status);
    *out = steal(&status);
    return 0;
}
