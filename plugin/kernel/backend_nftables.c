/*
 * The nftables backend: look, decide, write one transaction. Nobody locks nf_tables, so what was
 * seen may have changed by the time it is written. Two things make that harmless:
 *
 *  - What is added must not be there yet (NLM_F_EXCL), and what goes must be there still. Where
 *    that has changed, the kernel refuses the whole transaction, and we look again.
 *  - A transaction that takes a guard away, or over from those alone who had it at some moment, or
 *    writes all endpoints, or makes the table anew, is good only for the generation of the ruleset
 *    that was seen. So a guard that somebody else has just set on the same interface, for a new pod
 *    of the same name, is never lifted for an old one.
 */
#include "kernel/backend.h"

#include "kernel/nft_changes.h"
#include "kernel/nft_elements.h"
#include "kernel/nft_retry.h"
#include "kernel/nft_skeleton.h"
#include "kernel/nft_socket.h"
#include "kernel/nft_view.h"
#include "kernel/surplus.h"
#include "kernel/wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* --- apply ------------------------------------------------------------------------------------ */

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
                         const struct terms *terms, bool outgoing, struct error *err)
{
    if (found->endpoints_wrong && skeleton_renew_endpoints(messages, terms, err) < 0)
        return -1;
    return outgoing && !found->outgoing ? skeleton_add_outgoing(messages, err) : 0;
}

static int write_skeleton(struct nft_messages *messages, const struct nft_view *view,
                          const struct terms *terms, bool outgoing, struct error *err)
{
    if (view->listing.present && !view->skeleton.broken)
        return mend_skeleton(messages, &view->skeleton, terms, outgoing, err);
    if (view->listing.present && skeleton_delete(messages, err) < 0)
        return -1;
    return skeleton_make(messages, terms, outgoing, err);
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
        write_skeleton(&messages, &view, &terms, has_outgoing(&changes), err) < 0 ||
        elements_delete(&messages, changes.gone, changes.gone_count, err) < 0 ||
        elements_add(&messages, changes.fresh, changes.fresh_count, err) < 0)
        return -1;
    exactly = view.skeleton.broken || view.skeleton.endpoints_wrong || changes.exact;
    job->first = changes.first;
    return nft_commit(socket, &messages, exactly ? view.generation : 0, err);
}

static int nftables_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
                          bool *first, struct error *err)
{
    struct application job = {.plans = plans, .plan_count = plan_count, .terms = terms};
    bool absent = false;
    int result = nft_keep_trying(apply_once, &job, terms, &absent, err);

    *first = job.first;
    return result;
}

/* --- remove ----------------------------------------------------------------------------------- */

struct removal {
    const struct selection *selection;
    unsigned attempts;
    size_t removed;
};

/*
 * When a netlink socket is closed after something was deleted, whoever deleted it, the kernel keeps
 * everybody from committing until an RCU grace period is over (nft_rcv_nl_event in
 * net/netfilter/nf_tables_api.c). Those who had asked for the ruleset before are then refused all
 * but one, as that one changes the generation; and its close comes before the others' next attempt:
 * of a hundred DELs each would wait out a grace period of its own. Who has been refused itself, and
 * so knows of others, lets them commit before it closes.
 */
#define GIVE_WAY_NS 2000000L

static void give_way(const struct removal *job)
{
    const struct timespec pause = {.tv_nsec = GIVE_WAY_NS};

    if (job->attempts > 1 && job->removed > 0)
        nanosleep(&pause, NULL);
}

/* Guards of the listing that go; `out` has room for all. */
static size_t select_guards(const struct selection *selection, const struct listing *listing,
                            const struct held **out)
{
    size_t count = 0;

    for (size_t i = 0; i < listing->held_count; i++)
        if (listing->held[i].tag[0] != '\0' &&
            selection->goes(&listing->held[i], selection->context))
            out[count++] = &listing->held[i];
    return count;
}

/* Whether these are all, by what their tags say. */
static bool are_all(const struct held *const *held, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tag_guards(held[i]->tag) > count)
            return false;
    return count > 0;
}

/* The interfaces' guards in both directions; false if they are too many to look up by name. */
static bool keys_of(const struct selection *selection, struct guard keys[static NFT_KEYS_MAX],
                    size_t *count)
{
    *count = 0;
    if (selection->interfaces == NULL || 2 * selection->interface_count > NFT_KEYS_MAX)
        return false;
    for (size_t i = 0; i < selection->interface_count; i++)
        for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
            struct guard *key = &keys[(*count)++];

            *key = (struct guard){.direction = direction};
            for (size_t at = 0; at < INTERFACE_NAME_SIZE - 1; at++) {
                key->interface[at] = selection->interfaces[i][at];
                if (key->interface[at] == '\0')
                    break;
            }
        }
    return true;
}

