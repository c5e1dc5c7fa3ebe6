#include "kernel/nftables/endpoints.h"

#include "kernel/nftables/reply.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* nft(8)'s numbers, which it needs to print addresses; the kernel only keeps them. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8 };

const struct endpoint_set endpoint_sets[ENDPOINT_SETS] = {
    {"endpoints4", FAMILY_IPV4, NFPROTO_IPV4, 16, 4, TYPE_IPV4, {{169, 254}, 2}},
    {"endpoints6", FAMILY_IPV6, NFPROTO_IPV6, 24, 16, TYPE_IPV6, {{0xfd, 0x00, 0x0e, 0xc2}, 4}},
};

bool endpoint_is_usual(const struct endpoint *endpoint)
{
    const struct endpoint_set *set = &endpoint_sets[endpoint->family == FAMILY_IPV4 ? 0 : 1];

    return endpoint->prefix >= 8 * set->usual.length &&
           memcmp(endpoint->address, set->usual.bytes, set->usual.length) == 0;
}

unsigned endpoints_usual(const struct terms *terms)
{
    unsigned families = FAMILY_IPV4 | FAMILY_IPV6;

    for (size_t i = 0; i < terms->endpoint_count; i++)
        if (!endpoint_is_usual(&terms->endpoints[i]))
            families &= ~(unsigned)terms->endpoints[i].family;
    return families;
}

/* --- making -------------------------------------------------------------------------------------- */

/* set endpoints4 { type ipv4_addr; flags interval; } */
void endpoints_make(struct netlink_messages *messages, const struct endpoint_set *set)
{
    struct nlmsghdr *message = nft_message_start(messages, NFT_MSG_NEWSET, NLM_F_CREATE);

    nft_put_set(message, set->name, set->family, NFT_SET_INTERVAL, set->type, set->length,
                NFT_BIG_ENDIAN);
    netlink_message_end(messages, message);
}

static void put_edge(struct nlmsghdr *message, const uint8_t *address, uint32_t length,
                     uint32_t flags)
{
    struct nlattr *edge = nft_element_start(message, address, length);

    if (flags != 0)
        nft_put_u32(message, NFTA_SET_ELEM_FLAGS, flags);
    mnl_attr_nest_end(message, edge);
}

