#include "kernel/nftables/changes.h"

#include "kernel/wanted.h"

#include <stdlib.h>
#include <string.h>

void held_sort(struct held *held, size_t *count)
{
    size_t kept = 0;

    if (*count == 0)
        return;
    qsort(held, *count, sizeof(*held), held_compare);
    for (size_t i = 1; i < *count; i++)
        if (held_compare(&held[kept], &held[i]) != 0 && ++kept != i)
            held[kept] = held[i];
    *count = kept + 1;
}

static bool is_right(const struct held *held, const struct wanted_guard *wanted)
{
    return held->guard.verdict == wanted->guard->verdict && strcmp(held->tag, wanted->tag) == 0;
}

/* A guard that its owner has already, and that comes to the same, goes on counting. */
static const struct held *make_held(struct held *out, const struct held *before,
                                    const struct wanted_guard *wanted)
{
    *out = (struct held){.guard = *wanted->guard};
    memcpy(out->tag, wanted->tag, sizeof(out->tag));
    if (before != NULL && tags_have_same_owner(before->tag, wanted->tag) &&
        verdict_denies(before->guard.verdict) == verdict_denies(wanted->guard->verdict)) {
        out->packets = before->packets;
        out->bytes = before->bytes;
    }
    return out;
}

int changes_make(const struct plan *plans, size_t plan_count, const struct listing *listing,
                 const struct listing *seen, bool anew, struct nft_changes *out, struct error *err)
{
    const struct held *held = listing->held;
    size_t held_count = listing->held_count;
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(nft_changes) struct nft_changes changes = {0};

    if (wanted_make(plans, plan_count, &wanted, err) < 0)
        return -1;
    changes.gone = calloc(held_count + 1, sizeof(*changes.gone));
    changes.fresh = calloc(wanted.guard_count + held_count + 1, sizeof(*changes.fresh));
    changes.made = calloc(wanted.guard_count + 1, sizeof(*changes.made));
    if (changes.gone == NULL || changes.fresh == NULL || changes.made == NULL)
        return error_no_memory(err);
    /* Both are in the order of interfaces. */
    for (size_t h = 0, w = 0; h < held_count || w < wanted.guard_count;) {
        int order = h == held_count ? 1
                    : w == wanted.guard_count
                        ? -1
                        : strcmp(held[h].guard.interface, wanted.guards[w].guard->interface);
        const struct held *there = order <= 0 ? &held[h] : NULL;
        const struct wanted_guard *should = order >= 0 ? &wanted.guards[w] : NULL;
        bool stale = should == NULL && seen == NULL && wanted_owns(&wanted, there->tag);
        bool keep = should == NULL
                        ? !stale
                        : there != NULL && (is_right(there, should) ||
                                            !wanted_takes_over(should, there->tag, seen));

        if (keep) {
            /* What has no tag of ours was never a guard of ours. */
            if (anew && tag_guards(there->tag) > 0)
                changes.fresh[changes.fresh_count++] = there;
        } else {
            if (there != NULL && !anew)
                changes.gone[changes.gone_count++] = there;
            if (should != NULL)
                changes.fresh[changes.fresh_count++] = make_held(&changes.made[w], there, should);
        }
        changes.exact = changes.exact || stale || (there != NULL && !keep && seen != NULL);
        h += there != NULL;
        w += should != NULL;
    }
    *out = steal(&changes);
    return 0;
}

void nft_changes_free(struct nft_changes *changes)
{
    free(changes->gone);
    free(changes->fresh);
    free(changes->made);
    *changes = (struct nft_changes){0};
}
