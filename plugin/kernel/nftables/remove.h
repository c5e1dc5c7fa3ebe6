/*
 * What the nftables backend does for struct backend's `remove`: that contract is its own.
 */
#ifndef IMDS_GUARD_NFTABLES_REMOVE_H
#define IMDS_GUARD_NFTABLES_REMOVE_H

#include "kernel/backend.h"

must_use int nft_remove(const struct selection *selection, const struct terms *terms,
                        size_t *removed, struct error *err);

#endif
