/*
 * What a backend is: a few functions that make the kernel hold exactly what plans say, in one
 * netfilter dialect. Callers know nothing else of a backend. A backend knows nothing of CNI, of
 * verbs, or of why: only of plans, tags and terms.
 *
 * What a backend holds is a skeleton (the table or chains, with the endpoints) that ends in the
 * verdict for others, and a guard for each interface that is a pod's. A packet to an endpoint that
 * the node forwards gets the verdict of the interface it came in through, or that for others. So a
 * guard that is missing is an exemption or a counter that is lost, and no hole.
 *
 * None of these functions keeps state between calls, writes to a standard stream, or waits without
 * bound.
 */
#ifndef IMDS_GUARD_BACKEND_H
#define IMDS_GUARD_BACKEND_H

#include "guard/config.h"
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
    size_t endpoint_count;            /* 0: not known; list then does not judge the skeleton's */
    enum verdict others;              /* for who has no guard */
    unsigned lock_timeout_seconds;    /* for backends that need a lock */
    bool locked;                      /* the caller has it */
    /*
     * True: endpoints and the verdict for others shall be these, exactly. False, for who knows only
     * one pod's configuration: what stands is tightened only. Endpoints are added, and others that
     * are denied stay denied, in the way they are.
     */
    bool exactly;
    /*
     * What the backend held when the plans were made, sorted; a guard that another owner has set
     * since, which came with an ADD, is not taken over. NULL: whatever is there is, as ADD does.
     */
    const struct listing *seen;
};

/* What the configuration says to backends: the terms of one pod's ADD. Borrows from it. */
struct terms terms_of(const struct config *config);

/* A guard that the kernel holds. */
struct held {
    struct guard guard;
    char tag[TAG_SIZE]; /* as found; "" if there is none: then it is not one of ours */
    unsigned families;  /* FAMILY_IPV4 | FAMILY_IPV6: where it was found */
    uint64_t packets;   /* that hit it, both families added up */
    uint64_t bytes;
};

/* The rule for who has no guard. */
struct others {
    enum verdict verdict; /* the laxest of the families' */
    uint64_t packets;     /* that hit it, both families added up */
    uint64_t bytes;
};

/* Everything of ours that one backend holds. */
struct listing {
    struct held *held; /* sorted (held_compare), so that listing_find finds */
    size_t held_count;
    unsigned families; /* in which a guard must stand to be whole (the kernel has IPv6, or not) */
    bool present;      /* the skeleton (table, chains) or a part of it is there */
    bool former;       /* what version 0.1.0 left is there, to be taken over */
    struct others others;     /* if present; nobody's rule lets pass */
    struct endpoint *surplus; /* that stand, but are not in the terms: no less guarded for that */
    size_t surplus_count;
    char **faults; /* what keeps the skeleton from working, a sentence each; none: it works */
    size_t fault_count;
    bool incomplete;     /* for lack of memory something is missing (listing_complete) */
    uint32_t generation; /* of nf_tables, as it was before the first of this was read; else 0 */
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
    /*
     * With `everything`: only if all is still as this has it, ERROR_TRY_AGAIN if not. Of legacy tables the
     * caller knows, who has the lock. NULL: however it is.
     */
    const struct listing *as_seen;
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
     * Makes the kernel hold these plans on these terms, in one transaction for each table it has to
     * write: makes or repairs the skeleton, sets each guard with its tag and verdict, whoever owned
     * the interface before (but for terms->seen), and takes away, where it comes across them and
     * nothing was seen before, guards of a plan's owner that the plan no longer has. What version
     * 0.1.0 left is taken over, with its counters. What is right already is not written again. At no
     * moment does a packet get a laxer verdict than the one before and the one after. On failure
     * what stood before stands still, or what is wanted. Errors: ERROR_TRY_AGAIN (lock),
     * ERROR_KERNEL.
     */
    int (*apply)(const struct plan *plans, size_t plan_count, const struct terms *terms,
                 struct error *err);

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

/* By interface, in the order of strcmp(3): for qsort(3). */
int held_compare(const void *a, const void *b);

/*
 * What is held on an interface: *count guards, one after the other; NULL for none. One backend may
 * hold several there: iptables has rules, and each family its own.
 */
const struct held *listing_find(const struct listing *listing, const char *interface,
                                size_t *count);

/*
 * The terms as they come to stand beside what the listing has (others, surplus) if it is present:
 * with terms->exactly these, else the stricter of both. *room is what *out borrows beside, the
 * caller's to free once *out is out of use.
 */
must_use int listing_terms(const struct listing *listing, const struct terms *terms,
                           struct endpoint **room, struct terms *out, struct error *err);

/* For backends that build a listing: each appends, and an endpoint that stands goes to listing->surplus,
 * unless the terms have it, or it is there already. */
void listing_add(struct listing *listing, const struct held *held);
void listing_surplus(struct listing *listing, const struct terms *terms,
                     const struct endpoint *standing);
void listing_fault(struct listing *listing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Before anybody relies on it. Errors: out of memory, if it is incomplete. */
must_use int listing_complete(const struct listing *listing, struct error *err);

CLEANUP_FREE(listing);

#endif
