/*
 * Replacing a file so that a reader, a crash or a power cut finds either the old one or the new
 * one, whole.
 *
 * All writers of ours hold the directory's lock (flock(2)), so the temporary file can have one
 * fixed name, and whatever has that name when the lock is had was left behind by a process that
 * died.
 */
#ifndef IMDS_GUARD_CHAIN_REPLACE_H
#define IMDS_GUARD_CHAIN_REPLACE_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/json.h"

#include <stdbool.h>
#include <sys/stat.h>

/* A name that no runtime loads as a network (*.conf, *.conflist, *.json) or runs as a plugin. */
#define REPLACE_TEMPORARY ".imds-guard.new"

/* A file in the making, in a locked directory. Not committed, it is removed by its cleanup. */
struct replacement {
    int directory; /* borrowed */
    int fd;        /* for writing; -1: there is none */
};

/*
 * Opens the directory and takes its lock, waiting 10 seconds at most; removes what was left behind.
 * Closing *out lets the lock go. Errors: ERROR_IO, ERROR_TRY_AGAIN. With ENOENT, and only then,
 * errno is ENOENT on return.
 */
must_use int replace_lock(const char *path, int *out, struct error *err);

/* Creates the temporary file, empty, with the mode and owner of `like`. Errors: ERROR_IO. */
must_use int replacement_begin(int directory, const struct stat *like, struct replacement *out,
                               struct error *err);

/* write(2) until all is written. Errors: ERROR_IO. */
must_use int replacement_write(struct replacement *replacement, struct span text,
                               struct error *err);

/* Renames it to `name` in `directory` (the locked one, or another), durably. Errors: ERROR_IO. */
must_use int replacement_commit(struct replacement *replacement, int directory, const char *name,
                                struct error *err);

/*
 * The same in the locked directory, if `name` is still the file that `old` says (identity, size,
 * times of writing, mode, owner). *done is false if it is not: another program's file stays in
 * place. Programs that do not take our lock lose nothing: the two files change names in one step
 * (RENAME_EXCHANGE, rename(2)), and if what came out is not the old file, they change back.
 */
must_use int replacement_commit_over(struct replacement *replacement, const char *name,
                                     const struct stat *old, bool *done, struct error *err);

void replacement_drop(struct replacement *replacement);

static inline void cleanup_replacement(struct replacement *replacement)
{
    replacement_drop(replacement);
}

#endif
