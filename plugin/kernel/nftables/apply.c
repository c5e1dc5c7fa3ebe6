#include "kernel/nftables/apply.h"

#include "kernel/nftables/changes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/retry.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"
#include "kernel/nftables/view.h"
#include "kernel/surplus.h"

#include <stdlib.h>

struct application {
    const struct plan *plans;
    size_t plan_count;
    const struct terms *terms;
    bool first; /* what a transaction that is refused has not made, the next one finds as it was */
};

static size_t count_guards(const struct application *job)
{
    size_t count = 0;

    for (size_t i = 0; i < job->plan_count; i++)
        count += job->plans[i].guard_count;
    return count;
}

/* Whether tags on the plan's interfaces announce guards of the same owner beyond those found. */
static bool announces_more(const struct plan *plan, const struct listing *found)
{
    unsigned announced = 0;
    unsigned count = 0;

    for (size_t i = 0; i < found->held_count; i++) {
        const char *tag = found->held[i].tag;

        if (!tags_have_same_owner(tag, plan->tag))
            continue;
        count++;
        if (tag_guards(tag) > announced)
            announced = tag_guards(tag);
    }
    return announced > count;
}

/* The guards that the plans ask about, or all where that is quicker, or needed to decide. */
static int look_for_plans(struct nft_socket *socket, const struct application *job,
                          struct nft_view *out, struct error *err)
{
    struct guard keys[NFT_KEYS_MAX];
    struct nft_question question = {.terms = job->terms, .keys = keys};
    cleanup(nft_view) struct nft_view view = {0};

    question.all_guards = count_guards(job) > NFT_KEYS_MAX;
    for (size_t i = 0; !question.all_guards && i < job->plan_count; i++)
        for (size_t j = 0; j < job->plans[i].guard_count; j++)
            keys[question.key_count++] = job->plans[i].guards[j];
    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (!question.all_guards) {
        question.all_guards =
            view.skeleton.broken || (job->terms->agreed != NULL && view.listing.surplus_count > 0);
        for (size_t i = 0; i < job->plan_count; i++)
            question.all_guards |= announces_more(&job->plans[i], &view.listing);
        if (question.all_guards)
            return nft_view_read(socket, &question, out, err);
    }
    *out = view;
    view = (struct nft_view){0};
    return 0;
}

static bool has_outgoing(const struct nft_changes *changes)
{
    for (size_t i = 0; i < changes->fresh_count; i++)
        if (changes->fresh[i]->guard.direction == DIRECTION_OUT)
            return true;
    return false;
}

static int mend_skeleton(struct nft_messages *messages, const struct verdict_on_skeleton *found,
                         const struct terms *terms, const struct nft_changes *changes,
                         struct error *err)
{
    if (found->endpoints_wrong && skeleton_renew_endpoints(messages, terms, err) < 0)
        return -1;
    if (!found->endpoints_wrong && changes->fresh_count > 0 &&
        skeleton_keep_endpoints(messages, terms, err) < 0)
        return -1;
    return has_outgoing(changes) && !found->outgoing ? skeleton_add_outgoing(messages, err) : 0;
}

static int write_skeleton(struct nft_messages *messages, const struct nft_view *view,
                          const struct terms *terms, const struct nft_changes *changes,
                          struct error *err)
{
    if (view->listing.present && !view->skeleton.broken)
        return mend_skeleton(messages, &view->skeleton, terms, changes, err);
    if (view->listing.present && skeleton_delete(messages, err) < 0)
        return -1;
    return skeleton_make(messages, terms, has_outgoing(changes), err);
}

/* Which endpoints are to stand afterwards: see terms->agreed. */
static int settle_endpoints(const struct application *job, struct nft_view *view,
                            struct endpoint **room, struct terms *out, struct error *err)
{
    if (!surplus_may_go(&view->listing, job->terms))
        return surplus_unite(&view->listing, job->terms, room, out, err);
    view->skeleton.endpoints_wrong |= view->listing.surplus_count > 0;
    *out = *job->terms;
    return 0;
}

static int apply_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct application *job = context;
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(changes) struct nft_changes changes = {0};
    cleanup(nft_messages) struct nft_messages messages = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms terms;
    bool exactly = false;

    if (look_for_plans(socket, job, &view, err) < 0 ||
        settle_endpoints(job, &view, &room, &terms, err) < 0 ||
        changes_make(job->plans, job->plan_count, view.listing.held, view.listing.held_count,
                     view.skeleton.broken, &changes, err) < 0 ||
        write_skeleton(&messages, &view, &terms, &changes, err) < 0 ||
        elements_delete(&messages, changes.gone, changes.gone_count, err) < 0 ||
        elements_add(&messages, changes.fresh, changes.fresh_count, err) < 0)
        return -1;
    exactly = view.skeleton.broken || view.skeleton.endpoints_wrong || changes.exact;
    job->first = changes.first;
    return nft_commit(socket, &messages, exactly ? view.generation : 0, err);
}

int nft_apply(const struct plan *plans, size_t plan_count, const struct terms *terms, bool *first,
              struct error *err)
{
    struct application job = {.plans = plans, .plan_count = plan_count, .terms = terms};
    bool absent = false;
    int result = nft_keep_trying(apply_once, &job, terms, &absent, err);

    *first = job.first;
    return result;
}
