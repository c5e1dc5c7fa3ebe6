/* Whether this kernel's maps can count: one whose maps cannot makes a table that is never right. */
#ifndef IMDS_GUARD_NFTABLES_COUNTERS_H
#define IMDS_GUARD_NFTABLES_COUNTERS_H

#include "kernel/nftables/socket.h"

/*
 * Looks at the map that stands; the question is made before, by who must not fail between for lack of
 * memory. Errors: ERROR_KERNEL if it does not count: use the other backend. What cannot be seen is no
 * error: somebody will look again.
 */
void nft_counters_ask(struct netlink_messages *question);
must_use int nft_counters_look(struct nft_socket *socket, const struct netlink_messages *question,
                               struct error *err);

/*
 * For who has made no map: tries one that is refused, and changes nothing. What is tried is rolled back,
 * for which the kernel waits a grace period. `table_stands`: there is a table of ours. Errors: the
 * same, and nft_rehearse's.
 */
must_use int nft_counters_try(struct nft_socket *socket, bool table_stands, struct error *err);

#endif
