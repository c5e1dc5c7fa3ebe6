/*
 * What stands in the sets of endpoints, read back as endpoints. The kernel keeps an interval as two
 * elements: its first address, and the first one behind it. Pure.
 */
#ifndef IMDS_GUARD_NFTABLES_INTERVALS_H
#define IMDS_GUARD_NFTABLES_INTERVALS_H

#include "guard/cleanup.h"
#include "guard/endpoint.h"
#include "guard/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

struct nft_edge {
    enum family family;
    uint8_t address[16];
    bool is_end;
};

struct nft_intervals {
    struct nft_edge *edges;
    size_t count;
};

/* Adds the elements of NFT_MSG_NEWSETELEM for such a set; of any other message, nothing. */
must_use int nft_intervals_take(struct nft_intervals *intervals, const struct nlmsghdr *message,
                                struct error *err);

/* Puts the edges into the order in which nft_intervals_next goes through them. */
void nft_intervals_sort(struct nft_intervals *intervals);

/*
 * The endpoint after *cursor (start with 0), or false. An interval that is no CIDR is nobody's
 * endpoint, and skipped.
 */
must_use bool nft_intervals_next(const struct nft_intervals *intervals, size_t *cursor,
                                 struct endpoint *out);

void nft_intervals_free(struct nft_intervals *intervals);

static inline void cleanup_nft_intervals(struct nft_intervals *intervals)
{
    nft_intervals_free(intervals);
}

#endif
