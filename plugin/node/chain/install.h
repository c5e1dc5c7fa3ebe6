/*
 * Puts the plugin into the node's chain, and takes it out: what `install`, `uninstall` and `watch`
 * share. Does nothing where nothing has to change.
 */
#ifndef IMDS_GUARD_CHAIN_INSTALL_H
#define IMDS_GUARD_CHAIN_INSTALL_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>

#define BIN_DIR_DEFAULT IMDS_GUARD_PLUGINDIR

struct install_options {
    const char *conf_dir;
    const char *bin_dir;
    const char *config_file; /* our entry's keys; NULL: those that are there, else the defaults */
    bool drop_in;
};

/* What was done, for those who report it. */
struct install_report {
    bool binary_written;
    bool conflist_written; /* or the drop-in */
    bool no_conflist; /* there is none to put an entry into; the binary may have been written */
    char path[4096];  /* of the conflist or drop-in; "" if there is none */
};

/* Binary first, then the entry. A bad config_file is refused before anything is touched. */
must_use int install_all(const struct install_options *options, struct install_report *report,
                         struct error *err);

/* Only the binary, only the entry: what watch repeats. */
must_use int install_binary(const struct install_options *options, struct install_report *report,
                            struct error *err);
must_use int install_entry(const struct install_options *options, struct install_report *report,
                           struct error *err);

/* The entry out of the conflist, and the drop-in away. */
must_use int uninstall_entry(const struct install_options *options, struct install_report *report,
                             struct error *err);

#endif
