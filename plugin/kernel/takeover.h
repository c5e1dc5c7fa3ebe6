/*
 * What plans take over: every guard on one of their interfaces (in the same direction), whoever's,
 * and every guard of one of their owners, wherever. Pure; for thousands of plans.
 */
#ifndef IMDS_GUARD_TAKEOVER_H
#define IMDS_GUARD_TAKEOVER_H

#include "guard/cleanup.h"
#include "guard/plan.h"
#include "kernel/backend.h"

#include <stddef.h>

/* Sorted; what is pointed at belongs to the plans. */
struct takeover {
    const struct guard **guards; /* by interface and direction */
    size_t guard_count;
    const char **tags; /* by owner */
    size_t tag_count;
};

/* The plans must outlive it. For takeover_free. */
must_use int takeover_make(const struct plan *plans, size_t plan_count, struct takeover *out,
                           struct error *err);
void takeover_free(struct takeover *takeover);

/* For struct selection: `takeover` is the struct takeover. */
bool takeover_covers(const struct held *held, const void *takeover);

static inline void cleanup_takeover(struct takeover *takeover)
{
    takeover_free(takeover);
}

#endif
