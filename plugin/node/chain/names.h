/*
 * The names in a directory, in the order in which runtimes read them (Go's sort.Strings: by byte).
 */
#ifndef IMDS_GUARD_CHAIN_NAMES_H
#define IMDS_GUARD_CHAIN_NAMES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>

struct names {
    char **items;
    size_t count;
};

/*
 * Those that `wanted` wants: of directories if `directories`, else of everything else. No such
 * directory is no names. Errors: ERROR_IO. The result is for names_free.
 */
must_use int names_read(const char *path, bool directories, bool (*wanted)(const char *name),
                        struct names *out, struct error *err);
must_use int names_add(struct names *names, const char *name, struct error *err);
void names_free(struct names *names);

/* Of NULL: false. */
bool names_have(const struct names *names, const char *name);

/* What others wrote may end so, and means something then (libcni, ConfFiles). */
bool name_ends(const char *name, const char *suffix);

CLEANUP_FREE(names);

#endif
