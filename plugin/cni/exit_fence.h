/*
 * The exit fence's part in each verb. Only that, and looking into the pod, needs CAP_SYS_ADMIN, so
 * that it comes before the guards, and each of these gives up what they do not need.
 */
#ifndef IMDS_GUARD_CNI_EXIT_FENCE_H
#define IMDS_GUARD_CNI_EXIT_FENCE_H

#include "cni/request.h"
#include "guard/error.h"
#include "guard/plan.h"

#include <stdint.h>
#include <stdio.h>

/* What is needed for it, and for the guards that come after (privileges.h). */
uint64_t exit_fence_privileges(const struct request *request);

/* Sees to it that the fence stands. Where it cannot, that is an error only if it is required. */
must_use int exit_fence_add(const struct request *request, const struct plan *plan,
                            struct error *err);

/* *weak (else untouched): what of what ADD would have made does not hold. */
must_use int exit_fence_check(const struct request *request, const struct plan *plan,
                              struct error *weak, struct error *err);

/* Has it forget links that are gone. It is no error if that cannot be: ADD judges anew whoever has a
 * link's index. */
must_use int exit_fence_prune(const struct request *request, struct error *err);

/* ERROR_NOT_AVAILABLE if it is required and could not be built; else that is a line in the log. */
must_use int exit_fence_status(const struct request *request, FILE *log, struct error *err);

#endif
