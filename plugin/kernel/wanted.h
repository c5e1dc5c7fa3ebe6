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
    size_t rank; /* of its plan */
};

struct wanted {
    struct wanted_guard *guards; /* by interface, each of them once */
    size_t guard_count;
    const struct plan *plans; /* borrowed */
    size_t plan_count;
};

/*
 * The plans must outlive the result. Of guards of several plans for one interface the one counts of
 * which the kernel says that the interface is its pod's (guard->proven); else the stricter; else
 * that of the later plan. Errors: wanted_check's.
 */
must_use int wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out,
                         struct error *err);
void wanted_free(struct wanted *wanted);

/* Whether a plan is one to be made. Errors: ERROR_KERNEL for a name or a tag that must not get into
 * a rule. */
must_use int wanted_check(const struct plan *plan, struct error *err);

/* What is wanted on the interface; NULL if nothing is. */
const struct wanted_guard *wanted_find(const struct wanted *wanted, const char *interface);

/*
 * Whether what the interface has, with this tag, makes way for what is wanted there: unless it is
 * another owner's, and was not seen (terms->seen) when that was wanted.
 */
bool wanted_takes_over(const struct wanted_guard *wanted, const char *tag,
                       const struct listing *seen);

/* Whether one of the plans has the owner of this tag. Goes through them: it is asked where an ADD finds a
 * guard that it does not want, which is seldom. */
bool wanted_owns(const struct wanted *wanted, const char *tag);

CLEANUP_FREE(wanted);

#endif
