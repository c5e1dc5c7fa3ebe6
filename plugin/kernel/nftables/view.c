#include "kernel/nftables/view.h"

#include "kernel/nftables/changes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/endpoints.h"
#include "kernel/nftables/intervals.h"
#include "kernel/nftables/reply.h"
#include "kernel/surplus.h"

#include <linux/netfilter/nf_tables.h>

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
        if (elements_ask(&messages, question->keys[i].direction, question->keys[i].interface, err) <
            0)
            return -1;
    if (question->terms != NULL && skeleton_ask(&messages, err) < 0)
        return -1;
    if (question->terms == NULL && question->all_guards &&
        !nft_messages_add_name(&messages, NFT_MSG_GETTABLE, 0, 0, NULL))
        return error_no_memory(err);
    return nft_ask(socket, &messages, take_answer, reading, err);
}

static int read_endpoints(struct nft_socket *socket, struct reading *reading, struct error *err)
{
    for (size_t i = 0; i < ENDPOINT_SETS; i++) {
        cleanup(nft_messages) struct nft_messages messages = {0};

        if (endpoints_ask(&messages, &endpoint_sets[i], err) < 0 ||
            nft_ask(socket, &messages, take_answer, reading, err) < 0)
            return -1;
    }
    return 0;
}

static int read_all_guards(struct nft_socket *socket, struct reading *reading, struct error *err)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        cleanup(nft_messages) struct nft_messages messages = {0};

        if (elements_ask_all(&messages, direction, err) < 0 ||
            nft_ask(socket, &messages, take_answer, reading, err) < 0)
            return -1;
    }
    return 0;
}

static bool has_table(const struct reading *reading)
{
    return nft_facts_have(&reading->facts, "table inet " NFT_TABLE);
}

static int find_surplus(struct reading *reading, const struct terms *terms, struct error *err)
{
    struct endpoint endpoint;
    size_t cursor = 0;

    nft_intervals_sort(&reading->intervals);
    while (nft_intervals_next(&reading->intervals, &cursor, &endpoint))
        if (!surplus_add(&reading->view.listing, terms, &endpoint))
            return error_no_memory(err);
    return 0;
}

/* What the sets have beyond the terms is somebody else's endpoint, and no fault. */
static int judge(struct reading *reading, const struct terms *terms, struct error *err)
{
    struct listing *listing = &reading->view.listing;
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms all;

    listing->present = has_table(reading);
    if (!listing->present)
        return 0;
    if (find_surplus(reading, terms, err) < 0 ||
        surplus_unite(listing, terms, &room, &all, err) < 0)
        return -1;
    return skeleton_judge(&reading->facts, &all, listing, &reading->view.skeleton, err);
}

int nft_view_read(struct nft_socket *socket, const struct nft_question *question,
                  struct nft_view *out, struct error *err)
{
    cleanup(reading) struct reading reading = {0};
    const struct terms *terms = question->terms;

    if (read_at_once(socket, question, &reading, err) < 0)
        return -1;
    if (terms != NULL && terms->endpoint_count > 0 && reading.facts.count > 0 &&
        read_endpoints(socket, &reading, err) < 0)
        return -1;
    if (question->all_guards && has_table(&reading) && read_all_guards(socket, &reading, err) < 0)
        return -1;
    if (terms != NULL && judge(&reading, terms, err) < 0)
        return -1;
    held_sort(reading.view.listing.held, &reading.view.listing.held_count);
    reading.view.listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    *out = reading.view;
    reading.view = (struct nft_view){0};
    return 0;
}

void nft_view_free(struct nft_view *view)
{
    listing_free(&view->listing);
}
