#include "kernel/links/known.h"

#include "kernel/links/links.h"

#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct link_reply *)a)->link.name,
                  ((const struct link_reply *)b)->link.name);
}

static int compare_indices(const void *a, const void *b)
{
    const int left = (*(const struct link_reply *const *)a)->link.index;
    const int right = (*(const struct link_reply *const *)b)->link.index;

    return (left > right) - (left < right);
}

void known_links_read(struct known_links *out)
{
    cleanup(known_links) struct known_links known = {0};
    struct error unused;

    *out = known;
    if (links_all(&known.all, &known.count, &unused) < 0 || known.count == 0)
        return;
    known.by_index = calloc(known.count, sizeof(*known.by_index));
    if (known.by_index == NULL)
        return;
    qsort(known.all, known.count, sizeof(*known.all), compare_names);
    for (size_t i = 0; i < known.count; i++)
        known.by_index[i] = &known.all[i];
    qsort(known.by_index, known.count, sizeof(*known.by_index), compare_indices);
    *out = steal(&known);
}

void known_links_free(struct known_links *known)
{
    free(known->all);
    free(known->by_index);
    *known = (struct known_links){0};
}

const struct link_reply *known_links_find(const struct known_links *known,
                                          const struct link_question *question)
{
    struct link_reply wanted = {.link.index = question->index};
    const struct link_reply *key = &wanted;
    const struct link_reply **found = NULL;

    if (known == NULL || known->count == 0 || question->number != NULL)
        return NULL;
    if (question->name != NULL) {
        snprintf(wanted.link.name, sizeof(wanted.link.name), "%s", question->name);
        return bsearch(key, known->all, known->count, sizeof(*key), compare_names);
    }
    found = bsearch(&key, known->by_index, known->count, sizeof(key), compare_indices);
    return found != NULL ? *found : NULL;
}
