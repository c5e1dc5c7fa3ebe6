/*
 * What the runtime asks: environment and standard input together, checked completely, as plain
 * data. Nothing here looks at the kernel; a verb that has its request needs to check none of it
 * again.
 */
#ifndef IMDS_GUARD_REQUEST_H
#define IMDS_GUARD_REQUEST_H

#include "cni/args.h"
#include "cni/environment.h"
#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"
#include "guard/json.h"
#include "guard/plan.h"

#include <stdbool.h>
#include <stddef.h>

/* What of a request a verb needs. */
struct needs {
    unsigned variables; /* enum variable: must be there and good */
    const char *since;  /* the first version of the specification that has the verb; NULL: all */
    bool plan;        /* all that a plan is made of must be there: prevResult, the pod, the owner */
    bool attachments; /* the list of valid attachments is wanted */
    bool forgiving;   /* what is bad in config and prevResult counts as not there */
};

struct request {
    int cni_version; /* position, see cni_version.h */
    struct attachment attachment;
    struct config config;
    bool has_prev_result;
    struct span prev_result; /* its bytes within the text */
    struct owner *valid;     /* of this network; the names are borrowed from the tree */
    size_t valid_count;

    /* What the above borrows from. */
    struct args args;
    cJSON *tree;
    char *text; /* NULL if the caller keeps it */
};

/*
 * Reads the network configuration from `fd` and parses it. `environment` must outlive the request.
 * *cni_version becomes the request's as soon as that is known, even if the call then fails: the
 * error has to be in that version. Errors: environment_check, input_read, request_parse.
 */
must_use int request_read(const struct environment *environment, int fd, const struct needs *needs,
                          struct request *out, int *cni_version, struct error *err);

/*
 * The same without any I/O; pure. `text` must outlive the request too, and environment_check has
 * accepted the environment for needs->variables. Errors, each naming the key and its value:
 * ERROR_DECODING (no JSON object), ERROR_INCOMPATIBLE_VERSION, ERROR_INVALID_CONFIG,
 * ERROR_INVALID_ENVIRONMENT (owner too long for a tag).
 */
must_use int request_parse(const struct environment *environment, struct span text,
                           const struct needs *needs, struct request *out, int *cni_version,
                           struct error *err);

void request_free(struct request *request);

CLEANUP_FREE(request);

#endif
