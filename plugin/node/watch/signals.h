/*
 * How `watch` ends: SIGTERM and SIGINT end the process at once, with exit code 0.
 */
#ifndef IMDS_GUARD_WATCH_SIGNALS_H
#define IMDS_GUARD_WATCH_SIGNALS_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <signal.h>

/* Errors: ERROR_IO. */
must_use int signals_catch(struct error *err);

/* While files change names a signal waits for the last rename: a few milliseconds. */
void signals_hold(sigset_t *before);
void signals_let_go(const sigset_t *before);

#endif
