#include "kernel/backend.h"

#include "guard/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void listing_add(struct listing *listing, const struct held *held)
{
    struct held *added = array_add(&listing->held, &listing->held_count);

    if (added != NULL)
        *added = *held;
    else
        listing->incomplete = true;
}

void listing_fault(struct listing *listing, const char *format, ...)
{
    char **added = array_add(&listing->faults, &listing->fault_count);
    va_list args;

    va_start(args, format);
    if (added == NULL || vasprintf(added, format, args) < 0) {
        listing->incomplete = true;
        listing->fault_count -= added != NULL;
    }
    va_end(args);
}

int listing_complete(const struct listing *listing, struct error *err)
{
    return listing->incomplete ? error_no_memory(err) : 0;
}

int held_compare(const void *a, const void *b)
{
    return strcmp(((const struct held *)a)->guard.interface,
                  ((const struct held *)b)->guard.interface);
}

static int compare_name(const void *interface, const void *held)
{
    return strcmp(interface, ((const struct held *)held)->guard.interface);
}

const struct held *listing_find(const struct listing *listing, const char *interface, size_t *count)
{
    const struct held *end = listing->held + listing->held_count;
    const struct held *first = NULL;

    *count = 0;
    if (listing->held_count > 0)
        first =
            bsearch(interface, listing->held, listing->held_count, sizeof(*first), compare_name);
    if (first == NULL)
        return NULL;
    while (first > listing->held && compare_name(interface, first - 1) == 0)
        first--;
    while (first + *count < end && compare_name(interface, first + *count) == 0)
        ++*count;
    return first;
}

void listing_surplus(struct listing *listing, const struct terms *terms,
                     const struct endpoint *standing)
{
    struct endpoint *added;

    if (endpoints_contain(terms->endpoints, terms->endpoint_count, standing) ||
        endpoints_contain(listing->surplus, listing->surplus_count, standing))
        return;
    added = array_add(&listing->surplus, &listing->surplus_count);
    if (added != NULL)
        *added = *standing;
    else
        listing->incomplete = true;
}

int listing_terms(const struct listing *listing, const struct terms *terms, struct endpoint **room,
                  struct terms *out, struct error *err)
{
    size_t surplus = terms->exactly ? 0 : listing->surplus_count;
    size_t count = terms->endpoint_count + surplus;
    struct endpoint *all = calloc(count + 1, sizeof(*all));

    if (all == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        all[i] = i < terms->endpoint_count ? terms->endpoints[i]
                                           : listing->surplus[i - terms->endpoint_count];
    *room = all;
    *out = *terms;
    out->endpoints = all;
    out->endpoint_count = surplus > 0 ? endpoints_normalise(all, count) : count;
    if (!terms->exactly && listing->present && verdict_denies(listing->others.verdict))
        out->others = listing->others.verdict;
    return 0;
}

void listing_free(struct listing *listing)
{
    for (size_t i = 0; i < listing->fault_count; i++)
        free(listing->faults[i]);
    free(listing->faults);
    free(listing->surplus);
    free(listing->held);
    *listing = (struct listing){0};
}

struct terms terms_of(const struct config *config)
{
    return (struct terms){
        .endpoints = config->endpoints,
        .endpoint_count = config->endpoint_count,
        .others = config_others(config),
        .lock_timeout_seconds = config->lock_timeout_seconds,
    };
}
