/*
 * The CNI protocol, one call: environment and streams in, exit code out. Everything is a parameter,
 * so that the whole protocol is tested in-process.
 */
#ifndef IMDS_GUARD_CNI_H
#define IMDS_GUARD_CNI_H

#include <stdbool.h>
#include <stdio.h>

/* Whether the environment asks for a CNI verb: CNI_COMMAND, or any other CNI_ variable, is set. */
bool cni_is_called(char *const environment[]);

/*
 * Reads the request from descriptor `in` (not for VERSION), does it, and writes at most one JSON
 * object to out: the result, or the error. Returns the process's exit code: 0 or 1.
 */
int cni_run(char *const environment[], int in, FILE *out);

#endif
