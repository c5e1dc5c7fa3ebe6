/*
 * A run of sync with its report: the command `sync`, and what `install` ends with.
 */
#ifndef IMDS_GUARD_COMMANDS_SYNC_H
#define IMDS_GUARD_COMMANDS_SYNC_H

#include "node/chain/settings.h"
#include "node/pods/sync.h"

#include <stdio.h>

/* Answers on out, complaints on err as `command`'s. Returns the exit code. */
must_use int sync_and_report(const char *command, const struct settings_sources *sources,
                             const struct sync_options *options, FILE *out, FILE *err);

#endif
