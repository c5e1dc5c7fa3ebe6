/*
 * A set of tags (owner.h), as texts. Pure.
 */
#ifndef IMDS_GUARD_TAGS_H
#define IMDS_GUARD_TAGS_H

#include <stdbool.h>
#include <stddef.h>

struct tags {
    const char **items; /* the texts are borrowed */
    size_t count;
};

/* Puts the items into the order that tags_have looks in. */
void tags_sort(struct tags *tags);

/* Whether this very text is in the set, which tags_sort has sorted. */
bool tags_have(const struct tags *tags, const char *tag);

/* How often it is: as many guards as are held carry it. */
size_t tags_count(const struct tags *tags, const char *tag);

#endif
