/*
 * The exit fence: a second line beside the guards, that neither a flush of rules nor an eBPF
 * dataplane gets round. A program (program.c) stands first at tcx egress of each link that the node
 * sends through, and drops there what is for an endpoint and not the node's own, unless the link that
 * it came in through may.
 *
 * An uplink, where it must stand, is
 *   - every link but loopbacks, veths, netkits, ifbs and dummies: nobody knows through which of them
 *     somebody's program will send a pod's packet;
 *   - and whatever link the kernel's routes to the endpoints lead through, of whatever kind: the
 *     node's own routes, and those of packets that come in from a pod (policy rules go by the incoming
 *     link, as with branch ENIs, or by the source, as with a pod's second interface). A node that is
 *     itself a container (kind) has a veth for its uplink, and its own route says so. A pod's veth is
 *     none, until somebody routes the endpoints to that pod; then it is one rightly.
 *
 * All of it is of the network namespace that the process is in. Nothing is kept on disk or pinned:
 * what stands is found again through the links, shares one set of maps (maps.h), and goes with them.
 * Each function looks first and changes only what is wrong, so that any of them may be repeated, be
 * killed anywhere, and run at the same time as others: no packet that was stopped before is let pass
 * meanwhile, unless that is what is asked for.
 *
 * Needs CAP_SYS_ADMIN, without which no program is found by its number; with it the kernel asks for no
 * other capability (bpf_capable and bpf_net_capable, linux/capability.h and kernel/bpf/syscall.c of
 * 6.6). Where nothing stands yet CAP_NET_ADMIN and CAP_BPF would do. Errors are ERROR_KERNEL unless
 * said otherwise; whether one of them matters is for the caller ("exitFence": "auto" or "require").
 */
#ifndef IMDS_GUARD_FENCE_FENCE_H
#define IMDS_GUARD_FENCE_FENCE_H

#include "guard/endpoint.h"
#include "guard/error.h"
#include "guard/names.h"
#include "guard/plan.h"
#include "kernel/backend.h"
#include "kernel/links/known.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For ADD: the fence stands first on every link that the node's or the pod's packets to the endpoints
 * leave through, with at least these endpoints, with `drop` for others if the terms say so, and with
 * the verdicts of the plan's interfaces, whoever had their indices before. What stands already is made no
 * weaker.
 */
must_use int fence_add(const struct terms *terms, const struct plan *plan, struct error *err);

/* What of that does not hold: ERROR_GUARD_MISSING, each thing in the details. Changes nothing. */
must_use int fence_check(const struct terms *terms, const struct plan *plan, struct error *err);

/*
 * For sync and watch: the fence stands first on every uplink, with exactly these endpoints, this
 * verdict for others and these plans' verdicts, but for links that are gone. *changes counts what had
 * to be done (0: all was right). Goes on to the other links where one fails, and reports the first error.
 */
must_use int fence_sync(const struct terms *terms, const struct plan *plans, size_t plan_count,
                        size_t *changes, struct error *err);

/*
 * For DEL and GC: has the fence on the node's own way to the endpoints forget the links that do not
 * exist any more. Without a fence there is nothing to do.
 */
must_use int fence_prune(const struct terms *terms, struct error *err);

/*
 * For flush, uninstall, and a sync that wants none: takes it off every link. A kernel without tcx has
 * none. *removed counts links.
 */
must_use int fence_remove(size_t *removed, struct error *err);

/*
 * Whether a fence could be built here and now; attaches nothing. `why` (untouched if it could) says what
 * is missing and what to do.
 */
must_use int fence_probe(struct error *why);

/* A link that is an uplink, or that the fence stands on. */
struct fence_uplink {
    int index;
    char name[INTERFACE_NAME_SIZE];
    bool wanted;      /* it is an uplink */
    unsigned place;   /* of the fence's program: 1 first, 0 it does not stand here */
    bool current;     /* it is this version's */
    bool sockets;     /* it knows other network namespaces' sockets (and is this version's) */
    uint64_t stopped; /* packets */
    uint64_t passed;
};

/* Packets for endpoints that came in through a link. */
struct fence_incoming {
    int index;                      /* 0: sockets of other network namespaces */
    char name[INTERFACE_NAME_SIZE]; /* "": there is no such link (any more) */
    bool known;                     /* the link has a verdict of its own: */
    enum verdict verdict;
    uint64_t stopped;
    uint64_t passed;
};

struct fence_listing {
    struct fence_uplink *uplinks;
    size_t uplink_count;
    struct fence_incoming *incoming; /* by index */
    size_t incoming_count;
    struct endpoint *endpoints; /* normalised (endpoints_normalise) */
    size_t endpoint_count;
    enum verdict others;
    bool stands; /* somewhere; if not, `others` says nothing */
    /* A link has two programs of ours, or not all links share the maps: then what is told is of the first
     * ones. sync brings them together, which begins to count anew. */
    bool divided;
};

/*
 * What there is. The endpoints of the terms say which links are uplinks, and so do the plans, as for
 * fence_sync. `known` (may be NULL): the links, where they have been read. A kernel without tcx has nothing.
 * *out is for fence_listing_free.
 */
must_use int fence_list(const struct known_links *known, const struct terms *terms,
                        const struct plan *plans, size_t plan_count, struct fence_listing *out,
                        struct error *err);
void fence_listing_free(struct fence_listing *listing);

/*
 * For watch: a number that is another one whenever the uplinks, or what stands at the egress of one of
 * them, have changed. Takes a few system calls, and one more for each uplink.
 */
must_use int fence_mark(const struct terms *terms, uint64_t *out, struct error *err);

/* Whether this version stands first on it, or need not. */
bool fence_uplink_is_right(const struct fence_uplink *uplink);

/* Whether it is where it must be. */
bool fence_stands(const struct fence_listing *listing);

/* Whether all of it is right: fence_sync, with the same terms and plans, would find nothing to do. */
bool fence_is_right(const struct fence_listing *listing, const struct terms *terms,
                    const struct plan *plans, size_t plan_count);

CLEANUP_FREE(fence_listing);

#endif
