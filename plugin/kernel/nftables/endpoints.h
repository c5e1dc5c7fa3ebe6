/*
 * The two sets of endpoints, one a family:
 *
 *     set endpoints4 { type ipv4_addr; flags interval; elements = { 169.254.169.254, 10.0.0.0/8 } }
 */
#ifndef IMDS_GUARD_NFTABLES_ENDPOINTS_H
#define IMDS_GUARD_NFTABLES_ENDPOINTS_H

#include "kernel/backend.h"
#include "kernel/nftables/messages.h"

struct endpoint_set {
    const char *name;
    enum family family;
    uint8_t protocol;            /* NFPROTO_* */
    uint32_t destination_offset; /* of the destination in the header: RFC 791, RFC 8200 */
    uint32_t length;             /* of an address */
    uint32_t type;               /* nft(8)'s number for addresses of the family */
};

#define ENDPOINT_SETS 2

extern const struct endpoint_set endpoint_sets[ENDPOINT_SETS];

/* A request for what is in the table's set, which is a dump (socket.h). Version 0.1.0's table has
 * sets of the same names. */
must_use int endpoints_ask(struct nft_messages *messages, const char *table,
                           const struct endpoint_set *set, struct error *err);

/* Makes the set and fills it with the endpoints of its family. */
must_use int endpoints_make(struct nft_messages *messages, const struct endpoint_set *set,
                            const struct terms *terms, struct error *err);

/* Adds the endpoints of its family that are not there yet. */
must_use int endpoints_add(struct nft_messages *messages, const struct endpoint_set *set,
                           const struct terms *terms, struct error *err);

/* Empties the set and fills it. */
must_use int endpoints_renew(struct nft_messages *messages, const struct endpoint_set *set,
                             const struct terms *terms, struct error *err);

#endif
