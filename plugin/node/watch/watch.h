/*
 * Installs, syncs, and keeps both true: waits in poll(2) for a change of the conflist, of the
 * configuration file, of libcni's cache or of the ruleset, and repairs what has come apart. The
 * watch is armed before anything is read, so no change falls between.
 *
 * There are three ways to look. The entry: is it where it belongs (entry.c). The guards: every pod and
 * every rule (guards.c), which takes a system call or ten a pod, and repairs. And a glance (glance.c):
 * the rules as they are against what the last look has left, and of the pods only those whose file has
 * changed. On a busy node nothing but glances is needed, and of what a pod's end leaves for a moment
 * nothing is repaired (doubts.h).
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
    const char *metrics_file; /* or NULL */
    unsigned interval;        /* seconds */
    bool quiet;               /* only problems, not what was done */
    bool json;                /* the log is for machines */
};

/*
 * Does not return but on failure to set up: SIGTERM and SIGINT end the process at once, with exit
 * code 0, and undo nothing. Writes a line to log for each thing done, with time and cause, and for
 * each thing that went wrong, once when it comes and once when it goes (log.h). What goes wrong later
 * is tried again.
 */
must_use int watch_run(const struct watch_options *options, FILE *log, struct error *err);

#endif
