/*
 * FNV-1a, 64 bits: for telling things apart where nobody gains from two that collide. Two that
 * differ give the same number once in 2^64 times.
 */
#ifndef IMDS_GUARD_HASH_H
#define IMDS_GUARD_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_BEGIN 0xcbf29ce484222325U

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    for (const unsigned char *at = bytes; length > 0; at++, length--)
        hash = (hash ^ *at) * 0x100000001b3;
    return hash;
}

/* With its NUL, so that two texts in a row read one way only. */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

#endif
