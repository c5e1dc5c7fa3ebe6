/*
 * Names of networks that make this node's pods, beside those whose list has aws-cni in it.
 */
#ifndef IMDS_GUARD_CHAIN_NETWORKS_H
#define IMDS_GUARD_CHAIN_NETWORKS_H

#include "guard/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NETWORKS_MAX 16

struct networks {
    const char *names[NETWORKS_MAX]; /* borrowed */
    size_t count;
};

static inline bool networks_have(const struct networks *networks, const char *name)
{
    for (size_t i = 0; i < networks->count; i++)
        if (strcmp(networks->names[i], name) == 0)
            return true;
    return false;
}

/* False if it is no name of a network, or one too many. */
static inline bool networks_add(struct networks *networks, const char *name)
{
    if (networks_have(networks, name))
        return true;
    if (!name_is_network(name) || networks->count == NETWORKS_MAX)
        return false;
    networks->names[networks->count++] = name;
    return true;
}

#endif
