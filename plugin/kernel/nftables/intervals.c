#include "kernel/nftables/intervals.h"

#include "kernel/nftables/endpoints.h"
#include "kernel/nftables/reply.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

static const struct endpoint_set *set_named(const char *name)
{
    for (size_t i = 0; i < ENDPOINT_SETS; i++)
        if (name != NULL && strcmp(endpoint_sets[i].name, name) == 0)
            return &endpoint_sets[i];
    return NULL;
}

int nft_intervals_take(struct nft_intervals *intervals, const struct nlmsghdr *message,
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

        if (element.key == NULL || element.key_length != set->length)
            continue;
        grown = reallocarray(intervals->edges, intervals->count + 1, sizeof(*grown));
        if (grown == NULL)
            return error_no_memory(err);
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

void nft_intervals_sort(struct nft_intervals *intervals)
{
    if (intervals->count > 0)
        qsort(intervals->edges, intervals->count, sizeof(*intervals->edges), compare);
}

/* Bit `bit`, from the highest. */
static unsigned bit_of(const uint8_t *address, unsigned bit)
{
    return address[bit / 8] >> (7 - bit % 8) & 1U;
}

/*
 * The address that is one bit's worth behind `from`: the next network of prefix `bit` + 1. False if
 * there is none, which is how the last one of all ends.
 */
static bool step(const uint8_t *from, unsigned bit, uint8_t out[static 16])
{
    unsigned carry = 0x80U >> bit % 8;

    memcpy(out, from, 16);
    for (unsigned i = bit / 8 + 1; i-- > 0 && carry != 0; carry >>= 8) {
        carry += out[i];
        out[i] = (uint8_t)carry;
    }
    return carry == 0;
}

/* Whether [first, end) is one network; without an end, it goes on to the last address. */
static bool is_network(const struct nft_edge *first, const struct nft_edge *end,
                       struct endpoint *out)
{
    unsigned bits = first->family == FAMILY_IPV4 ? 32 : 128;
    uint8_t next[16];

    /* A network begins where the bits behind its prefix are 0: from the narrowest to the widest. */
    for (unsigned prefix = bits; prefix > 0; prefix--) {
        bool has_next = step(first->address, prefix - 1, next);

        if (end != NULL ? has_next && memcmp(next, end->address, sizeof(next)) == 0 : !has_next) {
            *out = (struct endpoint){.family = first->family, .prefix = prefix};
            memcpy(out->address, first->address, sizeof(out->address));
            return true;
        }
        if (bit_of(first->address, prefix - 1) != 0)
            return false;
    }
    return false;
}

bool nft_intervals_next(const struct nft_intervals *intervals, size_t *cursor, struct endpoint *out)
{
    while (*cursor < intervals->count) {
        const struct nft_edge *first = &intervals->edges[(*cursor)++];
        const struct nft_edge *next =
            *cursor < intervals->count && first[1].family == first->family ? &first[1] : NULL;

        if (first->is_end || (next != NULL && !next->is_end))
            continue;
        if (is_network(first, next, out))
            return true;
    }
    return false;
}

void nft_intervals_free(struct nft_intervals *intervals)
{
    free(intervals->edges);
    *intervals = (struct nft_intervals){0};
}
