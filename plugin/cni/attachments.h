/*
 * GC's list of the attachments that are still valid. Pure. CNI specification 1.1.0, "GC".
 */
#ifndef IMDS_GUARD_ATTACHMENTS_H
#define IMDS_GUARD_ATTACHMENTS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/owner.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/*
 * "cni.dev/valid-attachments", and "cni.dev/attachments", under which libcni repeats it for readers
 * of the specification's first text: what is in either is valid. Missing or null is an empty list.
 * The names in *out, the caller's to free, are borrowed from the tree and from `network`. Errors:
 * ERROR_INVALID_CONFIG naming the place.
 */
must_use int attachments_parse(const cJSON *tree, const char *network, struct owner **out,
                               size_t *count, struct error *err);

#endif
