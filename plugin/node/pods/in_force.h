/*
 * The configuration in force, where the directory of conflists may not say it any more: its last
 * source is the chain that libcni cached with the pods that run.
 */
#ifndef IMDS_GUARD_PODS_IN_FORCE_H
#define IMDS_GUARD_PODS_IN_FORCE_H

#include "guard/error.h"
#include "node/chain/settings.h"

/*
 * As settings_load; if that has no configuration at all, by our entry in the chain of the pod
 * that started last. One for all pods: they were started by one node's configuration, and that is
 * its latest.
 */
must_use int in_force_load(const struct settings_sources *sources, const char *results_dir,
                           struct settings *out, struct error *err);

#endif
