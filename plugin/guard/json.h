/*
 * JSON in, strictly: cJSON makes the tree, and a scanner of our own stands before it, for two
 * things cJSON does not give: refusal of what is not JSON by RFC 8259 although cJSON takes it
 * (`01`, raw control characters, NUL bytes, broken UTF-8, trailing bytes), and the place of a value
 * in the text. The place is what lets a result pass through byte for byte (cJSON would turn 2^53 +
 * 1 into another number) and a conflist be edited without touching what other programs wrote into
 * it.
 */
#ifndef IMDS_GUARD_JSON_H
#define IMDS_GUARD_JSON_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 128 /* arrays and objects within each other */

/* Bytes of somebody else's text; owns nothing. */
struct span {
    const char *start;
    size_t length;
};

static inline void cleanup_json(cJSON **json)
{
    cJSON_Delete(*json);
}

/* RFC 8259, section 2. */
static inline bool json_is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/*
 * Parses exactly one JSON value with white space around it. The tree is the caller's, for
 * cJSON_Delete. Errors: ERROR_DECODING with the byte offset (from 0) of what is wrong.
 */
must_use int json_parse(struct span text, cJSON **out, struct error *err);

/*
 * The place of the value of an object's member `key` within a text that json_parse has accepted. False
 * if there is none; of members with the same key the first.
 */
must_use bool json_member(struct span object, const char *key, struct span *out);

/*
 * Steps through an array: *rest is its place at first, and what is left of it afterwards. One pass
 * over the text, however many elements there are. False at the end.
 */
must_use bool json_next(struct span *rest, struct span *out);

/*
 * Whether two values say the same, in whatever order their members stand; `a` has no key twice.
 * cJSON_Compare goes both ways at every level, and for an object nested 60 deep takes 2^60 steps.
 */
must_use bool json_same(const cJSON *a, const cJSON *b);

/*
 * The object's member with this key; *out is NULL if there is none, or no object. Errors:
 * ERROR_INVALID_CONFIG that names the key if it is given more than once (cJSON keeps all): no two readers
 * agree on which one counts.
 */
must_use int json_find(const cJSON *object, const char *key, const cJSON **out, struct error *err);

#endif
