/*
 * What the nftables backend does for struct backend's `apply`: that contract is its own.
 */
#ifndef IMDS_GUARD_NFTABLES_APPLY_H
#define IMDS_GUARD_NFTABLES_APPLY_H

#include "kernel/backend.h"

must_use int nft_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
                       struct error *err);

#endif
