/*
 * From what is there and what should be, to what has to go and what has to come. Pure.
 */
#ifndef IMDS_GUARD_NFTABLES_CHANGES_H
#define IMDS_GUARD_NFTABLES_CHANGES_H

#include "kernel/backend.h"

struct nft_changes {
    const struct held **gone; /* borrowed from the listing */
    size_t gone_count;
    const struct held **fresh; /* borrowed from the listing or from `made` */
    size_t fresh_count;
    struct held *made;
    /* Right only for what was seen: a guard goes and no other comes on its interface, or one goes
     * because of who had it (terms->seen). */
    bool exact;
};

/* Sorts (held_compare), and drops what a dump has given twice. */
void held_sort(struct held *held, size_t *count);

/*
 * The listing's guards are sorted (held_sort). Those that are right already stay out of it. `seen` as in
 * struct terms. With `anew`, nothing of what is there will be left, so everything that should be there
 * afterwards is fresh, nothing is gone, and what has no tag goes.
 */
must_use int changes_make(const struct plan *plans, size_t plan_count,
                          const struct listing *listing, const struct listing *seen, bool anew,
                          struct nft_changes *out, struct error *err);
void nft_changes_free(struct nft_changes *changes);

CLEANUP_FREE(nft_changes);

#endif
