/*
 * What a backend is: four functions that make the kernel hold exactly what a plan says, in one
 * netfilter dialect. Callers know nothing else of a backend. A backend knows nothing of CNI, of
 * verbs, or of why: only of plans, tags and endpoints.
 *
 * None of these functions keeps state between calls, writes to a standard stream, or waits without
 * bound.
 */
#ifndef IMDS_GUARD_BACKEND_H
#define IMDS_GUARD_BACKEND_H

#include "guard/endpoint.h"
#include "guard/error.h"
#include "guard/owner.h"
#include "guard/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part of the configuration that is the same for all guards of the node. */
struct terms {
    const struct endpoint *endpoints; /* normalised (endpoints_normalise) */
    size_t endpoint_count;            /* 0: not known; list then does not judge the endpoints */
    unsigned lock_timeout_seconds;    /* for backends that need a lock */
    /*
     * Tags whose owners are known to want these endpoints and no others. While any other tag stands
     * beside a guard, and with NULL, apply takes no endpoint away: somebody else's terms may have
     * it. tags_sort has sorted it; borrowed.
     */
    const struct tags *agreed;
};

/* A guard that the kernel holds. */
struct held {
    struct guard guard;
    char tag[TAG_SIZE]; /* as found; "" if there is none: then it is not one of ours */
    unsigned families;  /* FAMILY_IPV4 | FAMILY_IPV6: where it was found */
    uint64_t packets;   /* that hit it, both families added up */
    uint64_t bytes;
};

/* Everything of ours that one backend holds. */
struct listing {
    struct held *held; /* sorted (held_compare), so that listing_find finds */
    size_t held_count;
    unsigned families; /* in which a guard must stand to be whole (the kernel has IPv6, or not) */
    bool present;      /* the skeleton (table, chains) or a part of it is there */
    struct endpoint *surplus; /* that stand, but are not in the terms: no less guarded for that */
    size_t surplus_count;
    char **faults; /* what is wrong with the skeleton, a sentence each; none: it works */
    size_t fault_count;
};

/* Which guards to take away. */
struct selection {
    /* True for each that goes. Called for every guard with a tag that the backend looks at. */
    bool (*goes)(const struct held *held, const void *context);
    const void *context;
    /*
     * Only one owner's guards go, and they are likely on these interfaces: a backend that looks up
     * by name may then read no others, if the tags found there say (tag_guards) that these are all.
     * Names need not exist. NULL: look at every guard.
     */
    const char (*interfaces)[INTERFACE_NAME_SIZE];
    size_t interface_count;
    /* Takes away the skeleton and all guards, whoever's; `goes` is not called. */
    bool everything;
};

struct backend {
    const char *name; /* as the configuration calls it: "nftables", "iptables" */

    /*
     * Whether apply could work here and now; changes nothing and creates no table.
     * Errors: ERROR_KERNEL: what is missing (a capability, a kernel part) and what to do.
     */
    int (*probe)(const struct terms *terms, struct error *err);

    /*
     * Whether apply takes the plan, as far as its own text says: what it refuses fails all plans that
     * are applied with it. Pure. Errors: ERROR_KERNEL: which interface, and what to do.
     */
    int (*accept)(const struct plan *plan, struct error *err);

    /*
     * Makes the kernel hold these plans, in one transaction for each table it has to write: makes
     * or repairs the skeleton, sets each guard with its tag and verdict, whoever owned the
     * interface before (but for whom the plan does not take it from: plan->rivals), and takes away
     * guards of a plan's owner that the plan no longer has, where it comes across them. Endpoints
     * of the terms are added to those that stand (terms->agreed). What is right already is not
     * written again. At no moment is an interface that was guarded before and is in a plan with
     * `drop` unguarded. On failure, what was guarded before is still guarded; some plans may stand
     * already. *first, which is set either way, says of whom that is: true if no guard stood on an
     * interface of the plans, nor was one of their owners' come across, before this call wrote any.
     * Errors: ERROR_TRY_AGAIN (lock), ERROR_KERNEL.
     */
    int (*apply)(const struct plan *plans, size_t plan_count, const struct terms *terms,
                 bool *first, struct error *err);

    /*
     * Takes away what is selected. Nothing there, or a kernel without this backend, is success and
     * creates nothing. *removed (may be NULL) counts guards. The skeleton stays but for
     * `everything`. Errors: ERROR_TRY_AGAIN, ERROR_KERNEL.
     */
    int (*remove)(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err);

    /*
     * What is there. Creates nothing; a kernel without this backend holds nothing. The result is
     * for listing_free.
     */
    int (*list)(const struct terms *terms, struct listing *out, struct error *err);
};

extern const struct backend backend_nftables;
extern const struct backend backend_iptables;

void listing_free(struct listing *listing);

/* By where the guard stands (guard_compare): for qsort(3). */
int held_compare(const void *a, const void *b);

/*
 * What is held at a place, whatever the verdict: *count guards, one after the other; NULL for none.
 * One backend may hold several there: iptables has rules, and each family its own.
 */
const struct held *listing_find(const struct listing *listing, const struct guard *place,
                                size_t *count);

/* Appends; false if out of memory. For backends that build a listing. */
bool listing_add(struct listing *listing, const struct held *held);
bool listing_fault(struct listing *listing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void cleanup_listing(struct listing *listing)
{
    listing_free(listing);
}

#endif
