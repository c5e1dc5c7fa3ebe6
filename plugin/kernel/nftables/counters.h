/* Whether this kernel's maps can count. */
#ifndef IMDS_GUARD_NFTABLES_COUNTERS_H
#define IMDS_GUARD_NFTABLES_COUNTERS_H

#include "kernel/nftables/socket.h"

/*
 * Refuses a kernel that gives elements no counters, and changes nothing: to be asked for a table that is
 * made, for such a kernel makes one that is never right. `table_stands`: there is a table of ours.
 * Errors: ERROR_KERNEL: use the other backend; and nft_rehearse's.
 */
must_use int nft_counters_check(struct nft_socket *socket, bool table_stands, struct error *err);

/* The same in two steps, for who must not fail between them for lack of memory. */
must_use int nft_counters_trial(struct nft_messages *trial, bool table_stands, struct error *err);
must_use int nft_counters_try(struct nft_socket *socket, const struct nft_messages *trial,
                              struct error *err);

#endif
