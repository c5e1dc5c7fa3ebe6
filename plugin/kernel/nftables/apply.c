#include "kernel/nftables/apply.h"

#include "kernel/nftables/changes.h"
#include "kernel/nftables/counters.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/retry.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"
#include "kernel/nftables/view.h"

#include <stdlib.h>
#include <string.h>

/* Guards that are worth a transaction of their own. */
#define MANY 64

struct application {
    const struct plan *plans;
    size_t plan_count;
    const struct terms *terms;
    bool closely; /* the endpoints that stand are looked at as well */
    bool again;   /* the table of version 0.1.0 is still to go */
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

/* Whether the table is in force already. */
static bool stands(const struct nft_view *view)
{
    return view->table && !view->skeleton.broken;
}

/* Whether only a look at all guards can tell what has to be written. */
static bool needs_all(const struct application *job, const struct nft_view *view)
{
    if (!stands(view) || view->former)
        return true;
    for (size_t i = 0; i < job->plan_count; i++)
        if (announces_more(&job->plans[i], &view->listing))
            return true;
    return false;
}

/*
 * The guards that the plans ask about, or all where that is quicker, or needed to decide. Of the endpoints
 * a new guard's terms come along with it anyway, to which the kernel dumps each set on its own: they
 * are looked at only where that was refused, or nothing is to be written.
 */
static int look_for_plans(struct nft_socket *socket, struct application *job, struct nft_view *out,
                          struct error *err)
{
    char keys[NFT_KEYS_MAX][INTERFACE_NAME_SIZE];
    struct terms terms = *job->terms;
    struct nft_question question = {.terms = &terms, .keys = keys};
    cleanup(nft_view) struct nft_view view = {0};

    question.all_guards = job->terms->exactly || count_guards(job) > NFT_KEYS_MAX;
    job->closely = job->closely || question.all_guards;
    if (!job->closely)
        terms.endpoint_count = 0;
    for (size_t i = 0; !question.all_guards && i < job->plan_count; i++)
        for (size_t j = 0; j < job->plans[i].guard_count; j++)
            memcpy(keys[question.key_count++], job->plans[i].guards[j].interface, sizeof(*keys));
    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (!question.all_guards && view.listing.present && needs_all(job, &view)) {
        question.all_guards = job->closely = true;
        terms = *job->terms;
        return nft_view_read(socket, &question, out, err);
    }
    *out = view;
    view = (struct nft_view){0};
    return 0;
}

static bool needs_rules(const struct nft_view *view, const struct terms *terms)
{
    return view->skeleton.rules_wrong || view->listing.others.verdict != terms->others;
}

/* Whether packets will be rejected. */
static bool is_refusing(const struct terms *terms, const struct nft_changes *changes)
{
    for (size_t i = 0; i < changes->fresh_count; i++)
        if (changes->fresh[i]->guard.verdict == VERDICT_REJECT)
            return true;
    return terms->others == VERDICT_REJECT;
}

static int mend_skeleton(struct nft_messages *messages, const struct nft_view *view,
                         const struct terms *terms, const struct others *others,
                         const struct nft_changes *changes, struct error *err)
{
    const struct verdict_on_skeleton *found = &view->skeleton;

    if (is_refusing(terms, changes) && !found->refusing && skeleton_add_refusal(messages, err) < 0)
        return -1;
    if (needs_rules(view, terms) &&
        skeleton_renew_rules(messages, others, found->refusing, err) < 0)
        return -1;
    if (found->endpoints_wrong && skeleton_renew_endpoints(messages, terms, err) < 0)
        return -1;
    if (!found->endpoints_wrong && changes->fresh_count > 0 &&
        skeleton_keep_endpoints(messages, terms, err) < 0)
        return -1;
    return 0;
}

/*
 * The table of version 0.1.0 goes only once ours stands: for a packet that is under way in a chain when
 * that goes, the kernel takes its maps for empty, and so it would be let through.
 */
static int write_skeleton(struct nft_messages *messages, const struct nft_view *view, bool anew,
                          const struct terms *terms, const struct nft_changes *changes,
                          struct error *err)
{
    struct others others = view->listing.others;

