/*
 * What config.c and exemption.c share: refusing what a key holds. Pure.
 */
#ifndef IMDS_GUARD_CONFIG_KEY_H
#define IMDS_GUARD_CONFIG_KEY_H

#include "guard/error.h"

#include <cjson/cJSON.h>

/* Enough for "exempt[2147483647].annotation". */
#define CONFIG_PLACE_SIZE 64

/*
 * ERROR_INVALID_CONFIG "config key <place> is <value>: it must be <wanted>", the value cut to a
 * length that leaves room for the rest. Always returns -1.
 */
int config_refuse(const char *place, const cJSON *value, const char *wanted, struct error *err);

#endif
