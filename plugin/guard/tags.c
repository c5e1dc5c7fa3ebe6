#include "guard/tags.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void tags_sort(struct tags *tags)
{
    if (tags->count > 0)
        qsort(tags->items, tags->count, sizeof(*tags->items), compare);
}

static const char **find(const struct tags *tags, const char *tag)
{
    return tags->count == 0
               ? NULL
               : bsearch(&tag, tags->items, tags->count, sizeof(*tags->items), compare);
}

bool tags_have(const struct tags *tags, const char *tag)
{
    return find(tags, tag) != NULL;
}

size_t tags_count(const struct tags *tags, const char *tag)
{
    const char **end = tags->items + tags->count;
    const char **first = find(tags, tag);
    size_t count = 0;

    if (first == NULL)
        return 0;
    while (first > tags->items && strcmp(first[-1], tag) == 0)
        first--;
    while (first + count < end && strcmp(first[count], tag) == 0)
        count++;
    return count;
}
