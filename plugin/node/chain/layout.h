/*
 * JSON text laid out as the text beside it is, so that a person sees no second hand in a file that
 * another program wrote. Strings and numbers stay as they are, byte for byte. Pure.
 */
#ifndef IMDS_GUARD_CHAIN_LAYOUT_H
#define IMDS_GUARD_CHAIN_LAYOUT_H

#include "guard/json.h"

#include <stdbool.h>
#include <stdio.h>

/* Spans are borrowed from the text that the layout was taken from. */
struct layout {
    struct span newline; /* line break and outer indentation; empty: everything is on one line */
    struct span unit;    /* what each level adds to the indentation */
    bool spaced;         /* a blank after ':', and after ',' on one line */
};

/* How an object or array is laid out. The text is one that json_parse has accepted. */
struct layout layout_of(struct span value);

/* Writes `value`, likewise accepted, in that layout. Errors stay in the stream (ferror(3)). */
void layout_write(FILE *out, struct span value, const struct layout *layout);

/* The white space that ends where `end` is, within the text that begins at `start`. */
struct span layout_blanks_before(const char *start, const char *end);

#endif
