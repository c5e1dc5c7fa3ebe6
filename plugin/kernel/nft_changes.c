#include "kernel/nft_changes.h"

#include <stdlib.h>
#include <string.h>

static int compare_guards(const struct guard *a, const struct guard *b)
{
    if (a->direction != b->direction)
        return a->direction < b->direction ? -1 : 1;
    return strcmp(a->interface, b->interface);
}

static int compare_held(const void *a, const void *b)
{
    return compare_guards(&((const struct held *)a)->guard, &((const struct held *)b)->guard);
}

void held_sort(struct held *held, size_t *count)
{
    size_t kept = 0;

    if (*count == 0)
        return;
    qsort(held, *count, sizeof(*held), compare_held);
    for (size_t i = 1; i < *count; i++)
        if (compare_held(&held[kept], &held[i]) != 0 && ++kept != i)
            held[kept] = held[i];
    *count = kept + 1;
}

/* A guard of a plan, and the place of the plan. */
struct wanted {
    const struct guard *guard;
    const char *tag;
    size_t plan;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *one = a;
    const struct wanted *other = b;
    int order = compare_guards(one->guard, other->guard);

    /* Later plans first: the first of equals is the one that counts. */
    return order != 0 ? order : (one->plan < other->plan) - (one->plan > other->plan);
}

static size_t sort_wanted(const struct plan *plans, size_t plan_count, struct wanted *out)
{
    size_t count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++)
            out[count++] = (struct wanted){&plans[i].guards[j], plans[i].tag, i};
    if (count == 0)
        return 0;
    qsort(out, count, sizeof(*out), compare_wanted);
    for (size_t i = 1; i < count; i++)
        if (compare_guards(out[kept].guard, out[i].guard) != 0)
            out[++kept] = out[i];
    return kept + 1;
}

/* Order of owners in tags: of the bytes before the first space, which sorts before all of theirs.
 */
static int compare_owners(const void *a, const void *b)
{
    const char *one = *(const char *const *)a;
    const char *other = *(const char *const *)b;
    size_t one_length = strcspn(one, " ");
    size_t other_length = strcspn(other, " ");
    size_t shorter = one_length < other_length ? one_length : other_length;
    int order = memcmp(one, other, shorter);

    return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

static const char **sort_owners(const struct plan *plans, size_t plan_count)
{
    const char **owners = calloc(plan_count + 1, sizeof(*owners));

    if (owners == NULL)
        return NULL;
    for (size_t i = 0; i < plan_count; i++)
        owners[i] = plans[i].tag;
    qsort(owners, plan_count, sizeof(*owners), compare_owners);
    return owners;
}

/* Whether a plan's owner holds the guard. */
static bool is_of_owners(const struct held *held, const char *const *owners, size_t count)
{
    const char *tag = held->tag;
    const char *const *found = bsearch(&tag, owners, count, sizeof(*owners), compare_owners);

    return found != NULL && tags_have_same_owner(tag, *found);
}

static bool is_right(const struct held *held, const struct wanted *wanted)
{
    return held->guard.verdict == wanted->guard->verdict && strcmp(held->tag, wanted->tag) == 0;
}

static const struct held *make_held(struct held *out, const struct wanted *wanted)
{
    *out = (struct held){.guard = *wanted->guard};
    memcpy(out->tag, wanted->tag, sizeof(out->tag));
    return out;
}

/* One interface in one direction: what is there (or NULL) and what should be (or NULL). */
static void change_one(struct nft_changes *changes, const struct held *held,
                       const struct wanted *wanted, bool stale, bool anew, struct held *room)
{
    bool keep = held != NULL && (wanted != NULL ? is_right(held, wanted) : !stale);

    if (keep) {
        if (anew)
            changes->fresh[changes->fresh_count++] = held;
        return;
    }
    if (held != NULL && !anew)
        changes->gone[changes->gone_count++] = held;
    if (wanted != NULL)
        changes->fresh[changes->fresh_count++] = make_held(room, wanted);
    else
        changes->lifts = true;
}

static bool allocate(struct nft_changes *changes, size_t wanted_count, size_t held_count)
{
    changes->gone = calloc(held_count + 1, sizeof(*changes->gone));
    changes->fresh = calloc(wanted_count + held_count + 1, sizeof(*changes->fresh));
    changes->made = calloc(wanted_count + 1, sizeof(*changes->made));
    return changes->gone != NULL && changes->fresh != NULL && changes->made != NULL;
}

int changes_make(const struct plan *plans, size_t plan_count, const struct held *held,
                 size_t held_count, bool anew, struct nft_changes *out, struct error *err)
{
    cleanup(free_memory) struct wanted *wanted = NULL;
    cleanup(free_memory) const char **owners = sort_owners(plans, plan_count);
    cleanup(changes) struct nft_changes changes = {0};
    size_t count = 0;

    for (size_t i = 0; i < plan_count; i++)
        count += plans[i].guard_count;
    wanted = calloc(count + 1, sizeof(*wanted));
    if (wanted == NULL || owners == NULL || !allocate(&changes, count, held_count))
        return error_no_memory(err);
    count = sort_wanted(plans, plan_count, wanted);
    for (size_t h = 0, w = 0; h < held_count || w < count;) {
        int order = h == held_count ? 1
                    : w == count    ? -1
                                    : compare_guards(&held[h].guard, wanted[w].guard);
        const struct held *there = order <= 0 ? &held[h] : NULL;
        const struct wanted *should = order >= 0 ? &wanted[w] : NULL;
        bool stale = should == NULL && is_of_owners(there, owners, plan_count);

        change_one(&changes, there, should, stale, anew, &changes.made[w]);
        h += there != NULL;
        w += should != NULL;
    }
    *out = changes;
    changes = (struct nft_changes){0};
    return 0;
}

void changes_free(struct nft_changes *changes)
{
    free(changes->gone);
    free(changes->fresh);
    free(changes->made);
    *changes = (struct nft_changes){0};
}
