#include "guard/cni_version.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char supported[] = IMDS_GUARD_CNI_VERSIONS;

/* The version after `version` in the list, NULL after the last. */
static const char *next_of(const char *version)
{
    const char *space = strchr(version, ' ');
    return space ? space + 1 : NULL;
}

int cni_version_find(const char *text)
{
    size_t length = strlen(text);
    int position = 0;

    for (const char *version = supported; version; version = next_of(version), position++)
        if (strcspn(version, " ") == length && strncmp(version, text, length) == 0)
            return position;
    return -1;
}

void cni_version_text(int position, char out[static CNI_VERSION_SIZE])
{
    const char *version = supported;

    while (position-- > 0)
        version = next_of(version);
    snprintf(out, CNI_VERSION_SIZE, "%.*s", (int)strcspn(version, " "), version);
}

int cni_version_newest(void)
{
    int position = 0;

    for (const char *version = supported; (version = next_of(version)); position++)
        ;
    return position;
}
