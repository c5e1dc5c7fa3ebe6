/*
 * The versions of the CNI specification that we speak, oldest first: so their positions in the list
 * compare as numbers. The list is the build's, which packagers read from the .pc file too. Pure.
 */
#ifndef IMDS_GUARD_CNI_VERSION_H
#define IMDS_GUARD_CNI_VERSION_H

#include <string.h>

static const char *const cni_versions[] = {IMDS_GUARD_CNI_VERSION_LIST};

enum { CNI_VERSION_NEWEST = sizeof(cni_versions) / sizeof(*cni_versions) - 1 };

/* The position of the version with this text; -1 if we do not speak it. */
static inline int cni_version_find(const char *text)
{
    for (int position = 0; position <= CNI_VERSION_NEWEST; position++)
        if (strcmp(cni_versions[position], text) == 0)
            return position;
    return -1;
}

#endif
