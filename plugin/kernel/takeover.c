#include "kernel/takeover.h"

#include <stdlib.h>
#include <string.h>

static int compare_places(const struct guard *a, const struct guard *b)
{
    int order = strcmp(a->interface, b->interface);

    return order != 0 ? order : (int)a->direction - (int)b->direction;
}

static int compare_guards(const void *a, const void *b)
{
    return compare_places(*(const struct guard *const *)a, *(const struct guard *const *)b);
}

/* The owner is a tag's text up to the first space (owner.h). */
static int compare_owners(const void *a, const void *b)
{
    const char *left = *(const char *const *)a;
    const char *right = *(const char *const *)b;
    size_t left_length = strcspn(left, " ");
    size_t right_length = strcspn(right, " ");
    int order = memcmp(left, right, left_length < right_length ? left_length : right_length);

    if (order != 0)
        return order;
    return (left_length > right_length) - (left_length < right_length);
}

int takeover_make(const struct plan *plans, size_t plan_count, struct takeover *out,
                  struct error *err)
{
    cleanup(takeover) struct takeover takeover = {0};
    size_t guard_count = 0;

    for (size_t i = 0; i < plan_count; i++)
        guard_count += plans[i].guard_count;
    /* One more than needed: a calloc of nothing may give NULL. */
    takeover.guards = calloc(guard_count + 1, sizeof(*takeover.guards));
    takeover.tags = calloc(plan_count + 1, sizeof(*takeover.tags));
    if (takeover.guards == NULL || takeover.tags == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < plan_count; i++) {
        takeover.tags[takeover.tag_count++] = plans[i].tag;
        for (size_t j = 0; j < plans[i].guard_count; j++)
            takeover.guards[takeover.guard_count++] = &plans[i].guards[j];
    }
    qsort(takeover.guards, takeover.guard_count, sizeof(*takeover.guards), compare_guards);
    qsort(takeover.tags, takeover.tag_count, sizeof(*takeover.tags), compare_owners);
    *out = takeover;
    takeover = (struct takeover){0};
    return 0;
}

void takeover_free(struct takeover *takeover)
{
    free(takeover->guards);
    free(takeover->tags);
    *takeover = (struct takeover){0};
}

bool takeover_covers(const struct held *held, const void *context)
{
    const struct takeover *takeover = context;
    const struct guard *guard = &held->guard;
    const char *tag = held->tag;

    if (bsearch(&guard, takeover->guards, takeover->guard_count, sizeof(*takeover->guards),
                compare_guards) != NULL)
        return true;
    const char **found =
        bsearch(&tag, takeover->tags, takeover->tag_count, sizeof(*takeover->tags), compare_owners);
    return found != NULL && tags_have_same_owner(*found, tag);
}
