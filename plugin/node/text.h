/*
 * Text of others on its way to a terminal, a log or a program.
 */
#ifndef IMDS_GUARD_TEXT_H
#define IMDS_GUARD_TEXT_H

#include <stdio.h>

/*
 * Every byte that is no printable ASCII becomes '?': a pod's author chooses its name and, within
 * its namespace, names of interfaces, and neither may move the cursor of whoever looks.
 */
void text_make_printable(char *text);

/* A copy made so, for free(3); of NULL an empty one. NULL without memory. */
char *text_printable(const char *text);

/* The same in quotes, as JSON and Prometheus read them. */
void text_quote(const char *text, FILE *out);

/* A member of an object of JSON that is not the first; of NULL null. */
void text_member(const char *key, const char *value, FILE *out);

#endif
