/*
 * Looking and writing again where others write at the same time: nobody locks nf_tables, and a
 * transaction that no longer fits what is there is refused whole.
 */
#ifndef IMDS_GUARD_NFTABLES_RETRY_H
#define IMDS_GUARD_NFTABLES_RETRY_H

#include "kernel/backend.h"
#include "kernel/nftables/socket.h"

#include <stdbool.h>

/* One look, and one transaction if need be. */
typedef int nft_attempt(struct nft_socket *socket, void *job, struct error *err);

/*
 * Opens a socket and attempts until it works, is refused for good, or the time for waiting
 * (terms->lock_timeout_seconds) is over. *absent (may be NULL): it failed for lack of nf_tables, which
 * some callers need not mind. Errors: the attempt's, ERROR_TRY_AGAIN.
 */
must_use int nft_keep_trying(nft_attempt *once, void *job, const struct terms *terms, bool *absent,
                             struct error *err);

#endif
