/*
 * Arrays that grow, as a pointer to the items and their count: room is for the next power of two of
 * that, which nobody need keep. What has been given exactly its room must not grow so.
 */
#ifndef IMDS_GUARD_ARRAY_H
#define IMDS_GUARD_ARRAY_H

#include <stdlib.h>
#include <string.h>

/* A new item at the end, zeroed: its address. NULL without memory for it, and then all is as before. */
#define array_add(items, count)                                                                    \
    ({                                                                                             \
        __typeof__(items) array_items = (items);                                                   \
        __typeof__(*array_items) array_new = *array_items;                                         \
        const size_t array_count = *(count);                                                       \
                                                                                                   \
        if ((array_count & (array_count - 1)) == 0)                                                \
            array_new = reallocarray(array_new, array_count == 0 ? 1 : 2 * array_count,            \
                                     sizeof(*array_new));                                          \
        if (array_new) {                                                                           \
            *array_items = array_new;                                                              \
            array_new += (*(count))++;                                                             \
            memset(array_new, 0, sizeof(*array_new));                                              \
        }                                                                                          \
        array_new;                                                                                 \
    })

#endif
