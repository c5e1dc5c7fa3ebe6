#include "kernel/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for one more, where an array has room for the next power of two of its count. */
static bool grow(void *array_address, size_t count, size_t size)
{
    void **array = array_address;

    if ((count & (count - 1)) != 0)
        return true;
    void *grown = reallocarray(*array, count == 0 ? 1 : count * 2, size);
    if (grown == NULL)
        return false;
    *array = grown;
    return true;
}

bool listing_add(struct listing *listing, const struct held *held)
{
    if (!grow(&listing->held, listing->held_count, sizeof(*listing->held)))
        return false;
    listing->held[listing->held_count++] = *held;
    return true;
}

bool listing_fault(struct listing *listing, const char *format, ...)
{
    char *fault;
    va_list args;
    int length;

    if (!grow(&listing->faults, listing->fault_count, sizeof(*listing->faults)))
        return false;
    va_start(args, format);
    length = vasprintf(&fault, format, args);
    va_end(args);
    if (length < 0)
        return false;
    listing->faults[listing->fault_count++] = fault;
    return true;
}

int held_compare(const void *a, const void *b)
{
    return guard_compare(&((const struct held *)a)->guard, &((const struct held *)b)->guard);
}

const struct held *listing_find(const struct listing *listing, const struct guard *place,
                                size_t *count)
{
    const struct held key = {.guard = *place};
    const struct held *end = listing->held + listing->held_count;
    const struct held *first = NULL;

    *count = 0;
    if (listing->held_count > 0)
        first = bsearch(&key, listing->held, listing->held_count, sizeof(key), held_compare);
    if (first == NULL)
        return NULL;
    while (first > listing->held && held_compare(first - 1, &key) == 0)
        first--;
    while (first + *count < end && held_compare(first + *count, &key) == 0)
        ++*count;
    return first;
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
