/*
 * Where a pod must not get to: an address or a CIDR of either family. Pure.
 */
#ifndef IMDS_GUARD_ENDPOINT_H
#define IMDS_GUARD_ENDPOINT_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family {
    FAMILY_IPV4 = 1, /* bits, so that a set of families fits an unsigned */
    FAMILY_IPV6 = 2,
};

struct endpoint {
    enum family family;
    uint8_t address[16]; /* network byte order; IPv4 in the first 4, the rest 0; host bits are 0 */
    unsigned prefix;     /* bits: 1 to 32, or 1 to 128 */
};

#define ENDPOINT_TEXT_SIZE 50 /* longest IPv6 text, "/128", NUL */

/*
 * "169.254.169.254", "fd00:ec2::254", "169.254.169.254/32". Errors: ERROR_INVALID_CONFIG that names
 * the text: no address, host bits set (says which network was meant), prefix 0, IPv4-mapped IPv6.
 */
must_use int endpoint_parse(const char *text, struct endpoint *out, struct error *err);

/* The shortest text that endpoint_parse turns into the same; no "/32" or "/128". */
void endpoint_text(const struct endpoint *endpoint, char out[static ENDPOINT_TEXT_SIZE]);

/* Whether every address of the inner one is the outer one's, too. */
bool endpoint_contains(const struct endpoint *outer, const struct endpoint *inner);

/* The same of one of several outer ones. */
bool endpoints_contain(const struct endpoint *endpoints, size_t count,
                       const struct endpoint *inner);

/*
 * Sorts (family, address, prefix) and drops what another one contains, so that equal sets are equal
 * arrays and no two overlap. Returns the new count.
 */
size_t endpoints_normalise(struct endpoint *endpoints, size_t count);

#endif
