#include "kernel/nftables/view.h"

#include "guard/array.h"
#include "kernel/nftables/changes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/reply.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* What the answers have told so far. */
struct reading {
    struct nft_view view;
    struct nft_facts facts;
};

static void cleanup_reading(struct reading *reading)
{
    nft_view_free(&reading->view);
    nft_facts_free(&reading->facts);
}

static int take_answer(const struct nlmsghdr *message, void *context, struct error *err)
{
    struct reading *reading = context;

    if (nft_reply_generation(message, &reading->view.listing.generation))
        return 0;
    skeleton_take_others(message, &reading->view.listing.others);
    if (elements_take(message, &reading->view.listing, &reading->view.going, err) < 0)
        return -1;
    return nft_facts_take(&reading->facts, message, err);
}

/* Everything that goes into one question: the generation comes first, a dump last. */
static int read_at_once(struct nft_socket *socket, const struct nft_question *question,
                        struct reading *reading, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    netlink_message_end(&messages, nft_message_start(&messages, NFT_MSG_GETGEN, 0));
    nft_message_add(&messages, NFT_FORMER_TABLE, NFT_MSG_GETTABLE, 0, 0, NULL);
    nft_message_add(&messages, NFT_TABLE, NFT_MSG_GETTABLE, 0, 0, NULL);
    for (size_t i = 0; !question->all_guards && i < question->name_count; i++)
        elements_ask(&messages, question->names[i]);
    if (question->terms != NULL)
        skeleton_ask(&messages);
    return nft_ask(socket, &messages, take_answer, reading, err);
}

/* All elements of a set or map: a dump. */
static int read_set(struct nft_socket *socket, const char *table, const char *set, nft_answer *take,
                    void *context, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    nft_message_add(&messages, table, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFTA_SET_ELEM_LIST_SET, set);
    return nft_ask(socket, &messages, take, context, err);
}

/* --- version 0.1.0 ------------------------------------------------------------------------------ */

/* Its endpoints are intervals, one of each family's set two elements: its first address, and the first one
 * behind it. */
struct edge {
    uint8_t address[16];
    bool is_end;
};

struct edges {
    size_t length; /* of an address */
    struct edge *edges;
    size_t count;
};

static int take_edges(const struct nlmsghdr *message, void *context, struct error *err)
{
    struct edges *edges = context;
    struct nft_elements elements;
    struct nft_element element;
    const struct nlattr *cursor = NULL;

    if (!nft_reply_elements(message, &elements))
        return 0;
    while (nft_reply_next_element(&elements, &cursor, &element)) {
        struct edge *edge;

        if (element.key_length != edges->length)
            continue;
        edge = array_add(&edges->edges, &edges->count);
        if (edge == NULL)
            return error_no_memory(err);
        *edge = (struct edge){.is_end = element.flags & NFT_SET_ELEM_INTERVAL_END};
        memcpy(edge->address, element.key, edges->length);
    }
    return 0;
}

/* Where one interval ends and the next begins, the end comes first. */
static int compare_edges(const void *left, const void *right)
{
    const struct edge *a = left;
    const struct edge *b = right;
    int order = memcmp(a->address, b->address, sizeof(a->address));

    return order != 0 ? order : (int)b->is_end - (int)a->is_end;
}

/* The network that begins with the one and ends before the other (NULL: with the last address). */
static struct endpoint network_of(const struct edge *first, const struct edge *end, size_t length)
{
    struct endpoint network = {.family = length == 4 ? FAMILY_IPV4 : FAMILY_IPV6};
    uint8_t last[16];

    memcpy(network.address, first->address, length);
    memset(last, 0xff, sizeof(last));
    if (end != NULL)
        memcpy(last, end->address, length);
    for (size_t i = length; end != NULL && i-- > 0 && last[i]-- == 0;)
        ;
    while (network.prefix < 8 * length &&
           !((last[network.prefix / 8] ^ first->address[network.prefix / 8]) &
             0x80U >> network.prefix % 8))
        network.prefix++;
    return network;
}

