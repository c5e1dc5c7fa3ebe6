/*
 * Plans in the order that makes looking up fast: there may be thousands of them. Pure.
 */
#ifndef IMDS_GUARD_WANTED_H
#define IMDS_GUARD_WANTED_H

#include "guard/cleanup.h"
#include "guard/plan.h"
#include "kernel/backend.h"

#include <stdbool.h>
#include <stddef.h>

/* One guard of a plan. Borrowed from the plans. */
struct wanted_guard {
    const struct guard *guard;
    const char *tag;
    const struct tags *rivals;
    size_t rank; /* of its plan */
};

struct wanted {
    struct wanted_guard *guards; /* by direction and interface, each of them once */
    size_t guard_count;
    const char **tags; /* by owner */
    size_t tag_count;
};

/*
 * The plans must outlive the result. Of two guards for one interface that of the later plan counts,
 * as if it had been applied later. Errors: wanted_check's.
 */
must_use int wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out,
                         struct error *err);
void wanted_free(struct wanted *wanted);

/* Whether a plan is one to be made. Errors: ERROR_KERNEL for a name or a tag that must not get into
 * a rule. */
must_use int wanted_check(const struct plan *plan, struct error *err);

/* What is wanted on the interface; NULL if nothing is. */
const struct wanted_guard *wanted_find(const struct wanted *wanted, const struct guard *guard);

/* Whether what the interface has, with this tag, makes way for what is wanted there (plan.h). */
bool wanted_takes_over(const struct wanted_guard *wanted, const char *tag);

/* Whether a guard of direction OUT is among them. */
bool wanted_have_outgoing(const struct wanted *wanted);

/* Whether one of the plans has the owner of this tag. */
bool wanted_owns(const struct wanted *wanted, const char *tag);

/*
 * Whether the plans take this guard over: it is on one of their interfaces and makes way, or it is
 * one of their owners', wherever it is. For struct selection: `wanted` is the struct wanted.
 */
bool wanted_covers(const struct held *held, const void *wanted);

static inline void cleanup_wanted(struct wanted *wanted)
{
    wanted_free(wanted);
}

#endif
