/*
 * CNI_ARGS: who the runtime says the pod is. Pure.
 */
#ifndef IMDS_GUARD_ARGS_H
#define IMDS_GUARD_ARGS_H

#include "guard/cleanup.h"
#include "guard/error.h"

/* Kubernetes names: a pod's is a DNS subdomain, a namespace's is shorter (RFC 1123, RFC 1035). */
#define ARGS_NAME_MAX 253

/* NULL where CNI_ARGS does not say. */
struct args {
    char *namespace; /* K8S_POD_NAMESPACE */
    char *name;      /* K8S_POD_NAME */
};

/*
 * `text` is "KEY=value;KEY=value", or NULL. Everything else in it is other plugins' business and
 * ignored. What could mean two things is not said at all, so that it exempts nobody: a key given
 * twice, an empty value, one longer than ARGS_NAME_MAX. The result is for args_free. Error: no
 * memory.
 */
must_use int args_parse(const char *text, struct args *out, struct error *err);
void args_free(struct args *args);

CLEANUP_FREE(args);

#endif
