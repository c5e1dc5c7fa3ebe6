/*
 * What a person can ask of the binary: one table, a command a file.
 */
#ifndef IMDS_GUARD_COMMANDS_COMMANDS_H
#define IMDS_GUARD_COMMANDS_COMMANDS_H

#include "guard/error.h"
#include "node/pods/sync.h"

#include <stdio.h>

/* Exit codes that mean the same for every command. status has its own beside them (status.h). */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,      /* said why on `err` */
    EXIT_USAGE = 2,       /* options make no sense; said which on `err` */
    EXIT_NO_CONFLIST = 3, /* install: there is no conflist yet to put an entry into */
};

struct command {
    const char *name;
    const char *summary; /* one line for `imds-guard help` */
    /* argv[0] is the command's own name. Answers go to out, complaints to err. Returns
     * exit code. */
    int (*run)(int argc, char **argv, FILE *out, FILE *err);
};

/* Ends with a name of NULL. */
extern const struct command commands[];

/* Says on err why the command failed. Returns EXIT_FAILED. */
int command_failed(const char *command, const struct error *why, FILE *err);

/*
 * All rules of ours away, as flush and uninstall do: asks on standard input and `out` whether that is wanted.
 * EXIT_OK if it is; else, said on err as `command`'s: EXIT_FAILED, or EXIT_USAGE where nobody can be asked.
 */
int rules_confirm(const char *command, FILE *out, FILE *err);

/* Takes them away, of all backends, and the exit fence, and says so on out. Errors: guards_remove's,
 * fence_remove's; either is tried. */
int rules_remove(FILE *out, struct error *err);

/* A run of sync with its report, as sync and install do: answers on out, complaints on err as `command`'s.
 * Returns the exit code. */
int sync_and_report(const char *command, const struct settings_sources *sources,
                    const struct sync_options *options, FILE *out, FILE *err);

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

int command_install(int argc, char **argv, FILE *out, FILE *err);
int command_uninstall(int argc, char **argv, FILE *out, FILE *err);
int command_sync(int argc, char **argv, FILE *out, FILE *err);
int command_watch(int argc, char **argv, FILE *out, FILE *err);
int command_status(int argc, char **argv, FILE *out, FILE *err);
int command_flush(int argc, char **argv, FILE *out, FILE *err);
int command_version(int argc, char **argv, FILE *out, FILE *err);
int command_help(int argc, char **argv, FILE *out, FILE *err);

#endif
