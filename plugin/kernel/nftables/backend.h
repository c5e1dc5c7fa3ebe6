/*
 * The parts of the nftables backend, and what it does beside its struct backend for the sake of the table
 * that stands.
 */
#ifndef IMDS_GUARD_NFTABLES_BACKEND_H
#define IMDS_GUARD_NFTABLES_BACKEND_H

#include "kernel/backend.h"

/* `apply` and `remove` of struct backend. */
must_use int nft_apply(const struct plan *plans, size_t plan_count, const struct terms *terms,
                       struct error *err);
must_use int nft_remove(const struct selection *selection, const struct terms *terms,
                        size_t *removed, struct error *err);

/*
 * Whether nf_tables holds our table, or that of version 0.1.0: the shortest of all looks. False where
 * that cannot be told, too. Creates and rehearses nothing.
 */
bool nft_is_present(void);

/*
 * Makes the plan hold as apply does, but where no table of ours is, or one that is about to go: makes
 * none, then, which is no error. *present: it is there, and so the plan holds. Errors: as apply's.
 */
must_use int nft_join(const struct plan *plan, const struct terms *terms, bool *present,
                      struct error *err);

#endif
