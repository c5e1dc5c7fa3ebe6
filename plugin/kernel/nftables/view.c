#include "kernel/nftables/view.h"

#include "kernel/nftables/changes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/endpoints.h"
#include "kernel/nftables/intervals.h"
#include "kernel/nftables/reply.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

/* What the answers have told so far. */
struct reading {
    struct nft_view view;
    struct nft_facts facts;
    struct nft_intervals intervals;
};

static void cleanup_reading(struct reading *reading)
{
    nft_view_free(&reading->view);
    nft_facts_free(&reading->facts);
    nft_intervals_free(&reading->intervals);
}

static int take_answer(const struct nlmsghdr *message, void *context, struct error *err)
{
    struct reading *reading = context;

    if (nft_reply_generation(message, &reading->view.generation))
        return 0;
    if (elements_are_guards(message))
        return elements_take(message, &reading->view.listing, err);
    skeleton_take_others(message, &reading->view.listing.others);
    if (nft_intervals_take(&reading->intervals, message, err) < 0)
        return -1;
    return nft_facts_take(&reading->facts, message, err);
}

static int ask_generation(struct nft_messages *messages, struct error *err)
{
    struct nlmsghdr *message = nft_messages_start(messages, NFT_MSG_GETGEN, 0);

    if (message == NULL)
        return error_no_memory(err);
    nft_messages_end(messages, message);
    return 0;
}

/* Everything that goes into one question: the generation comes first, a dump last. */
static int read_at_once(struct nft_socket *socket, const struct nft_question *question,
                        struct reading *reading, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};

    if (ask_generation(&messages, err) < 0)
        return -1;
    for (size_t i = 0; !question->all_guards && i < question->key_count; i++)
        if (elements_ask(&messages, question->keys[i], err) < 0)
            return -1;
    if (question->terms != NULL && skeleton_ask(&messages, err) < 0)
        return -1;
    if (question->terms == NULL && question->all_guards &&
        !nft_messages_add_name(&messages, NFT_MSG_GETTABLE, 0, 0, NULL))
        return error_no_memory(err);
    return nft_ask(socket, &messages, take_answer, reading, err);
}

static int read_endpoints(struct nft_socket *socket, const char *table, struct reading *reading,
                          struct error *err)
{
    for (size_t i = 0; i < ENDPOINT_SETS; i++) {
        cleanup(nft_messages) struct nft_messages messages = {0};

        if (endpoints_ask(&messages, table, &endpoint_sets[i], err) < 0 ||
            nft_ask(socket, &messages, take_answer, reading, err) < 0)
            return -1;
    }
    return 0;
}

static int read_all_guards(struct nft_socket *socket, const char *table, const char *map,
                           struct reading *reading, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};

    if (elements_ask_all(&messages, table, map, err) < 0 ||
        nft_ask(socket, &messages, take_answer, reading, err) < 0)
        return -1;
    held_sort(reading->view.listing.held, &reading->view.listing.held_count);
    return 0;
}

/* Adds the endpoints that stand beyond the terms. */
static int find_surplus(struct nft_intervals *standing, const struct terms *terms,
                        struct listing *listing, struct error *err)
{
    struct endpoint endpoint;
    size_t cursor = 0;

    nft_intervals_sort(standing);
    while (nft_intervals_next(standing, &cursor, &endpoint))
        if (!listing_surplus(listing, terms, &endpoint))
            return error_no_memory(err);
    return 0;
}

/* Whether the former guard is that of a later pod on the interface, which would be opened by ours. */
static bool succeeds(const struct held *former, const struct held *ours)
{
    return verdict_denies(former->guard.verdict) && !verdict_denies(ours->guard.verdict) &&
           tag_guards(former->tag) > 0 && !tags_have_same_owner(former->tag, ours->tag);
}

/* Adds guards to the listing, which is sorted and stays so: on interfaces that have none, or that of a
 * pod that was there before. *covered: there are none. */
