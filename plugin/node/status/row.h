/*
 * The rows of a status, and what it says of the exit fence. For status_collect.
 */
#ifndef IMDS_GUARD_STATUS_ROW_H
#define IMDS_GUARD_STATUS_ROW_H

#include "guard/error.h"
#include "guard/owner.h"
#include "kernel/holdings.h"
#include "node/pods/survey.h"
#include "node/status/status.h"

/*
 * Appends a row for the owner; namespace and pod may be NULL. *out is borrowed, and valid until the
 * next row is added.
 */
must_use int status_row_add(struct status *status, const struct owner *owner, const char *namespace,
                            const char *pod, struct status_row **out, struct error *err);

/* The last row, if it is this owner's: the cache may have two files of one. Or NULL. */
struct status_row *status_row_last(const struct status *status, const struct owner *owner);

/* The row with this owner, or NULL. */
struct status_row *status_row_find(const struct status *status, const struct owner *owner);

/* Appends what the kernel holds where `wanted` should be, or, if nothing, that it is not held. */
must_use int status_row_add_wanted(struct status_row *row, const struct holdings *holdings,
                                   const struct guard *wanted, struct error *err);
must_use int status_row_add_held(struct status_row *row, const char *backend,
                                 const struct held *held, struct error *err);

/* Replaces state and reason. */
must_use int status_row_judge(struct status_row *row, enum status_state state, const char *reason,
                              struct error *err);

/*
 * Whether who has no guard gets the verdict that is configured. *why, but for STATUS_IN_FORCE: what to do,
 * which is not sync where the kernel or this process could not set another.
 */
enum status_exit status_judge_others(const struct settings *settings,
                                     const struct holdings *holdings, struct error *why);

/* The exit fence. `settings` is empty where there is no usable configuration. */
must_use int status_add_fence(struct status *status, const struct settings *settings,
                              const struct survey *survey, struct error *err);

/* Whether it stops what other network namespaces' sockets send through every uplink (macvlan, ipvlan). */
bool status_fence_knows_sockets(const struct status_fence *fence);

void status_rows_sort(struct status *status);
void status_row_free(struct status_row *row);

#endif
