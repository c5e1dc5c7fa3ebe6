/*
 * The chain that libcni cached with an attachment: `config`, the conflist's text at the time, in
 * base64 (Go's encoding/json writes []byte so). It says whose pod that is whatever the directory
 * of conflists says by now, and under whatever name the pod was started. Drop-ins are not in it.
 */
#ifndef IMDS_GUARD_PODS_CACHE_CHAIN_H
#define IMDS_GUARD_PODS_CACHE_CHAIN_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>

struct cached_chain {
    bool of_node; /* aws-cni is in it, or we are: one of this node's pods */
    char *entry;  /* the text of our last entry in it; or NULL. For free(3) */
};

/*
 * What is no base64 of a conflist says nothing: false and NULL. Errors: out of memory.
 */
must_use int cached_chain_read(const char *config, struct cached_chain *out, struct error *err);

#endif
