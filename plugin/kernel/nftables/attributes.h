/*
 * Netlink attributes by type, for readers of answers: never past the end of what is there.
 */
#ifndef IMDS_GUARD_NFTABLES_ATTRIBUTES_H
#define IMDS_GUARD_NFTABLES_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above every attribute that is read here; NFTA_SET_EXPR is 17. */
#define ATTRIBUTE_TYPES 20

/* The first of each type, or NULL. Higher types are skipped. */
struct attributes {
    const struct nlattr *at[ATTRIBUTE_TYPES];
};

void attributes_read(const void *bytes, size_t length, struct attributes *out);

/* What is inside one attribute; nothing if it is NULL. */
void attributes_nested(const struct nlattr *nest, struct attributes *out);

/* The attribute inside `nest` after `cursor`, the first after NULL; NULL at the end. */
const struct nlattr *attribute_next(const struct nlattr *nest, const struct nlattr *cursor);

/* Big-endian numbers, as nf_tables sends them. False, and *out as it was, if there is none. */
bool attribute_u32(const struct attributes *attributes, unsigned type, uint32_t *out);
bool attribute_u64(const struct attributes *attributes, unsigned type, uint64_t *out);

/* A text with its NUL, or NULL. */
const char *attribute_text(const struct attributes *attributes, unsigned type);

/* Whether the attribute is a text, and this one. */
bool attribute_is(const struct attributes *attributes, unsigned type, const char *text);

#endif
