/*
 * What the kernel holds of ours, in all backends together, and what becomes of a packet from an
 * interface: the one judge of whether a guard is right, for CHECK, sync and status alike.
 */
#ifndef IMDS_GUARD_KERNEL_HOLDINGS_H
#define IMDS_GUARD_KERNEL_HOLDINGS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/plan.h"
#include "kernel/backend.h"

#include <stdbool.h>
#include <stddef.h>

#define BACKEND_COUNT 2

/* All of them. */
extern const struct backend *const backends[BACKEND_COUNT];

struct holding {
    const struct backend *backend;
    struct listing listing; /* nothing, if it could not be read */
    char *unread;           /* why it could not; else NULL */
};

struct holdings {
    struct holding items[BACKEND_COUNT]; /* in the order of `backends` */
};

/* How the guard of an attachment stands, from worst to best. */
enum standing {
    STANDING_OPEN,        /* packets pass that should be denied */
    STANDING_TOO_STRICT,  /* packets are denied that should pass */
    STANDING_OTHER_WAY,   /* packets are dropped that should be rejected, or the other way round */
    STANDING_MISSING,     /* the verdict is right, but it is the one for others: nothing counts */
    STANDING_PARTIAL,     /* the same, in one address family */
    STANDING_OTHER_OWNER, /* the verdict is right, but the DEL of another attachment would lift it */
    STANDING_RIGHT,
};

/* Whether it is in force as configured, whoever's and whatever counts: better than these. */
static inline bool standing_is_in_force(enum standing standing)
{
    return standing > STANDING_OTHER_WAY;
}

/*
 * A backend that cannot be read holds nothing, and says why. Errors: out of memory; what the first
 * one says if none can be read. The result is for holdings_free.
 */
must_use int holdings_gather(const struct terms *terms, struct holdings *out, struct error *err);
void holdings_free(struct holdings *holdings);

/*
 * How the guard of the owner of `tag` stands, over all backends: a packet is denied where any
 * backend denies it, and passes if none does. A skeleton with faults is taken to deny nothing.
 */
enum standing holdings_standing(const struct holdings *holdings, const char *tag,
                                const struct guard *guard);

/* The worst of the plan's guards. */
enum standing holdings_plan_standing(const struct holdings *holdings, const struct plan *plan);

/* What a person is told; NULL for STANDING_RIGHT. */
const char *standing_text(enum standing standing);

/* What becomes of the packets of who has no guard; of several backends' rules the strictest. */
enum verdict holdings_others(const struct holdings *holdings);

/* What one backend holds. */
const struct listing *holdings_of(const struct holdings *holdings, const struct backend *backend);

/* Whether any backend has its skeleton, whole: its verdicts count. */
bool holdings_in_force(const struct holdings *holdings);

/* Whether any backend has its skeleton, or a part of it. */
bool holdings_present(const struct holdings *holdings);

/*
 * Whether there is nothing to write for this plan in `chosen`: it stands there exactly so, pod in
 * the tag included.
 */
bool holdings_have(const struct holdings *holdings, const struct backend *chosen,
                   const struct plan *plan);

/*
 * Whether there is nothing to write beside guards: the skeleton of `chosen` is whole and exactly on
 * these terms, and no other backend has any.
 */
bool holdings_have_terms(const struct holdings *holdings, const struct backend *chosen,
                         const struct terms *terms);

CLEANUP_FREE(holdings);

#endif