    others.verdict = terms->others;
    if (view->former && stands(view) && skeleton_delete(messages, NFT_FORMER_TABLE, err) < 0)
        return -1;
    if (!anew)
        return mend_skeleton(messages, view, terms, &others, changes, err);
    if (view->table && skeleton_delete(messages, NFT_TABLE, err) < 0)
        return -1;
    return skeleton_make(messages, terms, &others, is_refusing(terms, changes), err);
}

static int commit(struct nft_socket *socket, const struct nft_messages *messages,
                  uint32_t generation, bool refusing, struct error *err)
{
    if (nft_commit(socket, messages, generation, err) == 0)
        return 0;
    if (refusing)
        skeleton_explain_refusing(socket->refusal, err);
    return -1;
}

/*
 * A table that can never be right does not stay. Only now: where the rules were flushed everybody is open
 * until the table stands, and what stands shows it without a trial.
 */
static int check_counters(struct nft_socket *socket, const struct nft_messages *question,
                          struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};
    struct error ignored = {0};

    if (nft_counters_look(socket, question, err) == 0)
        return 0;
    if (skeleton_delete(&messages, NFT_TABLE, &ignored) < 0 ||
        nft_commit(socket, &messages, 0, &ignored) < 0)
        error_details(err, "nor could the table be deleted again: %s", ignored.msg);
    socket->refusal = 0; /* trying again would not help */
    return -1;
}

/*
 * How many of the new guards come with the table, and those are put first: all, but where there is no
 * table, as after a flush. Until it stands everybody is open, and a thousand guards take milliseconds:
 * then those do whom the verdict for others would keep from what they may.
 */
static size_t come_with_table(const struct nft_view *view, const struct terms *terms,
                              struct nft_changes *changes)
{
    size_t first = 0;

    if (view->listing.present || !verdict_denies(terms->others) || changes->fresh_count < MANY)
        return changes->fresh_count;
    for (size_t i = 0; i < changes->fresh_count; i++) {
        const struct held *guard = changes->fresh[i];

        if (verdict_denies(guard->guard.verdict))
            continue;
        changes->fresh[i] = changes->fresh[first];
        changes->fresh[first++] = guard;
    }
    return first;
}

static int apply_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct application *job = context;
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(changes) struct nft_changes changes = {0};
    cleanup(nft_messages) struct nft_messages messages = {0};
    cleanup(nft_messages) struct nft_messages rest = {0};
    cleanup(nft_messages) struct nft_messages question = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms terms;
    size_t first = 0;
    bool anew = false;
    bool exactly = false;

    if (look_for_plans(socket, job, &view, err) < 0 ||
        listing_terms(&view.listing, job->terms, &room, &terms, err) < 0)
        return -1;
    anew = !stands(&view) || (view.former && !view.covered);
    if (changes_make(job->plans, job->plan_count, view.listing.held, view.listing.held_count,
                     terms.seen, anew, &changes, err) < 0)
        return -1;
    if (!job->closely && changes.fresh_count == 0) {
        job->closely = true;
        return apply_once(socket, job, err);
    }
    job->closely = true; /* the next time */
    first = come_with_table(&view, &terms, &changes);
    if (write_skeleton(&messages, &view, anew, &terms, &changes, err) < 0 ||
        elements_delete(&messages, changes.gone, changes.gone_count, err) < 0 ||
        elements_add(&messages, changes.fresh, first, err) < 0 ||
        elements_add(&rest, changes.fresh + first, changes.fresh_count - first, err) < 0 ||
        (anew && nft_counters_ask(&question, err) < 0))
        return -1;
    exactly = anew || view.former || needs_rules(&view, &terms) || view.skeleton.endpoints_wrong ||
              changes.exact;
    if (commit(socket, &messages, exactly ? view.generation : 0, is_refusing(&terms, &changes),
               err) < 0 ||
        nft_commit(socket, &rest, 0, err) < 0)
        return -1;
    job->again = view.former && !stands(&view);
    return check_counters(socket, &question, err);
}

int nft_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
              struct error *err)
{
    struct application job = {.plans = plans, .plan_count = plan_count, .terms = terms};
    bool absent = false;

    if (nft_keep_trying(apply_once, &job, terms, &absent, err) < 0)
        return -1;
    return job.again ? nft_keep_trying(apply_once, &job, terms, &absent, err) : 0;
}
