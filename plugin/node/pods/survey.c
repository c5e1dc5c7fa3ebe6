#include "node/pods/survey.h"

#include "guard/role.h"
#include "kernel/links/links.h"
#include "node/pods/claims.h"
#include "node/pods/planned.h"
#include "node/text.h"

#include <stdio.h>
#include <string.h>

int survey_fail(struct surveyed *surveyed, const struct error *why, struct error *err)
{
    plan_free(&surveyed->plan);
    free(surveyed->reason);
    surveyed->state = ATTACHMENT_FAILED;
    surveyed->reason = strdup(why->msg);
    return surveyed->reason ? 0 : error_no_memory(err);
}

static int plan(struct surveyed *surveyed, const struct config *config, struct error *err)
{
    const struct attachment *attachment = &surveyed->cached->attachment;
    cleanup(questions) struct questions questions = {0};
    struct error why = {0};

    if (plan_questions(attachment, &questions, &why) < 0)
        return survey_fail(surveyed, &why, err);
    if (links_gather(&questions, attachment->netns, &surveyed->facts, &why) < 0) {
        if (why.code != ERROR_INVALID_NETNS)
            return survey_fail(surveyed, &why, err);
        surveyed->state = ATTACHMENT_GONE;
        return 0;
    }
    if (surveyed->facts.host_network) {
        surveyed->state = ATTACHMENT_HOST_NETWORK;
        return 0;
    }
    surveyed->state = ATTACHMENT_PLANNED;
    if (plan_make(attachment, config, &surveyed->facts, &surveyed->plan, &why) == 0)
        return 0;
    if (survey_fail(surveyed, &why, err) < 0)
        return -1;
    if (plan_make_partly(attachment, config, &surveyed->facts, &surveyed->plan, &why) == 0)
        surveyed->state = ATTACHMENT_PLANNED;
    return 0;
}

/* All that plan() has filled in. */
static void forget(struct surveyed *surveyed)
{
    facts_free(&surveyed->facts);
    plan_free(&surveyed->plan);
    free(surveyed->reason);
    surveyed->reason = NULL;
}

static int plan_all(const struct settings *settings, struct survey *survey, struct error *err)
{
    survey->attachments = calloc(survey->cache.count + 1, sizeof(*survey->attachments));
    if (!survey->attachments)
        return error_no_memory(err);
    for (; survey->count < survey->cache.count; survey->count++) {
        struct surveyed *surveyed = &survey->attachments[survey->count];

        surveyed->cached = &survey->cache.attachments[survey->count];
        surveyed->state = ATTACHMENT_OTHER_NETWORK;
        if (strcmp(surveyed->cached->attachment.owner.network, settings->network) != 0)
            continue;
        if (plan(surveyed, &settings->config, err) < 0)
            return -1;
    }
    return 0;
}

/*
 * Where others hold what a plan wants, the plan may be older than their guard: then their ADD has
 * found a new interface of that name, and the pod that had the old one has none any more. What the
 * kernel says now is later than both.
 */
static int plan_disputed_again(const struct settings *settings, struct survey *survey,
                               struct error *err)
{
    for (size_t i = 0; i < survey->count; i++) {
        struct surveyed *surveyed = &survey->attachments[i];

        if (surveyed->state != ATTACHMENT_PLANNED ||
            !holdings_dispute(&survey->holdings, &surveyed->plan))
            continue;
        forget(surveyed);
        if (plan(surveyed, &settings->config, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_held(const struct holdings *holdings, const struct guard *place)
{
    size_t count = 0;

    for (size_t i = 0; i < holdings->count && count == 0; i++)
        listing_find(&holdings->items[i].listing, place, &count);
    return count > 0;
}

static int doubt(const struct survey *survey, const struct planned *planned,
                 struct surveyed *surveyed, struct error *err)
{
    const struct attachment *attachment = &surveyed->cached->attachment;

    for (size_t i = 0; i < attachment->result.interface_count; i++) {
        const struct result_interface *interface = &attachment->result.interfaces[i];
        struct guard place = {.direction = DIRECTION_IN};
        struct error why;

        if (interface_role(interface) != ROLE_HOST ||
            !links_have(survey->links, survey->link_count, interface->name))
            continue;
        strcpy(place.interface, interface->name);
        if (planned_have(planned, &place) || is_held(&survey->holdings, &place))
            continue;
        error_set(&why, ERROR_INVALID_NETNS,
                  "there is no network namespace %s, but its interface %s is there and has no "
                  "guard: imds-guard must see the node's namespaces (mount /run/netns)",
                  attachment->netns, interface->name);
        return survey_fail(surveyed, &why, err);
    }
    return 0;
}

/*
 * A pod that is gone has taken its interfaces along. One that is only out of sight, as in a
 * container without the node's /run/netns, must not pass for one that is gone.
 */
static int doubt_gone(struct survey *survey, struct error *err)
{
    cleanup(planned) struct planned planned = {0};

    if (planned_make(survey, &planned, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->count; i++)
        if (survey->attachments[i].state == ATTACHMENT_GONE &&
            doubt(survey, &planned, &survey->attachments[i], err) < 0)
            return -1;
    return 0;
}

int survey_take(const struct settings *settings, const char *results_dir, struct survey *out,
                struct error *err)
{
    cleanup(survey) struct survey survey = {0};
    const struct terms terms = settings_terms(settings);

    if (cache_read(results_dir, &settings->config, &survey.cache, err) < 0 ||
        plan_all(settings, &survey, err) < 0 ||
        links_names(&survey.links, &survey.link_count, err) < 0 ||
        holdings_gather(&terms, &survey.holdings, err) < 0 ||
        plan_disputed_again(settings, &survey, err) < 0 || claims_settle(&survey, err) < 0 ||
        doubt_gone(&survey, err) < 0)
        return -1;
    *out = survey;
    survey = (struct survey){0};
    return 0;
}

static int by_owner(const void *owner, const void *surveyed)
{
    return owner_compare(owner, &((const struct surveyed *)surveyed)->cached->attachment.owner);
}

struct surveyed *survey_find(const struct survey *survey, const char *text)
{
    struct owner owner;
    struct tag tag;

    if (survey->count == 0 || !tag_parse(text, &tag))
        return NULL;
    owner = (struct owner){tag.network, tag.container_id, tag.ifname};
    return bsearch(&owner, survey->attachments, survey->count, sizeof(*survey->attachments),
                   by_owner);
}

void survey_free(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++)
        forget(&survey->attachments[i]);
    free(survey->attachments);
    free(survey->links);
    holdings_free(&survey->holdings);
    cache_free(&survey->cache);
    *survey = (struct survey){0};
}

void attachment_label(const struct attachment *attachment, char out[static ATTACHMENT_LABEL_SIZE])
{
    const struct owner *owner = &attachment->owner;

    if (attachment->pod.namespace && attachment->pod.name)
        snprintf(out, ATTACHMENT_LABEL_SIZE, "%s/%s", attachment->pod.namespace,
                 attachment->pod.name);
    else
        snprintf(out, ATTACHMENT_LABEL_SIZE, "%s/%.12s/%s", owner->network, owner->container_id,
                 owner->ifname);
    text_make_printable(out);
}
