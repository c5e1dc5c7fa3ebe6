#include "node/pods/survey.h"

#include "kernel/links/links.h"
#include "kernel/wanted.h"
#include "node/text.h"

#include <stdio.h>
#include <string.h>

int survey_fail(struct surveyed *surveyed, const struct error *why, struct error *err)
{
    plan_free(&surveyed->plan);
    free(surveyed->reason);
    surveyed->state = ATTACHMENT_FAILED;
    surveyed->unseen = why->code != ERROR_NOTHING_TO_GUARD;
    surveyed->reason = strdup(why->msg);
    return surveyed->reason ? 0 : error_no_memory(err);
}

static bool has_link(const struct facts *facts)
{
    for (size_t i = 0; i < facts->host_count; i++)
        if (facts->host[i].index != 0)
            return true;
    for (size_t i = 0; i < facts->pod_count; i++)
        if (facts->pod[i].link.index != 0)
            return true;
    return false;
}

static int plan(struct surveyed *surveyed, const struct config *config, const struct look *look,
                struct error *err)
{
    const struct attachment *attachment = &surveyed->cached->attachment;
    const struct facts *facts = &look->facts;
    struct error why;

    if (look->failed && look->error->code != ERROR_INVALID_NETNS)
        return survey_fail(surveyed, look->error, err);
    surveyed->state = look->failed ? ATTACHMENT_GONE : ATTACHMENT_HOST_NETWORK;
    if (look->failed || facts->host_network)
        return 0;
    surveyed->state = ATTACHMENT_PLANNED;
    if (plan_make(attachment, config, facts, false, &surveyed->plan, &why) == 0)
        return 0;
    if (!has_link(facts)) {
        surveyed->state = ATTACHMENT_NO_INTERFACE;
        return 0;
    }
    if (survey_fail(surveyed, &why, err) < 0)
        return -1;
    surveyed->way = facts_way(facts);
    if (plan_make(attachment, config, facts, true, &surveyed->plan, &why) == 0)
        surveyed->state = ATTACHMENT_PLANNED;
    return 0;
}

