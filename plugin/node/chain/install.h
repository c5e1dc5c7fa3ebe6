/*
 * Puts the plugin into the node's chain, and takes it out: what `install`, `uninstall` and `watch`
 * share. Does nothing where nothing has to change.
 *
 * The entry belongs last in every list of the directory that makes this node's pods (conflist.h), and
 * in no other: the first one is in force today, and any other is when that one goes.
 */
#ifndef IMDS_GUARD_CHAIN_INSTALL_H
#define IMDS_GUARD_CHAIN_INSTALL_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/chain/names.h"
#include "node/notes.h"

#include <stdbool.h>

#define BIN_DIR_DEFAULT IMDS_GUARD_PLUGINDIR

struct install_options {
    const char *conf_dir;
    const char *bin_dir;
    const char *config_file;  /* our entry's keys; NULL: those that are there */
    const char *config;       /* what was read from it, which is not read again then; or NULL */
    const char *known;        /* our entry where none is there, or one that no pod could start with;
                              * NULL: the defaults for the former, nothing for the latter */
    const char *known_origin; /* the file that it is from, which may have it still; or NULL */
    const struct names *networks; /* named by the operator; or NULL */
    bool drop_in;
    bool impatient; /* ERROR_TRY_AGAIN at once if somebody else has the lock of a directory */
};

/* What was done, for those who report it. For install_report_free, whatever was returned. */
struct install_report {
    struct notes notes; /* each names the file that it is about */
    size_t lists;       /* that make this node's pods: 0: there is none to put an entry into */
    size_t failed;      /* files that are not as they should be; the notes say why */
    size_t named;       /* after uninstalling: files that name us still */
    bool binary_written;
    bool entry_written; /* or taken out, somewhere */
    char follower[64];  /* the plugin that had come after us, or still does; "" */
};

/*
 * Binary first, then the entry. A bad config_file is refused before anything is touched; what is wrong
 * with one list keeps none of the others from being edited. Errors: config_file, the binary, a directory
 * or its lock.
 */
must_use int install_all(const struct install_options *options, struct install_report *report,
                         struct error *err);

/*
 * Only the binary. One that is there and works is enough where it cannot be replaced, and a newer one
 * is left alone; the notes say so.
 */
must_use int install_binary(const struct install_options *options, struct install_report *report,
                            struct error *err);

/* Every entry out of every file of the directory, and all drop-ins away. */
must_use int uninstall_entry(const struct install_options *options, struct install_report *report,
                             struct error *err);

void install_report_free(struct install_report *report);

CLEANUP_FREE(install_report);

#endif
