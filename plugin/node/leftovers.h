/*
 * Guards that outlived their pod: the attachment and the interface are both gone. Harmless until an
 * interface of that name comes back, and then a new pod's ADD takes them over; but they add up.
 */
#ifndef IMDS_GUARD_LEFTOVERS_H
#define IMDS_GUARD_LEFTOVERS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/survey.h"
#include "node/sync.h"

#include <stddef.h>

/*
 * Whether a guard is one: its interface does not exist now, and its owner is no attachment of the
 * survey that lives still. Asks the kernel and the cache anew, so that pods that came or went
 * since the survey count as they are. An interface that exists is never left open: only the DEL of
 * its own attachment may do that.
 */
bool leftovers_is(const struct survey *survey, const char *results_dir, const struct held *held);

/* Removes them if the survey has any, or with options->dry_run counts those. */
must_use int leftovers_remove(const struct survey *survey, const struct sync_options *options,
                              const struct terms *terms, size_t *removed, struct error *err);

#endif