/* Of the pods that are gone only those that may just be out of sight: an interface of theirs is there. */
static bool may_live(const struct cached_attachment *cached, void *context)
{
    const struct result *result = &cached->attachment.result;

    (void)context;
    if (access(cached->attachment.netns, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return true;
    for (size_t i = 0; i < result->interface_count; i++)
        if (interface_role(&result->interfaces[i]) == ROLE_HOST &&
            link_exists(result->interfaces[i].name))
            return true;
    return false;
}

/* Those of ours that are looked into at once. */
struct looking {
    struct surveyed *surveyed[LOOKS_MAX];
    struct look looks[LOOKS_MAX];
    struct error errors[LOOKS_MAX];
    size_t count;
};

static void cleanup_looking(struct looking **looking)
{
    while (*looking && (*looking)->count > 0)
        look_free(&(*looking)->looks[--(*looking)->count]);
    free(*looking);
}

static int add_look(struct looking *looking, struct surveyed *surveyed, struct error *err)
{
    struct look *look = &looking->looks[looking->count];
    struct error why;

    *look = (struct look){.netns = surveyed->cached->attachment.netns,
                          .error = &looking->errors[looking->count]};
    if (plan_questions(&surveyed->cached->attachment, &look->questions, &why) < 0)
        return survey_fail(surveyed, &why, err);
    looking->surveyed[looking->count++] = surveyed;
    return 0;
}

static int plan_looked(struct looking *looking, const struct config *config,
                       const struct known_links *known, struct error *err)
{
    (void)!links_look(known, looking->looks, looking->count);
    for (; looking->count > 0; looking->count--) {
        struct look *look = &looking->looks[looking->count - 1];

        if (plan(looking->surveyed[looking->count - 1], config, look, err) < 0)
            return -1;
        look_free(look);
    }
    return 0;
}

static int plan_all(const struct settings *settings, struct survey *survey, struct error *err)
{
    cleanup(looking) struct looking *looking = calloc(1, sizeof(*looking));

    survey->attachments = calloc(survey->cache.count + 1, sizeof(*survey->attachments));
    if (!survey->attachments || !looking)
        return error_no_memory(err);
    survey->count = survey->cache.count;
    for (size_t i = 0; i < survey->count; i++) {
        struct surveyed *surveyed = &survey->attachments[i];

        surveyed->cached = &survey->cache.attachments[i];
        surveyed->state = ATTACHMENT_OTHER_NETWORK;
        /*
         * By the chain that the pod was started with, whatever the directory says this instant and under
         * whatever name. That chain does not have drop-ins in it, and an older libcni keeps none.
         */
        if (!surveyed->cached->chain.of_node &&
            !names_have(&settings->networks, surveyed->cached->attachment.owner.network))
            continue;
        if (add_look(looking, surveyed, err) < 0)
            return -1;
        if (looking->count == LOOKS_MAX &&
            plan_looked(looking, &settings->config, &survey->links, err) < 0)
            return -1;
    }
    return plan_looked(looking, &settings->config, &survey->links, err);
}

/*
 * A pod that is gone has taken its interfaces along. One that is only out of sight, as in a
 * container without the node's /run/netns, must not pass for one that is gone.
 */
static int doubt(const struct survey *survey, const struct wanted *wanted,
                 struct surveyed *surveyed, struct error *err)
{
    const struct attachment *attachment = &surveyed->cached->attachment;

    for (size_t i = 0; i < attachment->result.interface_count; i++) {
        const struct result_interface *interface = &attachment->result.interfaces[i];
        struct error why;
        size_t held = 0;

        if (interface_role(interface) != ROLE_HOST || wanted_find(wanted, interface->name))
            continue;
        for (size_t j = 0; j < BACKEND_COUNT && held == 0; j++)
            listing_find(&survey->holdings.items[j].listing, interface->name, &held);
        if (held > 0 || !link_exists(interface->name))
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
 * Whether it is denied on behalf of one that is not in the cache, though the kernel does not say that
 * it is this plan's: that of an ADD which has ended between the two looks.
 */
static bool is_newcomers(const struct survey *survey, const struct plan *plan,
                         const struct guard *guard)
{
    for (size_t i = 0; i < BACKEND_COUNT && !guard->proven; i++) {
        size_t count = 0;
        const struct held *held =
            listing_find(&survey->holdings.items[i].listing, guard->interface, &count);

        for (; count > 0; count--, held++)
            if (verdict_denies(held->guard.verdict) && tag_guards(held->tag) > 0 &&
                !tags_have_same_owner(held->tag, plan->tag) && !survey_find(survey, held->tag))
                return true;
    }
    return false;
}

static void leave_out_lost(struct surveyed *surveyed)
{
    const struct attachment *attachment = &surveyed->cached->attachment;
    struct plan *plan = &surveyed->plan;
    size_t kept = 0;

    for (size_t i = 0; i < plan->guard_count; i++)
        if (plan->guards[i].index != 0)
            plan->guards[kept++] = plan->guards[i];
    if (kept == plan->guard_count)
        return;
    plan->guard_count = kept;
    tag_write(&attachment->owner, (unsigned)kept, attachment->pod.namespace, attachment->pod.name,
              plan->tag);
    if (kept > 0)
        return;
    plan_free(plan);
    surveyed->state = ATTACHMENT_REPLACED;
}

/* Of several plans' guards for one interface one stays, and one that is gone is not doubted for it. */
static int settle(struct survey *survey, struct error *err)
{
    cleanup(free_memory) struct plan *plans = NULL;
    cleanup(wanted) struct wanted wanted = {0};
    size_t count = 0;

    if (survey_plans(survey, &plans, &count, err) < 0 ||
        wanted_make(plans, count, &wanted, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->count; i++)
        if (survey->attachments[i].state == ATTACHMENT_GONE &&
            doubt(survey, &wanted, &survey->attachments[i], err) < 0)
            return -1;
    /* A guard that has lost its interface to another's has no index, until the plan is rid of it. */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++) {
            struct guard *guard = &plans[i].guards[j];

            if (wanted_find(&wanted, guard->interface)->guard != guard ||
                is_newcomers(survey, &plans[i], guard))
                guard->index = 0;
        }
    for (size_t i = 0; i < survey->count; i++)
        if (survey->attachments[i].state == ATTACHMENT_PLANNED)
            leave_out_lost(&survey->attachments[i]);
    return 0;
}

int survey_take(const struct settings *settings, const char *results_dir, struct survey *out,
                struct error *err)
{
    cleanup(survey) struct survey survey = {0};
    const struct terms terms = settings_terms(settings);

    if (cache_read(results_dir, NULL, &settings->config, may_live, NULL, &survey.cache, err) < 0 ||
        holdings_gather(&terms, &survey.holdings, err) < 0)
        return -1;
    known_links_read(&survey.links);
    if (plan_all(settings, &survey, err) < 0 || settle(&survey, err) < 0)
        return -1;
    *out = steal(&survey);
    return 0;
}

int survey_one(const struct settings *settings, const char *results_dir, const char *file,
               struct survey *out, struct error *err)
{
    cleanup(survey) struct survey survey = {0};

    if (cache_read(results_dir, file, &settings->config, NULL, NULL, &survey.cache, err) < 0 ||
        plan_all(settings, &survey, err) < 0)
        return -1;
    *out = steal(&survey);
    return 0;
}

/* By the time of writing; those of one moment in the order of the cache, which is fixed. */
static int by_age(const void *left, const void *right)
{
    const struct surveyed *a = *(const struct surveyed *const *)left;
    const struct surveyed *b = *(const struct surveyed *const *)right;

    if (a->cached->written != b->cached->written)
        return a->cached->written < b->cached->written ? -1 : 1;
    return a < b ? -1 : 1;
}

int survey_plans(const struct survey *survey, struct plan **out, size_t *count, struct error *err)
{
    cleanup(free_memory) const struct surveyed **planned =
        calloc(survey->count + 1, sizeof(*planned));
    struct plan *plans = calloc(survey->count + 1, sizeof(*plans));
    size_t found = 0;

    if (!planned || !plans) {
        free(plans);
        return error_no_memory(err);
    }
    for (size_t i = 0; i < survey->count; i++)
        if (survey->attachments[i].state == ATTACHMENT_PLANNED)
            planned[found++] = &survey->attachments[i];
    qsort(planned, found, sizeof(*planned), by_age);
    for (size_t i = 0; i < found; i++)
        plans[i] = planned[i]->plan;
    *out = plans;
    *count = found;
    return 0;
}

static int by_owner(const void *owner, const void *surveyed)
{
    return owner_compare(owner, &((const struct surveyed *)surveyed)->cached->attachment.owner);
}

const struct surveyed *survey_find(const struct survey *survey, const char *text)
{
    struct tag tag;

    if (survey->count == 0 || !tag_parse(text, &tag))
        return NULL;
    return bsearch(&tag.owner, survey->attachments, survey->count, sizeof(*survey->attachments),
                   by_owner);
}

void survey_free(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        plan_free(&survey->attachments[i].plan);
        free(survey->attachments[i].reason);
    }
    free(survey->attachments);
    holdings_free(&survey->holdings);
    cache_free(&survey->cache);
    known_links_free(&survey->links);
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
