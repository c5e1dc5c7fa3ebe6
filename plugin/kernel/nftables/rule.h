/*
 * The one kind of rule there is: look up the endpoint first, then the interface.
 */
#ifndef IMDS_GUARD_NFTABLES_RULE_H
#define IMDS_GUARD_NFTABLES_RULE_H

#include "kernel/nftables/endpoints.h"

/* ip daddr @endpoints4 iifname vmap @in: `interface_key` is NFT_META_IIFNAME
 * or NFT_META_OIFNAME. */
must_use int rule_make(struct nft_messages *messages, const char *chain,
                       const struct endpoint_set *endpoints, uint32_t interface_key,
                       const char *map, struct error *err);

#endif
