/*
 * One change of the locked directory of conflists, file by file: read, edited, written, and done over
 * if another program has written between.
 */
#ifndef IMDS_GUARD_CHAIN_CHANGE_H
#define IMDS_GUARD_CHAIN_CHANGE_H

#include "node/chain/conflist.h"
#include "node/chain/install.h"
#include "node/chain/names.h"

struct change {
    const struct install_options *options;
    const char *config; /* the operator's entry, or NULL */
    const char *spare;  /* for a list that has none, or NULL: one that has a wrong one stays */
    int directory;      /* locked */
    struct install_report *report;
};

/*
 * What is done with one file. *text, for free(3), is the whole new text; untouched, the file stays.
 * It is called again if the file has changed since it was read.
 */
typedef int change_edit(const struct change *change, const struct conflist *conflist, char **text,
                        struct error *err);

/*
 * Has the change done with the directory locked. No such directory is nothing to do. Errors: the lock's,
 * and `work`'s.
 */
must_use int change_run(struct change *change,
                        int (*work)(struct change *change, struct error *err), struct error *err);

/* Has each of the files edited. What is wrong with one becomes a note of the report. */
void change_files(const struct change *change, const struct names *names, change_edit *edit);

/* A note, and the file counts as failed; once, however often it is met. */
void change_fail(const struct change *change, const char *why);

/* An edit: the list's own entries go. `why` ends the note. */
must_use int change_take_out(const struct change *change, const struct conflist *conflist,
                             const char *why, char **text, struct error *err);

/* The drop-in of the list's network is `entry`, and the last there. */
must_use int change_write_drop_in(const struct change *change, const struct conflist *conflist,
                                  struct span entry, struct error *err);

/* All drop-ins of ours in this directory go, but for the file `but` (or NULL). */
must_use int change_remove_drop_ins(const struct change *change, const char *network,
                                    const struct drop_ins *drop_ins, const char *but,
                                    struct error *err);

#endif
