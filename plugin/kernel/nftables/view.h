/*
 * One look at our table: what is asked for, and what was there.
 */
#ifndef IMDS_GUARD_NFTABLES_VIEW_H
#define IMDS_GUARD_NFTABLES_VIEW_H

#include "kernel/backend.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"

/* Looking up more guards than this by name takes longer than reading a map. */
#define NFT_NAMES_MAX 16

struct nft_question {
    const struct terms *terms;        /* for the skeleton; NULL: the skeleton does not matter */
    const char *names[NFT_NAMES_MAX]; /* interfaces to look up */
    size_t name_count;
    bool all_guards; /* names do not matter */
};

/*
 * What version 0.1.0 left counts as ours, if all guards are asked for: its guards are in the listing
 * where the interface has none in our table, its endpoints in the surplus.
 */
struct nft_view {
    struct listing listing; /* guards, sorted (held_sort); what is wrong with the skeleton;
                             * surplus of the question's terms; the generation (nft_commit) */
    struct listing going; /* only guards: those let go, which are in the way until they have gone */
    struct verdict_on_skeleton skeleton;
    bool table; /* ours is there; if not and listing.present, that of version 0.1.0 alone */
    bool
        covered; /* ours has all that counts of that; if all guards and the skeleton were asked for */
};

/* `out` is for nft_view_free. Errors: nft_ask's. */
must_use int nft_view_read(struct nft_socket *socket, const struct nft_question *question,
                           struct nft_view *out, struct error *err);
void nft_view_free(struct nft_view *view);

CLEANUP_FREE(nft_view);

#endif
