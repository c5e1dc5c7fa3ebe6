/*
 * The CNI protocol, one call: environment and streams in, exit code out. Everything is a parameter,
 * so that the whole protocol is tested in-process.
 *
 *     environment ─▶ verb ─▶ needs ─▶ request ─▶ the verb's own file ─▶ result or error on stdout
 *
 * A verb is a row of the table in cni.c: what its request needs, and the function that does it.
 * When that function runs, the request is plain data, checked completely.
 */
#ifndef IMDS_GUARD_CNI_H
#define IMDS_GUARD_CNI_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Whether a runtime is calling: CNI_COMMAND is set, or another variable of the specification is and
 * there are no arguments. Runtimes pass none; a person whose shell exports CNI_PATH may.
 */
bool cni_is_called(char *const environment[], bool has_arguments);

/*
 * Reads the request from descriptor `in` (not for VERSION), does it, and writes at most one JSON
 * object to out: the result, or the error. What has nowhere else to go is one line on log, which
 * reaches the runtime's own log: a DEL that could not clean up, an out that cannot be written to.
 * SIGPIPE must be ignored. Returns the process's exit code: 0 or 1.
 */
int cni_run(char *const environment[], int in, FILE *out, FILE *log);

#endif
