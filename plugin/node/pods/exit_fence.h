/*
 * The exit fence's part in a sync.
 */
#ifndef IMDS_GUARD_PODS_EXIT_FENCE_H
#define IMDS_GUARD_PODS_EXIT_FENCE_H

#include "guard/config.h"
#include "guard/error.h"
#include "kernel/backend.h"
#include "kernel/links/known.h"
#include "node/pods/sync.h"

/*
 * Has the fence stand on every uplink, with these terms and the report's plans, or takes it off where
 * the configuration says so; in a dry run it says what would be done. Where it cannot stand, that is
 * in the report (unfenced), and no error. `known`: as for fence_list.
 */
must_use int exit_fence_sync(const struct config *config, const struct terms *terms,
                             const struct known_links *known, bool dry_run,
                             struct sync_report *report, struct error *err);

#endif
