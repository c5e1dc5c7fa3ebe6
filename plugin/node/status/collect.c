#include "node/status/status.h"

#include "kernel/links/links.h"
#include "node/chain/settings.h"
#include "node/pods/planned.h"
#include "node/pods/survey.h"
#include "node/status/row.h"

#include <string.h>

static int add_planned(struct status *status, const struct survey *survey,
                       const struct surveyed *surveyed, struct error *err)
{
    const struct attachment *attachment = &surveyed->cached->attachment;
    enum standing worst = STANDING_RIGHT;
    struct status_row *row = NULL;
    const char *reason;

    if (status_row_add(status, &attachment->owner, attachment->pod.namespace, attachment->pod.name,
                       &row, err) < 0)
        return -1;
    for (size_t i = 0; i < surveyed->plan.guard_count; i++) {
        const struct guard *guard = &surveyed->plan.guards[i];
        enum standing standing = holdings_standing(&survey->holdings, surveyed->plan.tag, guard);

        if (status_row_add_wanted(row, &survey->holdings, guard, err) < 0)
            return -1;
        worst = standing < worst ? standing : worst;
    }
    if (surveyed->reason)
        return status_row_judge(row, STATUS_STATE_UNGUARDED, surveyed->reason, err);
    reason = standing_text(worst);
    return status_row_judge(
        row, worst >= STANDING_TOO_STRICT ? STATUS_STATE_GUARDED : STATUS_STATE_UNGUARDED,
        reason ? reason : "", err);
}

static int add_attachments(struct status *status, const struct survey *survey, struct error *err)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct surveyed *surveyed = &survey->attachments[i];

        if ((surveyed->state == ATTACHMENT_PLANNED || surveyed->state == ATTACHMENT_FAILED) &&
            add_planned(status, survey, surveyed, err) < 0)
            return -1;
    }
    return 0;
}

/* Whether it is in the row of whose plan it is in, or of another guard of this backend in its place. */
static bool is_shown(const struct planned *planned, const struct listing *listing,
                     const struct held *held)
{
    size_t count;

    if (planned_have(planned, &held->guard))
        return true;
    for (const struct held *other = listing_find(listing, &held->guard, &count); other < held;
         other++)
        if (tag_guards(other->tag) > 0)
            return true;
    return false;
}

/* A guard of an attachment that the cache does not have: an ADD under way, or what is left
 * of one. */
static int add_held(struct status *status, const struct survey *survey, const char *backend,
                    const struct held *held, struct error *err)
{
    struct tag tag;
    struct owner owner;
    struct status_row *row;
    enum standing standing;
    char *slash;

    if (!tag_parse(held->tag, &tag))
        return 0;
    owner = (struct owner){tag.network, tag.container_id, tag.ifname};
    row = status_row_find(status, &owner);
    slash = strchr(tag.pod, '/');
    if (slash)
        *slash = '\0';
    if (!row && status_row_add(status, &owner, slash ? tag.pod : NULL, slash ? slash + 1 : NULL,
                               &row, err) < 0)
        return -1;
    if (status_row_add_held(row, backend, held, err) < 0)
        return -1;
    if (row->state == STATUS_STATE_UNGUARDED)
        return 0;
    standing = holdings_standing(&survey->holdings, held->tag, &held->guard);
    if (!links_have(survey->links, survey->link_count, held->guard.interface))
        return row->guard_count > 1 ? 0
                                    : status_row_judge(row, STATUS_STATE_LEFTOVER,
                                                       "pod and interface are gone", err);
    if (standing < STANDING_TOO_STRICT)
        return status_row_judge(row, STATUS_STATE_UNGUARDED, standing_text(standing), err);
    return status_row_judge(row, STATUS_STATE_GUARDED, "", err);
}

/* Endpoints that the configuration does not name, but guards keep pods from. */
static int add_surplus(struct status *status, const struct holding *holding, struct error *err)
{
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; holding->listing.held_count > 0 && i < holding->listing.surplus_count; i++) {
        endpoint_text(&holding->listing.surplus[i], text);
        if (notes_add(&status->problems, err, NOTE_PROBLEM,
                      "%s: pods are kept from %s as well, which the configuration does not name",
                      holding->backend->name, text) < 0)
            return -1;
    }
    return 0;
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
    return notes_add(&status->problems, err, NOTE_PROBLEM,
                     "%s: damaged (imds-guard sync repairs what pods need): %s",
                     holding->backend->name, text);
}

static int add_holdings(struct status *status, const struct survey *survey, struct error *err)
{
    cleanup(planned) struct planned planned = {0};

    if (planned_make(survey, &planned, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->holdings.count; i++) {
        const struct holding *holding = &survey->holdings.items[i];

        for (size_t j = 0; j < holding->listing.held_count; j++)
            if (!is_shown(&planned, &holding->listing, &holding->listing.held[j]) &&
                add_held(status, survey, holding->backend->name, &holding->listing.held[j], err) <
                    0)
                return -1;
        if (add_surplus(status, holding, err) < 0)
            return -1;
        if (add_faults(status, holding, err) < 0)
            return -1;
    }
    return 0;
}

static int add_skipped(struct status *status, const struct cache *cache, struct error *err)
{
    for (size_t i = 0; i < cache->skipped_count; i++) {
        status->complete = status->complete && !cache->skipped[i].unread;
        if (notes_add(&status->problems, err, NOTE_PROBLEM, "skipped a cached result: %s",
                      cache->skipped[i].reason) < 0)
            return -1;
    }
    return 0;
}

/* Without configuration nobody can say what should hold: links and rules alone. */
static int survey_kernel(struct survey *out, struct error *err)
{
    const struct terms terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};

    if (links_names(&out->links, &out->link_count, err) < 0)
        return -1;
    return holdings_gather(&terms, &out->holdings, err);
}

static int survey_anyway(const struct status_options *options, struct status *status,
                         struct survey *out, struct error *err)
{
    cleanup(settings) struct settings settings = {0};
    struct error why = {0};

    status->complete = settings_load(options->conf_dir, options->config_file, &settings, &why) == 0;
    status->network = strdup(status->complete ? settings.network : "");
    if (!status->network)
        return error_no_memory(err);
    if (status->complete)
        return survey_take(&settings, options->results_dir, out, err);
    if (notes_add(&status->problems, err, NOTE_PROBLEM, "who should be guarded is not known: %s",
                  why.msg) < 0)
        return -1;
    return survey_kernel(out, err);
}

int status_collect(const struct status_options *options, struct status *out, struct error *err)
{
    cleanup(status) struct status status = {0};
    cleanup(survey) struct survey survey = {0};

    if (survey_anyway(options, &status, &survey, err) < 0 ||
        add_attachments(&status, &survey, err) < 0 || add_holdings(&status, &survey, err) < 0 ||
        add_skipped(&status, &survey.cache, err) < 0)
        return -1;
    status_rows_sort(&status);
    *out = status;
    status = (struct status){0};
    return 0;
}
