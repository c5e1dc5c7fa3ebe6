/* What several tests of the guard room need: a tree from a text, a text from a file. */
#ifndef IMDS_GUARD_TESTS_GUARD_TEXT_H
#define IMDS_GUARD_TESTS_GUARD_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/json.h"

#include <stdio.h>
#include <string.h>

static inline cJSON *tree_of(const char *text)
{
    struct error err = {.code = ERROR_NONE};
    cJSON *tree = NULL;

    if (json_parse((struct span){.start = text, .length = strlen(text)}, &tree, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return tree;
}

/* The whole file, NUL-terminated; the caller frees it. */
static inline char *text_of_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 65536);

    if (file == NULL || text == NULL)
        fail_msg("%s cannot be read", path);
    assert_in_range(fread(text, 1, 65535, file), 1, 65534);
    fclose(file);
    return text;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

#endif
