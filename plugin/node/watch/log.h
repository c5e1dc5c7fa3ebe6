/*
 * What watch says: a line for each thing done, and each problem once when it comes and once when it
 * goes, however often it is met in between. For people or, as JSON, for machines:
 *
 *     2026-01-31T12:00:00Z imds-guard watch: <what> [<cause>]
 *     {"time":"2026-01-31T12:00:00Z","level":"info","what":"...","pod":"...","interface":"...","cause":"..."}
 *
 * Nobody waits for whoever reads it: where a line would have to, it is lost, a problem until it is
 * met again.
 */
#ifndef IMDS_GUARD_WATCH_LOG_H
#define IMDS_GUARD_WATCH_LOG_H

#include "guard/cleanup.h"
#include "node/notes.h"

#include <stdbool.h>
#include <stdio.h>

struct watch_log {
    FILE *out;
    bool quiet; /* problems only */
    bool json;
};

/* What was done: to a pod, or an interface; each may be NULL. */
void log_done(const struct watch_log *log, const char *cause, const char *pod,
              const char *interface, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* All notes of NOTE_DONE. */
void log_all_done(const struct watch_log *log, const char *cause, const struct notes *notes);

/*
 * What is wrong now with one task, all of it: the notes of NOTE_PROBLEM. Tells those that are not in
 * `told`, and that those are over which are there alone; and then `told` has what was told and lasts.
 */
void log_problems(const struct watch_log *log, struct notes *told, const char *cause,
                  const struct notes *notes);

/* The same of one at most; NULL or "": all is well. */
void log_problem(const struct watch_log *log, struct notes *told, const char *cause,
                 const char *text);

#endif
