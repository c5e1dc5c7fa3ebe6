#include "kernel/surplus.h"

#include <string.h>

static bool is_within(const struct endpoint *endpoints, size_t count, const struct endpoint *inner)
{
    for (size_t i = 0; i < count; i++)
        if (endpoint_contains(&endpoints[i], inner))
            return true;
    return false;
}

bool surplus_add(struct listing *listing, const struct terms *terms,
                 const struct endpoint *standing)
{
    struct endpoint *grown;

    if (is_within(terms->endpoints, terms->endpoint_count, standing) ||
        is_within(listing->surplus, listing->surplus_count, standing))
        return true;
    grown = reallocarray(listing->surplus, listing->surplus_count + 1, sizeof(*grown));
    if (grown == NULL)
        return false;
    listing->surplus = grown;
    listing->surplus[listing->surplus_count++] = *standing;
    return true;
}

bool surplus_may_go(const struct listing *listing, const struct terms *terms)
{
    for (size_t i = 0; terms->agreed != NULL && i < listing->held_count; i++)
        if (!tags_have(terms->agreed, listing->held[i].tag))
            return false;
    return terms->agreed != NULL;
}

int surplus_unite(const struct listing *listing, const struct terms *terms, struct endpoint **room,
                  struct terms *out, struct error *err)
{
    size_t count = terms->endpoint_count + listing->surplus_count;
    struct endpoint *all = calloc(count + 1, sizeof(*all));

    if (all == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        all[i] = i < terms->endpoint_count ? terms->endpoints[i]
                                           : listing->surplus[i - terms->endpoint_count];
    *room = all;
    *out = *terms;
    out->endpoints = all;
    out->endpoint_count = endpoints_normalise(all, count);
    return 0;
}
