/*
 * Plans in the order that makes looking up fast: there may be a thousand of them. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_WANTED_H
#define IMDS_GUARD_IPTABLES_WANTED_H

#include "guard/plan.h"

/* One guard of a plan. Borrowed from the plans. */
struct wanted_guard {
    const struct guard *guard;
    const char *tag;
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
 * as if it had been applied later. Errors: ERROR_KERNEL for a name or a tag that must not get into
 * a rule.
 */
must_use int iptables_wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out,
                                  struct error *err);
void iptables_wanted_free(struct wanted *wanted);

/* What is wanted on the interface; NULL if nothing is. */
const struct wanted_guard *iptables_wanted_find(const struct wanted *wanted,
                                                const struct guard *guard);

/* Whether one of the plans has the owner of this tag. */
bool iptables_wanted_owns(const struct wanted *wanted, const char *tag);

static inline void cleanup_wanted(struct wanted *wanted)
{
    iptables_wanted_free(wanted);
}

#endif
