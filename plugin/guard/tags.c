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

bool tags_have(const struct tags *tags, const char *tag)
{
    return tags->count > 0 &&
           bsearch(&tag, tags->items, tags->count, sizeof(*tags->items), compare) != NULL;
}