/* The first address after the endpoint's last one; false if there is none. */
static bool address_after(const struct endpoint *endpoint, uint32_t length, uint8_t out[static 16])
{
    memcpy(out, endpoint->address, 16);
    for (unsigned bit = endpoint->prefix; bit < 8 * length; bit++)
        out[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
    for (uint32_t i = length; i-- > 0;)
        if (++out[i] != 0)
            return true;
    return false;
}

static void finish(struct netlink_messages *messages, struct nlmsghdr *message, struct nlattr *list)
{
    if (message == NULL)
        return;
    mnl_attr_nest_end(message, list);
    netlink_message_end(messages, message);
}

/* A message stays below NETLINK_MESSAGE_MAX: an edge of IPv6 takes 36 bytes, and an endpoint two. */
#define ENDPOINTS_PER_MESSAGE 12

/* elements = { 169.254.169.254, 10.0.0.0/8 } */
void endpoints_add(struct netlink_messages *messages, const struct endpoint_set *set,
                   const struct terms *terms)
{
    struct nlmsghdr *message = NULL;
    struct nlattr *list = NULL;
    unsigned added = 0;

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        const struct endpoint *endpoint = &terms->endpoints[i];
        uint8_t end[16];

        if (endpoint->family != set->family)
            continue;
        if (added++ % ENDPOINTS_PER_MESSAGE == 0) {
            finish(messages, message, list);
            message = nft_message_start(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
            list = nft_elements_start(message, set->name);
        }
        put_edge(message, endpoint->address, set->length, 0);
        if (address_after(endpoint, set->length, end))
            put_edge(message, end, set->length, NFT_SET_ELEM_INTERVAL_END);
    }
    finish(messages, message, list);
}

/* --- reading ------------------------------------------------------------------------------------- */

static const struct endpoint_set *set_named(const char *name)
{
    for (size_t i = 0; i < ENDPOINT_SETS; i++)
        if (strcmp(endpoint_sets[i].name, name) == 0)
            return &endpoint_sets[i];
    return NULL;
}

int endpoints_take(struct nft_intervals *intervals, const struct nlmsghdr *message,
                   struct error *err)
{
    struct nft_elements elements;
    struct nft_element element;
    const struct nlattr *cursor = NULL;
    const struct endpoint_set *set;

    if (!nft_reply_elements(message, &elements) || (set = set_named(elements.set)) == NULL)
        return 0;
    while (nft_reply_next_element(&elements, &cursor, &element)) {
        struct nft_edge edge = {.family = set->family};
        struct nft_edge *grown;

        grown = reallocarray(intervals->edges, intervals->count + 1, sizeof(*grown));
        if (grown == NULL)
            return error_no_memory(err);
        edge.is_odd = element.key == NULL || element.key_length != set->length;
        if (!edge.is_odd)
            memcpy(edge.address, element.key, set->length);
        edge.is_end = element.flags & NFT_SET_ELEM_INTERVAL_END;
        intervals->edges = grown;
        intervals->edges[intervals->count++] = edge;
    }
    return 0;
}

/* Where one interval ends and the next begins, the end comes first. */
static int compare(const void *left, const void *right)
{
    const struct nft_edge *a = left;
    const struct nft_edge *b = right;
    int order = (int)a->family - (int)b->family;

    order = order != 0 ? order : memcmp(a->address, b->address, sizeof(a->address));
    return order != 0 ? order : (int)b->is_end - (int)a->is_end;
}

/* Bit `bit`, from the highest. */
static unsigned bit_of(const uint8_t *address, unsigned bit)
{
    return address[bit / 8] >> (7 - bit % 8) & 1U;
}

/* Whether [first, end) is one network; without an end, it goes on to the last address. */
static bool is_network(const struct nft_edge *first, const struct nft_edge *end,
                       struct endpoint *out)
{
    uint32_t length = first->family == FAMILY_IPV4 ? 4 : 16;
    struct endpoint network = {.family = first->family, .prefix = 8 * length};
    uint8_t next[16];

    memcpy(network.address, first->address, sizeof(network.address));
    /* A network begins where the bits behind its prefix are 0: from the narrowest to the widest. */
    for (; network.prefix > 0; network.prefix--) {
        bool has_next = address_after(&network, length, next);

        if (end != NULL ? has_next && memcmp(next, end->address, sizeof(next)) == 0 : !has_next) {
            *out = network;
            return true;
        }
        if (bit_of(first->address, network.prefix - 1) != 0)
            return false;
    }
    return false;
}

/* nft(8) marks where nothing is, before the first interval: an end that ends none. */
static bool is_leading_end(const struct nft_edge *edge)
{
    static const uint8_t zero[16];

    return edge->is_end && memcmp(edge->address, zero, sizeof(zero)) == 0;
}

/* The endpoint that begins with the edge and ends with the next one (NULL: there is none). */
static bool is_endpoint(const struct nft_edge *first, const struct nft_edge *next,
                        struct endpoint *out)
{
    return !first->is_odd && !first->is_end && (next == NULL || (next->is_end && !next->is_odd)) &&
           is_network(first, next, out);
}

static bool tell(struct listing *faults, const struct nft_edge *edge)
{
    const struct endpoint_set *set = &endpoint_sets[edge->family == FAMILY_IPV4 ? 0 : 1];
    struct endpoint address = {.family = edge->family, .prefix = 8 * set->length};
    char text[ENDPOINT_TEXT_SIZE];

    if (faults == NULL)
        return true;
    memcpy(address.address, edge->address, sizeof(address.address));
    endpoint_text(&address, text);
    return listing_fault(faults, "%s%s in set %s should not be there",
                         edge->is_end ? "end before " : "", edge->is_odd ? "*" : text, set->name);
}

int endpoints_read(struct nft_intervals *intervals, struct endpoint **out, size_t *count,
                   struct listing *faults, struct error *err)
{
    cleanup(free_memory) struct endpoint *found = calloc(intervals->count + 1, sizeof(*found));
    size_t found_count = 0;

    if (found == NULL)
        return error_no_memory(err);
    if (intervals->count > 0)
        qsort(intervals->edges, intervals->count, sizeof(*intervals->edges), compare);
    for (size_t i = 0; i < intervals->count; i++) {
        const struct nft_edge *edge = &intervals->edges[i];
        const struct nft_edge *next =
            i + 1 < intervals->count && edge[1].family == edge->family ? edge + 1 : NULL;

        if (is_endpoint(edge, next, &found[found_count]))
            found_count++;
        else if (!is_leading_end(edge) && !tell(faults, edge))
            return error_no_memory(err);
        i += !edge->is_end && next != NULL && next->is_end;
    }
    *out = steal(&found);
    *count = found_count;
    return 0;
}
