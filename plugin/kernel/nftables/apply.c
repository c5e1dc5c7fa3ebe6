#include "kernel/nftables/backend.h"
#include "kernel/nftables/changes.h"
#include "kernel/nftables/counters.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/retry.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"
#include "kernel/nftables/view.h"

#include <errno.h>

/* Guards that are worth a transaction of their own. */
#define MANY 64

struct application {
    const struct plan *plans;
    size_t plan_count;
    const struct terms *terms;
    bool joins;   /* makes no table where there is none, or one that is about to go */
    bool nowhere; /* that was so */
    bool again;   /* the table of version 0.1.0 is still to go */
};

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

/* Whether it is to be made, or made anew. */
static bool is_anew(const struct nft_view *view)
{
    return !stands(view) || (view->listing.former && !view->covered);
}

/* Whether only a look at all guards can tell what has to be written. */
static bool needs_all(const struct application *job, const struct nft_view *view)
{
    if (!stands(view) || view->listing.former)
        return true;
    for (size_t i = 0; i < job->plan_count; i++)
        if (announces_more(&job->plans[i], &view->listing))
            return true;
    return false;
}

/* The guards that the plans ask about, or all where that is quicker, or needed to decide. */
static int look_for_plans(struct nft_socket *socket, const struct application *job,
                          struct nft_view *out, struct error *err)
{
    struct nft_question question = {.terms = job->terms, .all_guards = job->terms->exactly};
    cleanup(nft_view) struct nft_view view = {0};

    for (size_t i = 0; i < job->plan_count; i++)
        for (size_t j = 0; j < job->plans[i].guard_count; j++)
            if (question.name_count < NFT_NAMES_MAX)
                question.names[question.name_count++] = job->plans[i].guards[j].interface;
            else
                question.all_guards = true;
    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (!question.all_guards && view.listing.present && needs_all(job, &view)) {
        question.all_guards = true;
        return nft_view_read(socket, &question, out, err);
    }
    *out = steal(&view);
    return 0;
}

static bool needs_rules(const struct nft_view *view, const struct terms *terms)
{
    return view->skeleton.rules_wrong || view->listing.others.verdict != terms->others;
}

/* Whether an endpoint may be taken away meanwhile: one that a sync from another list need not know of. */
static bool may_lose_endpoint(const struct terms *terms)
{
    for (size_t i = 0; i < terms->endpoint_count; i++)
        if (!endpoints_contain(default_endpoints, DEFAULT_ENDPOINTS, &terms->endpoints[i]))
            return true;
    return false;
}

/* Whether packets will be rejected. */
static bool is_refusing(const struct terms *terms, const struct nft_changes *changes)
{
    for (size_t i = 0; i < changes->fresh_count; i++)
        if (changes->fresh[i]->guard.verdict == VERDICT_REJECT)
            return true;
    return terms->others == VERDICT_REJECT;
}

/*
 * The table of version 0.1.0 goes only once ours stands: for a packet that is under way in a chain when
 * that goes, the kernel takes its maps for empty, and so it would be let through.
 */
static void write_skeleton(struct netlink_messages *messages, const struct nft_view *view,
                           const struct terms *terms, bool refusing)
{
    struct shape shape = {.others = view->listing.others, .refusing = refusing};

    shape.others.verdict = terms->others;
    if (view->listing.former && stands(view))
        skeleton_delete(messages, NFT_FORMER_TABLE);
    if (is_anew(view)) {
        if (view->table)
            skeleton_delete(messages, NFT_TABLE);
        skeleton_make(messages, terms, &shape);
        return;
    }
    if (refusing && !view->skeleton.refusing)
        skeleton_add_refusal(messages);
    shape.refusing = view->skeleton.refusing;
    if (needs_rules(view, terms))
        skeleton_renew_rules(messages, terms, &shape);
}

/*
 * A table that can never be right does not stay. Only now: where the rules were flushed everybody is open
 * until the table stands, and what stands shows it without a trial.
 */
