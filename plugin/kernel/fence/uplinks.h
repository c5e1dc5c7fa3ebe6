/*
 * Which links are uplinks (fence.h says which, and why).
 */
#ifndef IMDS_GUARD_FENCE_UPLINKS_H
#define IMDS_GUARD_FENCE_UPLINKS_H

#include "guard/error.h"
#include "kernel/fence/fence.h"

#include <stdbool.h>
#include <stddef.h>

struct uplink {
    int index;
    char name[INTERFACE_NAME_SIZE];
    bool ethernet; /* its frames start with an Ethernet header */
    bool wanted;   /* it is one; else any link, that the fence may stand on all the same */
};

/*
 * Through which links the node's own packets and the pod's would leave for the endpoints: asks the
 * kernel for the route to each endpoint (of a CIDR, to its first address), from the node and from
 * each guarded interface with each address of its pod. All are `wanted`; none is a loopback. The caller
 * frees *out.
 */
must_use int uplinks_of_routes(const struct terms *terms, const struct plan *plans,
                               size_t plan_count, struct uplink **out, size_t *count,
                               struct error *err);

/* All links of the namespace; `known` (may be NULL) may have read them. The caller frees *out. */
must_use int uplinks_of_node(const struct known_links *known, const struct terms *terms,
                             const struct plan *plans, size_t plan_count, struct uplink **out,
                             size_t *count, struct error *err);

#endif
