/*
 * The two sets of endpoints, one a family:
 *
 *     set endpoints4 { type ipv4_addr; flags interval; elements = { 169.254.169.254, 10.0.0.0/8 } }
 *
 * The kernel keeps an interval as two elements: its first address, and the first one behind it.
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
    /*
     * How the addresses begin that EC2 itself serves: 169.254.0.0/16, fd00:ec2::/32. Two bytes or four,
     * at a multiple of that in the header: such a comparison costs a packet next to nothing, and a
     * look-up in a set ten times that.
     */
    struct {
        uint8_t bytes[4];
        uint32_t length;
    } usual;
};

#define ENDPOINT_SETS 2

/* Version 0.1.0's table has sets of the same names. */
extern const struct endpoint_set endpoint_sets[ENDPOINT_SETS];

/* Makes the set, which is empty then. */
void endpoints_make(struct netlink_messages *messages, const struct endpoint_set *set);

/* Adds the endpoints of its family that are not there yet. */
void endpoints_add(struct netlink_messages *messages, const struct endpoint_set *set,
                   const struct terms *terms);

/* Whether all addresses of the endpoint are in its family's usual range. */
bool endpoint_is_usual(const struct endpoint *endpoint);

/* The families of which all endpoints are. */
unsigned endpoints_usual(const struct terms *terms);

/* What stands in the sets, as it was told. */
struct nft_edge {
    enum family family;
    uint8_t address[16];
    bool is_end; /* of the interval of the edge before it */
    bool is_odd; /* no address of the family: what stands for all others, say */
};

struct nft_intervals {
    struct nft_edge *edges;
    size_t count;
};

/* Adds the elements of NFT_MSG_NEWSETELEM for such a set; of any other message, nothing. */
must_use int endpoints_take(struct nft_intervals *intervals, const struct nlmsghdr *message,
                            struct error *err);

/*
 * The same as endpoints, sorted by family and address, for the caller to free. What is no CIDR is
 * nobody's endpoint: adds a sentence to faults->faults for each (`faults` may be NULL). Sorts the edges.
 */
must_use int endpoints_read(struct nft_intervals *intervals, struct endpoint **out, size_t *count,
                            struct listing *faults, struct error *err);

#endif