static int check_counters(struct nft_socket *socket, const struct netlink_messages *question,
                          struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct error ignored = {0};

    if (nft_counters_look(socket, question, err) == 0)
        return 0;
    skeleton_delete(&messages, NFT_TABLE);
    if (nft_commit(socket, &messages, 0, &ignored) < 0)
        error_details(err, "nor could the table be deleted again: %s", ignored.msg);
    socket->netlink.refusal = 0; /* trying again would not help */
    return -1;
}

/*
 * Whether a guard that has been let go is still in the way of a new one: to be tried again. The kernel would
 * refuse it, and let nobody commit for a grace period after that (__nf_tables_abort).
 */
static int wait_for_going(struct nft_socket *socket, const struct nft_view *view,
                          const struct nft_changes *changes, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < changes->fresh_count && !is_anew(view); i++) {
        const char *interface = changes->fresh[i]->guard.interface;

        if (listing_find(&view->going, interface, &count) == NULL)
            continue;
        socket->netlink.refusal = EAGAIN;
        return error_set(err, ERROR_KERNEL, "nf_tables: the former guard of %s has still to go",
                         interface);
    }
    return 0;
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
    cleanup(nft_changes) struct nft_changes changes = {0};
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(netlink_messages) struct netlink_messages rest = {0};
    cleanup(netlink_messages) struct netlink_messages question = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms terms;
    size_t first = 0;
    bool exactly = false;
    bool refusing = false;

    if (look_for_plans(socket, job, &view, err) < 0)
        return -1;
    job->nowhere = job->joins && (!view.listing.present || view.skeleton.retired);
    if (job->nowhere)
        return 0;
    if (listing_terms(&view.listing, job->terms, &room, &terms, err) < 0 ||
        changes_make(job->plans, job->plan_count, &view.listing, terms.seen, is_anew(&view),
                     &changes, err) < 0)
        return -1;
    if (wait_for_going(socket, &view, &changes, err) < 0)
        return -1;
    first = come_with_table(&view, &terms, &changes);
    refusing = is_refusing(&terms, &changes);
    write_skeleton(&messages, &view, &terms, refusing);
    elements_delete(&messages, changes.gone, changes.gone_count);
    elements_add(&messages, changes.fresh, first);
    nft_counters_ask(&question);
    messages.incomplete |= question.incomplete; /* nothing may be lacking once a table is made */
    exactly = is_anew(&view) || view.listing.former || needs_rules(&view, &terms) ||
              changes.exact || may_lose_endpoint(job->terms);
    if (nft_commit(socket, &messages, exactly ? view.listing.generation : 0, err) < 0) {
        if (refusing)
            skeleton_explain_refusing(socket->netlink.refusal, err);
        return -1;
    }
    elements_add(&rest, changes.fresh + first, changes.fresh_count - first);
    if (nft_commit(socket, &rest, 0, err) < 0)
        return -1;
    job->again = view.listing.former && !stands(&view);
    return is_anew(&view) ? check_counters(socket, &question, err) : 0;
}

/* *absent: as nft_keep_trying's. */
static int apply_all(struct application *job, bool *absent, struct error *err)
{
    if (nft_keep_trying(apply_once, job, job->terms, absent, err) < 0)
        return -1;
    return job->again ? nft_keep_trying(apply_once, job, job->terms, absent, err) : 0;
}

int nft_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
              struct error *err)
{
    struct application job = {.plans = plans, .plan_count = plan_count, .terms = terms};

    return apply_all(&job, NULL, err);
}

int nft_join(const struct plan *plan, const struct terms *terms, bool *present, struct error *err)
{
    struct application job = {.plans = plan, .plan_count = 1, .terms = terms, .joins = true};
    struct error failure;
    bool absent = false;

    if (apply_all(&job, &absent, &failure) < 0 && !absent) {
        *err = failure;
        return -1;
    }
    *present = !absent && !job.nowhere;
    return 0;
}