static int read_former_endpoints(struct nft_socket *socket, const char *set, size_t length,
                                 const struct terms *terms, struct listing *out, struct error *err)
{
    struct edges found = {.length = length};
    cleanup(free_memory) struct edge *edges = NULL;
    int result = read_set(socket, NFT_FORMER_TABLE, set, take_edges, &found, err);

    edges = found.edges;
    if (result < 0)
        return -1;
    if (found.count > 0)
        qsort(edges, found.count, sizeof(*edges), compare_edges);
    for (size_t i = 0; i < found.count; i++) {
        const struct edge *end = i + 1 < found.count ? &edges[i + 1] : NULL;
        const struct endpoint network = network_of(&edges[i], end, length);

        if (!edges[i].is_end && (end == NULL || end->is_end) && network.prefix > 0)
            listing_surplus(out, terms, &network);
    }
    return 0;
}

/* Whether the former guard is that of a later pod on the interface, which would be opened by ours. */
static bool succeeds(const struct held *former, const struct held *ours)
{
    return verdict_denies(former->guard.verdict) && !verdict_denies(ours->guard.verdict) &&
           tag_guards(former->tag) > 0 && !tags_have_same_owner(former->tag, ours->tag);
}

/* Adds guards to the listing, which is sorted and stays so: on interfaces that have none, or that of a
 * pod that was there before. *covered: there are none. `more` is used up. */
static void add_former(struct listing *listing, struct listing *more, bool *covered)
{
    size_t missing = 0;
    size_t unused = 0;

    *covered = true;
    for (size_t i = 0; i < more->held_count; i++) {
        const struct held *former = &more->held[i];
        const struct held *ours = listing_find(listing, former->guard.interface, &unused);

        if (ours != NULL && !succeeds(former, ours))
            continue;
        *covered = *covered && tag_guards(former->tag) == 0;
        if (ours == NULL)
            more->held[missing++] = *former;
        else
            listing->held[ours - listing->held] = *former;
    }
    for (size_t i = 0; i < missing; i++)
        listing_add(listing, &more->held[i]);
    held_sort(listing->held, &listing->held_count);
}

static int read_former(struct nft_socket *socket, const struct terms *terms, struct nft_view *view,
                       struct error *err)
{
    cleanup(reading) struct reading former = {0};
    struct listing *more = &former.view.listing;
    struct listing *out = &view->listing;
    const size_t surplus = out->surplus_count;

    if (read_set(socket, NFT_FORMER_TABLE, NFT_FORMER_MAP, take_answer, &former, err) < 0 ||
        (terms->endpoint_count > 0 &&
         (read_former_endpoints(socket, "endpoints4", 4, terms, out, err) < 0 ||
          read_former_endpoints(socket, "endpoints6", 16, terms, out, err) < 0)))
        return -1;
    held_sort(more->held, &more->held_count);
    add_former(out, more, &view->covered);
    view->covered = view->covered && (terms->exactly || out->surplus_count == surplus);
    return listing_complete(out, err);
}

/* ------------------------------------------------------------------------------------------------ */

int nft_view_read(struct nft_socket *socket, const struct nft_question *question,
                  struct nft_view *out, struct error *err)
{
    cleanup(reading) struct reading reading = {.view.listing.others.verdict = VERDICT_PASS};
    struct nft_view *view = &reading.view;
    struct listing *listing = &view->listing;
    const struct terms *terms = question->terms;

    if (read_at_once(socket, question, &reading, err) < 0)
        return -1;
    view->table = nft_facts_find(&reading.facts, "table inet " NFT_TABLE, 0);
    listing->former = nft_facts_find(&reading.facts, "table inet " NFT_FORMER_TABLE, 0);
    listing->present = view->table || listing->former;
    listing->families = FAMILY_IPV4 | FAMILY_IPV6;
    if (view->table && question->all_guards &&
        read_set(socket, NFT_TABLE, NFT_MAP, take_answer, &reading, err) < 0)
        return -1;
    held_sort(listing->held, &listing->held_count);
    held_sort(view->going.held, &view->going.held_count);
    if (view->table && terms != NULL &&
        skeleton_judge(&reading.facts, terms, listing, &view->skeleton, err) < 0)
        return -1;
    if (listing->former && terms != NULL && question->all_guards &&
        read_former(socket, terms, view, err) < 0)
        return -1;
    *out = steal(&reading.view);
    return 0;
}

void nft_view_free(struct nft_view *view)
{
    listing_free(&view->listing);
    listing_free(&view->going);
}
