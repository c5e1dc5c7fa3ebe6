/*
 * Where the kernel would send a packet.
 */
#ifndef IMDS_GUARD_LINKS_ROUTES_H
#define IMDS_GUARD_LINKS_ROUTES_H

#include "guard/endpoint.h"
#include "guard/error.h"
#include "kernel/links/rtnetlink.h"

#include <stdint.h>

/* Addresses in network byte order; IPv4 in the first 4 bytes. */
struct route_question {
    enum family family;
    uint8_t destination[16];
    /* The link that the packet came in through; 0: the node itself sends it. Policy rules may go by
     * it (those of branch ENIs do), so that the answer is another one for each pod. */
    int incoming;
    /* Of an IPv4 packet that came in through a link there must be one: the kernel answers about no
     * packet from 0.0.0.0. All 0: none given. */
    uint8_t source[16];
};

/*
 * Asks for routes (RTM_GETROUTE, rtnetlink(7)) with the rules and the tables of the socket's
 * namespace; outgoing[i] is the link's index for questions[i], 0 if no link: no route, an
 * unreachable one, a packet that the node would not forward (rp_filter, forwarding off), or one for
 * the node itself. Errors: ERROR_KERNEL.
 */
must_use int rtnetlink_ask_routes(struct netlink *rtnetlink, const struct route_question *questions,
                                  size_t count, int *outgoing, struct error *err);

#endif
