/*
 * Replacing a file so that a reader, a crash or a power cut finds either the old one or the new
 * one, whole, and so that what another program writes meanwhile is never lost.
 *
 * All writers of ours hold the directory's lock (flock(2)), so the temporary file can have one
 * fixed name. Programs that do not take our lock are met with an exchange of names (RENAME_EXCHANGE,
 * rename(2)): what our file has replaced then has the temporary name. If that is not the file that
 * was read, the two change back.
 *
 * Whoever dies between those steps leaves a state that tells what it is. Our file has the sticky bit,
 * which means nothing on a file, until what it replaced is known to be the old one. So a temporary
 * file with that bit never had the name that it was for, and goes; one without it is what came out,
 * and goes back to where a file with the bit stands. If there is none, somebody has written anew
 * since, or the old one was to be removed, and it goes.
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

#define REPLACE_PATIENCE_MS 10000 /* for commands: how long to wait for the lock */

/* A file in the making, in a locked directory. Not committed, it is removed by its cleanup. */
struct replacement {
    int directory; /* borrowed */
    int fd;        /* for writing; -1: closed */
    bool made;     /* the temporary file is ours to remove */
};

/*
 * Opens the directory and takes its lock, waiting so long at most; undoes or removes what was left
 * behind. Closing *out lets the lock go. Errors: ERROR_IO, ERROR_TRY_AGAIN (somebody else has the
 * lock).
 */
must_use int replace_lock(const char *path, unsigned patience_ms, int *out, struct error *err);

/* Creates the temporary file, empty, with the mode and owner of `like`. Errors: ERROR_IO. */
must_use int replacement_begin(int directory, const struct stat *like, struct replacement *out,
                               struct error *err);

/* write(2) until all is written. Errors: ERROR_IO. */
must_use int replacement_write(struct replacement *replacement, struct span text,
                               struct error *err);

/*
 * Renames it to `name` in `directory` (the locked one, or another), durably. It is closed before
 * that: a program that is open for writing cannot be run (ETXTBSY, execve(2)). Errors: ERROR_IO.
 */
must_use int replacement_commit(struct replacement *replacement, int directory, const char *name,
                                struct error *err);

/*
 * The same in the locked directory, if `name` is still the file that `old` says (identity, size,
 * times of writing, mode, owner). *done is false if it is not: another program's file stays in
 * place. On a file system that cannot exchange names (NFS) a window of one system call is left.
 */
must_use int replacement_commit_over(struct replacement *replacement, const char *name,
                                     const struct stat *old, bool *done, struct error *err);

void replacement_drop(struct replacement *replacement);

CLEANUP_BY(replacement, replacement_drop);

#endif