/* Deletes what is selected among what is seen. *complete: there can be no more. */
static int remove_seen(struct nft_socket *socket, struct removal *job,
                       const struct nft_question *question, bool *complete, struct error *err)
{
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(nft_messages) struct nft_messages messages = {0};
    cleanup(free_memory) const struct held **going = NULL;
    size_t count = 0;

    if (nft_view_read(socket, question, &view, err) < 0)
        return -1;
    going = calloc(view.listing.held_count + 1, sizeof(*going));
    if (going == NULL)
        return error_no_memory(err);
    count = select_guards(job->selection, &view.listing, going);
    *complete = question->all_guards || are_all(going, count);
    if (!*complete)
        return 0;
    if (elements_delete(&messages, going, count, err) < 0 ||
        nft_commit(socket, &messages, view.generation, err) < 0)
        return -1;
    job->removed = count;
    return 0;
}

static int remove_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct removal *job = context;
    struct guard keys[NFT_KEYS_MAX];
    struct nft_question question = {.keys = keys};
    bool complete = false;

    job->attempts++;
    if (keys_of(job->selection, keys, &question.key_count) &&
        remove_seen(socket, job, &question, &complete, err) < 0)
        return -1;
    question.all_guards = true;
    if (!complete && remove_seen(socket, job, &question, &complete, err) < 0)
        return -1;
    give_way(job);
    return 0;
}

static int remove_everything_once(struct nft_socket *socket, void *context, struct error *err)
{
    const struct terms nothing = {0};
    const struct nft_question question = {.terms = &nothing, .all_guards = true};
    struct removal *job = context;
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(nft_messages) struct nft_messages messages = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (view.listing.present &&
        (skeleton_delete(&messages, err) < 0 || nft_commit(socket, &messages, 0, err) < 0))
        return -1;
    job->removed = view.listing.held_count;
    return 0;
}

static int nftables_remove(const struct selection *selection, const struct terms *terms,
                           size_t *removed, struct error *err)
{
    struct removal job = {.selection = selection};
    struct error failure = {0};
    bool absent = false;

    if (nft_keep_trying(selection->everything ? remove_everything_once : remove_once, &job, terms,
                        &absent, &failure) < 0 &&
        !absent) {
        *err = failure;
        return -1;
    }
    if (removed != NULL)
        *removed = job.removed;
    return 0;
}

/* --- list, probe ------------------------------------------------------------------------------ */

struct look {
    const struct terms *terms;
    struct listing listing;
};

static int list_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct look *job = context;
    const struct nft_question question = {.terms = job->terms, .all_guards = true};
    struct nft_view view = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    job->listing = view.listing;
    return 0;
}

static int nftables_list(const struct terms *terms, struct listing *out, struct error *err)
{
    struct look job = {.terms = terms};
    struct error failure = {0};
    bool absent = false;

    if (nft_keep_trying(list_once, &job, terms, &absent, &failure) < 0) {
        if (!absent) {
            *err = failure;
            return -1;
        }
        job.listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    }
    *out = job.listing;
    return 0;
}

/*
 * Whether elements get counters. What a kernel takes does not show it, as an older one takes what
 * it does not know, and makes a table that is never right; what it refuses does. Its version would
 * not: distributions' kernels have had parts of newer ones.
 */
static int probe_counters(struct nft_socket *socket, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};
    struct error refusal = {0};

    if (skeleton_make_refusable(&messages, err) < 0)
        return -1;
    if (nft_rehearse(socket, &messages, &refusal) == 0)
        return error_set(err, ERROR_KERNEL,
                         "nf_tables of this kernel has no counters in maps (it is older than "
                         "Linux 5.7): use the iptables backend");
    if (socket->refusal == EINVAL || socket->refusal == EOPNOTSUPP)
        return 0;
    *err = refusal;
    return -1;
}

/* A table of ours shows that the kernel can; else it is asked to check one, without making it. */
static int probe_once(struct nft_socket *socket, void *context, struct error *err)
{
    const struct look *job = context;
    const struct nft_question question = {.terms = job->terms};
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(nft_messages) struct nft_messages messages = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (view.listing.present)
        return 0;
    if (skeleton_make(&messages, job->terms, true, err) < 0 ||
        nft_rehearse(socket, &messages, err) < 0)
        return -1;
    return probe_counters(socket, err);
}

static int nftables_probe(const struct terms *terms, struct error *err)
{
    const struct terms no_endpoints = {.lock_timeout_seconds = terms->lock_timeout_seconds};
    struct look job = {.terms = &no_endpoints};
    bool absent = false;

    return nft_keep_trying(probe_once, &job, terms, &absent, err);
}

const struct backend backend_nftables = {
    .name = "nftables",
    .probe = nftables_probe,
    .accept = wanted_check,
    .apply = nftables_apply,
    .remove = nftables_remove,
    .list = nftables_list,
};
