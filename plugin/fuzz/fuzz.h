/*
 * What the fuzz targets share: properties that end the run, and inputs cut into parts.
 *
 * A target is one file, <room>_<module>_fuzz.c, linked with its room. What it is for is not only to
 * crash: each says, with must(), what holds for every input.
 */
#ifndef IMDS_GUARD_FUZZ_H
#define IMDS_GUARD_FUZZ_H

#include "guard/cleanup.h"
#include "guard/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property: where it does not hold, libFuzzer keeps the input and the test fails. */
#define must(property)                                                                             \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/*
 * Cuts the first line off the input: its bytes with a NUL after them, for the caller to free, in
 * memory of their own, so that AddressSanitizer sees a step past their end. Bytes after the last
 * line break are a line too.
 */
static inline char *fuzz_line(struct span *input)
{
    const char *end = input->length > 0 ? memchr(input->start, '\n', input->length) : NULL;
    size_t length = end ? (size_t)(end - input->start) : input->length;
    size_t taken = end ? length + 1 : length;
    char *line = calloc(1, length + 1);

    must(line);
    if (length > 0)
        memcpy(line, input->start, length);
    *input = (struct span){input->start + taken, input->length - taken};
    return line;
}

/* What is left, in memory that ends where it does and is aligned for anything. To be freed. */
static inline void *fuzz_rest(struct span input)
{
    void *copy = malloc(input.length);

    must(copy || input.length == 0);
    if (input.length > 0)
        memcpy(copy, input.start, input.length);
    return copy;
}

static inline struct span fuzz_span(const uint8_t *data, size_t size)
{
    return (struct span){(const char *)data, size};
}

/* Whether it is one JSON value and nothing else. */
static inline void fuzz_must_be_json(struct span text)
{
    cleanup(json) cJSON *tree = NULL;
    struct error err;

    must(json_parse(text, &tree, &err) == 0);
}

#endif
