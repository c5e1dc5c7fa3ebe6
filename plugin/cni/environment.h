/*
 * The CNI_* variables as plain data. Pure. CNI specification 1.1.0, "Parameters".
 */
#ifndef IMDS_GUARD_ENVIRONMENT_H
#define IMDS_GUARD_ENVIRONMENT_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>

/* NULL for what is not set, or empty: to the specification that is the same. All borrowed. */
struct environment {
    const char *command;
    const char *container_id;
    const char *netns;
    const char *ifname;
    const char *args;
    const char *path;
};

/* Bits, for a set of variables that a verb requires. */
enum variable {
    VARIABLE_CONTAINER_ID = 1,
    VARIABLE_NETNS = 2,
    VARIABLE_IFNAME = 4,
    VARIABLE_PATH = 8,
};

/* `variables` is as environ(7) has them. Of a variable that is there twice the first counts. */
void environment_read(char *const variables[], struct environment *out);

/* Whether any variable of the specification is there, even an empty one. */
bool environment_is_cni(char *const variables[]);

/*
 * Whether the required variables are there and can be what they claim. Error:
 * ERROR_INVALID_ENVIRONMENT that names all that are missing or bad at once.
 */
must_use int environment_check(const struct environment *environment, unsigned required,
                               struct error *err);

#endif
