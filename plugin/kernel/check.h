/*
 * Whether what a backend holds is what a plan wants. Pure.
 */
#ifndef IMDS_GUARD_CHECK_H
#define IMDS_GUARD_CHECK_H

#include "guard/plan.h"
#include "kernel/backend.h"

#include <stddef.h>

/* How a plan fares in one backend. */
struct check {
    size_t held;  /* guards of the plan's interfaces and directions, whoever's and however wrong */
    size_t wrong; /* things that keep the plan from being whole and in force here */
};

/*
 * Compares, and appends a sentence to the details of `findings` for each thing that is wrong: a
 * guard missing (in which families), its verdict, its owner, what is wrong with the skeleton. The
 * rest of `findings` is left alone. `backend` is the backend's name, for those sentences.
 */
struct check check_plan(const struct plan *plan, const char *backend, const struct listing *listing,
                        struct error *findings);

/*
 * What a backend holds beside the one where the plan stands whole: appends a sentence for each
 * guard that drops where the plan wants `count`, as a drop anywhere is final. Returns how many.
 */
size_t check_contradictions(const struct plan *plan, const char *backend,
                            const struct listing *listing, struct error *findings);

#endif
