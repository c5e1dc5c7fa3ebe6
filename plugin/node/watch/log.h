/*
 * What watch says: a line for each thing done, with time and reason, and each complaint once,
 * however often its cause is met again. Nobody waits for whoever reads it: where a line would have
 * to, it is lost, a complaint until it is met again.
 */
#ifndef IMDS_GUARD_WATCH_LOG_H
#define IMDS_GUARD_WATCH_LOG_H

#include "guard/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

struct watch_log {
    FILE *out;
    bool quiet; /* complaints only */
};

/* The last complaint of one task; NULL if all is well. */
struct complaint {
    char *said;
};

/* "2026-01-31T12:00:00Z imds-guard watch: <text> [<reason>]" */
void watch_log_done(const struct watch_log *log, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, unless it says what the complaint said last. NULL or "": all is well again. */
void watch_log_complain(const struct watch_log *log, struct complaint *complaint,
                        const char *reason, const char *text);

#endif
