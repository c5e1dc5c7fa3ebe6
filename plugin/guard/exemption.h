/*
 * Which pods the configuration lets through: the list `exempt` of our entry, as plain data. Pure.
 *
 * Globs are those of guard/glob.h: *, ?, and a backslash that takes the next byte literally.
 */
#ifndef IMDS_GUARD_EXEMPTION_H
#define IMDS_GUARD_EXEMPTION_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

#define GLOB_LENGTH_MAX 253 /* bytes; a pod's name has no more (a DNS subdomain, RFC 1123) */

/* A key, literally, and the glob its value has to match. */
struct annotation_match {
    char *key;   /* not empty */
    char *value; /* glob */
};

struct exemption {
    char *namespace;                      /* glob, not empty */
    char *pod;                            /* glob, not empty, or NULL: any pod */
    struct annotation_match *annotations; /* all must match */
    size_t annotation_count;
};

/*
 * Reads the key `exempt` of the plugin's object, if it is there; `entry` may be NULL. Unlike in the
 * entry itself, an unknown key is refused: ignoring `"pods"` would let through the namespace where
 * one pod was meant. Errors: ERROR_INVALID_CONFIG naming key and value. The result is for
 * exemptions_free.
 */
must_use int exemptions_parse(const cJSON *entry, struct exemption **out, size_t *out_count,
                              struct error *err);
void exemptions_free(struct exemption *exemptions, size_t count);

#endif
