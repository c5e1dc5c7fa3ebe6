/*
 * Who the pod says it is, and whether the configuration lets it through. Pure.
 *
 * The runtime vouches for namespace and name (CNI_ARGS); the pod's author chooses its name and
 * annotations. Only the namespace is beyond the author's choice, hence every exemption names one.
 */
#ifndef IMDS_GUARD_POD_H
#define IMDS_GUARD_POD_H

#include "guard/config.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* NULL where the runtime did not say. Borrowed strings: the owner of the request frees them. */
struct pod {
    const char *namespace;
    const char *name;
    const cJSON *annotations; /* object of strings, or NULL */
};

/* True if an entry of `exempt` matches in all its fields. A pod without a namespace
 * matches none. */
bool pod_is_exempt(const struct pod *pod, const struct config *config);

/*
 * Takes all annotations away that no exemption asks for: pod_is_exempt says the same as before, and
 * of what a pod's author has written little stays in memory.
 */
void pod_trim_annotations(cJSON *annotations, const struct config *config);

#endif
