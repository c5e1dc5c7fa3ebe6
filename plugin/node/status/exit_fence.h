/*
 * What status says of the exit fence.
 */
#ifndef IMDS_GUARD_STATUS_EXIT_FENCE_H
#define IMDS_GUARD_STATUS_EXIT_FENCE_H

#include "guard/error.h"
#include "node/chain/settings.h"
#include "node/pods/survey.h"
#include "node/status/status.h"

/* `settings` is empty where there is no usable configuration. Errors: out of memory. */
must_use int status_add_fence(struct status *status, const struct settings *settings,
                              const struct survey *survey, struct error *err);

#endif
