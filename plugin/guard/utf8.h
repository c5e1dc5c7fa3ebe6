/*
 * Well-formed UTF-8 (RFC 3629), for text that comes from outside and text that leaves. Pure.
 */
#ifndef IMDS_GUARD_UTF8_H
#define IMDS_GUARD_UTF8_H

#include <stddef.h>

/*
 * Bytes (1 to 4) of the character that `text` starts with; 0 if it is none: a stray or missing
 * continuation byte, an overlong form, a surrogate, something past U+10FFFF. Reads no more than
 * `available` bytes.
 */
size_t utf8_length(const char *text, size_t available);

/* Replaces, in place, each byte that belongs to no character by '?'. */
void utf8_scrub(char *text);

#endif
