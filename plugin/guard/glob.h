/*
 * Globs, as exemptions have them. Pure; bytes are bytes, whatever the locale.
 *
 *   *     any bytes, or none ('/' and a leading '.' too)
 *   ?     any one byte
 *   \x    the byte x, be it * or ? or a backslash; a backslash at the end is one
 *
 * Everything else stands for itself. Unlike fnmatch(3)'s, these have no bracket expressions: '[' is
 * a byte like any other.
 */
#ifndef IMDS_GUARD_GLOB_H
#define IMDS_GUARD_GLOB_H

#include <stdbool.h>

/*
 * Whether all of `text` is what `glob` stands for. Needs no memory and does not recurse; takes at
 * most as many steps as glob and text have bytes, multiplied: of a text that an attacker writes,
 * the time grows with the length alone.
 */
bool glob_matches(const char *glob, const char *text);

#endif
