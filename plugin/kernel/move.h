/*
 * All guards from one backend to the other, and the lock under which that happens. For backends.c.
 */
#ifndef IMDS_GUARD_KERNEL_MOVE_H
#define IMDS_GUARD_KERNEL_MOVE_H

#include "kernel/backends.h"

static inline const struct backend *other_than(const struct backend *backend)
{
    return backend == &backend_nftables ? &backend_iptables : &backend_nftables;
}

/* Whether legacy tables hold a skeleton of ours; false where that cannot be told, too. */
bool iptables_stands(const struct terms *terms);

/*
 * The xtables lock, which whoever makes a skeleton has, and looks in both backends: so that there is one
 * at most. Where none of it is to be iptables' the lock is for good order only, and not waited for while
 * the node may be open: then success may be without it (*lock < 0). Errors: xtables_lock's.
 */
must_use int lock_for(const struct backend *chosen, const struct terms *terms, int *lock,
                      struct error *err);

#endif
