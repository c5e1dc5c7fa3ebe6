#include "kernel/wanted.h"

#include "guard/names.h"

#include <string.h>

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct wanted_guard *)a)->guard->interface,
                  ((const struct wanted_guard *)b)->guard->interface);
}

static int compare_name(const void *interface, const void *wanted)
{
    return strcmp(interface, ((const struct wanted_guard *)wanted)->guard->interface);
}

/* By interface; the one that counts comes last. */
static int compare_wanted(const void *a, const void *b)
{
    const struct wanted_guard *left = a;
    const struct wanted_guard *right = b;
    bool left_denies = verdict_denies(left->guard->verdict);
    int order = compare_places(a, b);

    if (order != 0)
        return order;
    if (left->guard->proven != right->guard->proven)
        return left->guard->proven ? 1 : -1;
    if (left_denies != verdict_denies(right->guard->verdict))
        return left_denies ? 1 : -1;
    return left->rank < right->rank ? -1 : left->rank > right->rank;
}

int wanted_check(const struct plan *plan, struct error *err)
{
    struct tag tag;

    if (!tag_parse(plan->tag, &tag))
        return error_set(err, ERROR_KERNEL, "'%s' names no owner, so no guard is made for it",
                         plan->tag);
    for (size_t i = 0; i < plan->guard_count; i++) {
        const char *name = plan->guards[i].interface;

        if (!name_is_interface(name))
            return error_set(err, ERROR_KERNEL, "'%s' can be no interface, so it gets no rule",
                             name);
    }
    return 0;
}

int wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out, struct error *err)
{
    cleanup(wanted) struct wanted wanted = {.plans = plans, .plan_count = plan_count};
    size_t guard_count = 0;

    for (size_t i = 0; i < plan_count; i++) {
        if (wanted_check(&plans[i], err) < 0)
            return -1;
        guard_count += plans[i].guard_count;
    }
    wanted.guards = calloc(guard_count + 1, sizeof(*wanted.guards));
    if (!wanted.guards)
        return error_no_memory(err);
    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++)
            wanted.guards[wanted.guard_count++] =
                (struct wanted_guard){&plans[i].guards[j], plans[i].tag, i};
    qsort(wanted.guards, wanted.guard_count, sizeof(*wanted.guards), compare_wanted);
    /* Of those with the same place the last one stays. */
    wanted.guard_count = 0;
    for (size_t i = 0; i < guard_count; i++)
        if (i + 1 == guard_count || compare_places(&wanted.guards[i], &wanted.guards[i + 1]) != 0)
            wanted.guards[wanted.guard_count++] = wanted.guards[i];
    *out = steal(&wanted);
    return 0;
}

void wanted_free(struct wanted *wanted)
{
    free(wanted->guards);
    *wanted = (struct wanted){0};
}

const struct wanted_guard *wanted_find(const struct wanted *wanted, const char *interface)
{
    return bsearch(interface, wanted->guards, wanted->guard_count, sizeof(*wanted->guards),
                   compare_name);
}

bool wanted_takes_over(const struct wanted_guard *wanted, const char *tag,
                       const struct listing *seen)
{
    const struct held *held = NULL;
    size_t count = 0;

    if (seen == NULL || tag[0] == '\0' || tags_have_same_owner(tag, wanted->tag))
        return true;
    held = listing_find(seen, wanted->guard->interface, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(held[i].tag, tag) == 0)
            return true;
    return false;
}

bool wanted_owns(const struct wanted *wanted, const char *tag)
{
    for (size_t i = 0; i < wanted->plan_count; i++)
        if (tags_have_same_owner(wanted->plans[i].tag, tag))
            return true;
    return false;
}
