#include "kernel/nftables/backend.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/retry.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"
#include "kernel/nftables/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct removal {
    const struct selection *selection;
    unsigned attempts;
    size_t removed;
    bool deleted;
    uint32_t generation; /* in which everything is as it was seen, if that matters; or 0 */
    bool overtaken;      /* it has passed */
    bool retires;        /* the table is to let everything pass before it goes */
    bool again;          /* it does now, and is still to go */
};

/*
 * When a netlink socket is closed after something was deleted, whoever deleted it, the kernel keeps
 * everybody from committing until an RCU grace period is over (nft_rcv_nl_event in
 * net/netfilter/nf_tables_api.c): ADDs wait. So nothing is deleted where the kernel can be told to let a
 * guard go by itself (elements_let_go).
 *
 * Where it cannot, those who had asked for the ruleset before are then refused all but one, as that one
 * changes the generation; and its close comes before the others' next attempt: of a hundred DELs each
 * would wait out a grace period of its own. Who has been refused itself, and so knows of others, lets
 * them commit before it closes.
 */
#define GIVE_WAY_NS 2000000L

static void give_way(const struct removal *job)
{
    const struct timespec pause = {.tv_nsec = GIVE_WAY_NS};

    if (job->attempts > 1 && job->deleted)
        nanosleep(&pause, NULL);
}

typedef void elements_write(struct netlink_messages *messages, const struct held *const *held,
                            size_t count);

/* Writes so of what is selected among what is seen. *complete: there can be no more; else nothing is
 * written. */
static int write_seen(struct nft_socket *socket, const struct removal *job,
                      const struct nft_question *question, elements_write *write, size_t *count,
                      bool *complete, struct error *err)
{
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(free_memory) const struct held **going = NULL;
    unsigned announced = 0; /* by the tags of those that go */

    if (nft_view_read(socket, question, &view, err) < 0)
        return -1;
    going = calloc(view.listing.held_count + 1, sizeof(*going));
    if (going == NULL)
        return error_no_memory(err);
    *count = 0;
    for (size_t i = 0; i < view.listing.held_count; i++) {
        const struct held *held = &view.listing.held[i];

        if (held->tag[0] == '\0' || !job->selection->goes(held, job->selection->context))
            continue;
        going[(*count)++] = held;
        announced = tag_guards(held->tag) > announced ? tag_guards(held->tag) : announced;
    }
    *complete = question->all_guards || (*count > 0 && announced <= *count);
    if (!*complete)
        return 0;
    write(&messages, going, *count);
    return nft_commit(socket, &messages, view.listing.generation, err);
}

/*
 * Whether deleting may do what the kernel has refused: in a map that stands without time-outs (EINVAL),
 * or with a verdict that is none of ours (EEXIST, EBUSY). Not for a generation that has passed.
 */
static bool cannot_let_go(const struct nft_socket *socket)
{
    return socket->netlink.refusal != 0 && socket->netlink.refusal != ERESTART;
}

/* What the kernel has not let go is deleted. */
static int remove_seen(struct nft_socket *socket, struct removal *job,
                       const struct nft_question *question, bool *complete, struct error *err)
{
    size_t count = 0;
    size_t stayed = 0;
    bool all = false;
    struct error why;

    if (write_seen(socket, job, question, elements_let_go, &count, complete, &why) < 0 &&
        (count == 0 || !cannot_let_go(socket))) {
        *err = why;
        return -1;
    }
    if (!*complete || count == 0)
        return 0;
    if (write_seen(socket, job, question, elements_delete, &stayed, &all, err) < 0)
        return -1;
    *complete = stayed == 0 || all; /* others may have taken one of them over in between */
    job->removed = count;
    job->deleted = stayed > 0;
    return 0;
}

static int remove_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct removal *job = context;
    const struct selection *selection = job->selection;
    struct nft_question question = {.name_count = selection->interface_count};
    bool complete = false;

    job->attempts++;
    if (selection->interfaces != NULL && question.name_count <= NFT_NAMES_MAX) {
        for (size_t i = 0; i < question.name_count; i++)
            question.names[i] = selection->interfaces[i];
        if (remove_seen(socket, job, &question, &complete, err) < 0)
            return -1;
    }
    question.all_guards = true;
    if (!complete && remove_seen(socket, job, &question, &complete, err) < 0)
        return -1;
    give_way(job);
    return 0;
}

/* A number that the kernel leaves out (nf_tables_commit), as it means that any will do. */
static uint32_t generation_after(uint32_t generation)
{
    return generation + 1 == 0 ? 1 : generation + 1;
}

static int remove_everything_once(struct nft_socket *socket, void *context, struct error *err)
{
    const struct terms nothing = {0};
    const struct nft_question question = {.terms = &nothing, .all_guards = true};
    struct removal *job = context;
    cleanup(nft_view) struct nft_view view = {0};
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    job->overtaken = job->generation != 0 && view.listing.generation != job->generation;
    if (job->overtaken)
        return 0;
    job->again = job->retires && view.table && !view.skeleton.broken && !view.skeleton.retired;
    if (job->again) {
        skeleton_retire(&messages);
        if (nft_commit(socket, &messages, job->generation, err) < 0)
            return -1;
        job->generation = generation_after(job->generation);
        return 0;
    }
    if (view.table)
        skeleton_delete(&messages, NFT_TABLE);
    if (view.listing.former)
        skeleton_delete(&messages, NFT_FORMER_TABLE);
    if (nft_commit(socket, &messages, job->generation, err) < 0)
        return -1;
    job->removed = view.listing.held_count;
    return 0;
}

/* Where there is no nf_tables, there is nothing to remove. */
static int keep_trying(nft_attempt *once, struct removal *job, const struct terms *terms,
                       struct error *err)
{
    struct error failure = {0};
    bool absent = false;

    if (nft_keep_trying(once, job, terms, &absent, &failure) < 0 && !absent) {
        *err = failure;
        return -1;
    }
    if (job->overtaken)
        return error_set(err, ERROR_TRY_AGAIN, "others have changed the ruleset meanwhile");
    return 0;
}

/*
 * Each has a socket of its own: when the first one is closed, the kernel waits until no packet is under way
 * in the rules that were deleted. Where others pass elsewhere, the first is left out: whoever has come to
 * the table just when it was retired, without looking at the generation, would be open until the move goes
 * on.
 */
static int remove_everything(struct removal *job, const struct terms *terms, struct error *err)
{
    job->retires = job->generation != 0 && verdict_denies(terms->others);
    do {
        if (keep_trying(remove_everything_once, job, terms, err) < 0)
            return -1;
    } while (job->again);
    return 0;
}

int nft_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
               struct error *err)
{
    struct removal job = {.selection = selection,
                          .generation = selection->as_seen ? selection->as_seen->generation : 0};

    if (selection->everything ? remove_everything(&job, terms, err) < 0
                              : keep_trying(remove_once, &job, terms, err) < 0)
        return -1;
    if (removed != NULL)
        *removed = job.removed;
    return 0;
}