static int add_former(struct listing *listing, const struct listing *more, bool *covered,
                      struct error *err)
{
    const struct listing sorted = *listing;
    cleanup(free_memory) const struct held **missing =
        calloc(more->held_count + 1, sizeof(*missing));
    size_t count = 0;
    size_t unused = 0;

    if (missing == NULL)
        return error_no_memory(err);
    *covered = true;
    for (size_t i = 0; i < more->held_count; i++) {
        const struct held *former = &more->held[i];
        const struct held *ours = listing_find(&sorted, former->guard.interface, &unused);

        if (ours != NULL && !succeeds(former, ours))
            continue;
        *covered = *covered && tag_guards(former->tag) == 0;
        if (ours == NULL)
            missing[count++] = former;
        else
            listing->held[ours - sorted.held] = *former;
    }
    for (size_t i = 0; i < count; i++)
        if (!listing_add(listing, missing[i]))
            return error_no_memory(err);
    held_sort(listing->held, &listing->held_count);
    return 0;
}

static int read_former(struct nft_socket *socket, const struct terms *terms, struct nft_view *view,
                       struct error *err)
{
    cleanup(reading) struct reading former = {0};
    struct listing *out = &view->listing;
    const size_t surplus = out->surplus_count;

    if (read_all_guards(socket, NFT_FORMER_TABLE, NFT_FORMER_MAP, &former, err) < 0 ||
        (terms->endpoint_count > 0 && (read_endpoints(socket, NFT_FORMER_TABLE, &former, err) < 0 ||
                                       find_surplus(&former.intervals, terms, out, err) < 0)) ||
        add_former(out, &former.view.listing, &view->covered, err) < 0)
        return -1;
    view->covered = view->covered && (terms->exactly || out->surplus_count == surplus);
    return 0;
}

/* What the sets have beyond the terms is no fault; only who wants it exactly so takes it away. */
static int judge(struct reading *reading, const struct terms *terms, struct error *err)
{
    struct listing *listing = &reading->view.listing;
    struct verdict_on_skeleton *skeleton = &reading->view.skeleton;
    struct terms beside = *terms;
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms all;

    beside.exactly = false;
    if (find_surplus(&reading->intervals, terms, listing, err) < 0 ||
        listing_terms(listing, &beside, &room, &all, err) < 0 ||
        skeleton_judge(&reading->facts, &all, listing, skeleton, err) < 0)
        return -1;
    skeleton->endpoints_wrong |= terms->exactly && listing->surplus_count > 0;
    return 0;
}

int nft_view_read(struct nft_socket *socket, const struct nft_question *question,
                  struct nft_view *out, struct error *err)
{
    cleanup(reading) struct reading reading = {.view.listing.others.verdict = VERDICT_PASS};
    struct nft_view *view = &reading.view;
    const struct terms *terms = question->terms;

    if (read_at_once(socket, question, &reading, err) < 0)
        return -1;
    held_sort(view->listing.held, &view->listing.held_count);
    view->table = nft_facts_have(&reading.facts, "table inet " NFT_TABLE);
    view->former = nft_facts_have(&reading.facts, "table inet " NFT_FORMER_TABLE);
    if (view->table && question->all_guards &&
        read_all_guards(socket, NFT_TABLE, NFT_MAP, &reading, err) < 0)
        return -1;
    if (view->table && terms != NULL &&
        ((terms->endpoint_count > 0 && read_endpoints(socket, NFT_TABLE, &reading, err) < 0) ||
         judge(&reading, terms, err) < 0))
        return -1;
    if (view->former && terms != NULL && question->all_guards &&
        read_former(socket, terms, view, err) < 0)
        return -1;
    view->listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    view->listing.present = view->table || view->former;
    view->listing.former = view->former;
    *out = reading.view;
    reading.view = (struct nft_view){0};
    return 0;
}

void nft_view_free(struct nft_view *view)
{
    listing_free(&view->listing);
}
