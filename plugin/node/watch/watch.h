/*
 * Installs, syncs, and keeps both true: waits in poll(2) for a change of the conflist, of the
 * configuration file, of libcni's cache or of the ruleset, and repairs what has come apart. The
 * watch is armed before anything is read, so no change falls between.
 */
#ifndef IMDS_GUARD_WATCH_WATCH_H
#define IMDS_GUARD_WATCH_WATCH_H

#include "guard/error.h"
#include "node/chain/install.h"

#include <stdbool.h>
#include <stdio.h>

#define WATCH_INTERVAL_DEFAULT 60 /* seconds between looks that nothing gave cause to */

struct watch_options {
    struct install_options install;
    const char *results_dir;
    unsigned interval; /* seconds */
    bool quiet;        /* only complaints, not what was done */
};

/*
 * Does not return but on failure to set up: SIGTERM and SIGINT end the process at once, with exit
 * code 0, and undo nothing. Writes a line to log for each thing done, with time and reason, and for
 * each thing that went wrong, once. What goes wrong later is tried again.
 */
must_use int watch_run(const struct watch_options *options, FILE *log, struct error *err);

#endif
