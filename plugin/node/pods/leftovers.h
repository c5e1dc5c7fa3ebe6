/*
 * Guards that outlived their pod: the attachment and the interface are both gone. Harmless until an
 * interface of that name comes back, and then a new pod's ADD takes them over; but they add up.
 */
#ifndef IMDS_GUARD_PODS_LEFTOVERS_H
#define IMDS_GUARD_PODS_LEFTOVERS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/pods/survey.h"
#include "node/pods/sync.h"

#include <stddef.h>

/*
 * Removes them if the survey has any, or with options->dry_run counts those. Asks the kernel and the
 * cache anew, so that pods that came or went since the survey count as they are. An interface that
 * exists is never left open: only the DEL of its own attachment may do that.
 */
must_use int leftovers_remove(const struct survey *survey, const struct sync_options *options,
                              const struct terms *terms, size_t *removed, struct error *err);

#endif
