/*
 * The directory of conflists: every file that a runtime takes for a network, in the order in which
 * it takes them. The first that works is the one in force; any other may be, when that one goes.
 */
#ifndef IMDS_GUARD_CHAIN_DIRECTORY_H
#define IMDS_GUARD_CHAIN_DIRECTORY_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/chain/conflist.h"
#include "node/chain/names.h"

#include <stdbool.h>
#include <stddef.h>

struct directory {
    struct conflist *files;
    size_t count;
};

/*
 * The names of *.conf, *.conflist and *.json in lexical order, as go-cni takes them; with
 * `everything` also those that no runtime takes as they are called (Cilium's *.cilium_bak: they may
 * get their names back). Errors: ERROR_IO. For names_free.
 */
must_use int directory_names(const char *conf_dir, bool everything, struct names *out,
                             struct error *err);

/* The files themselves. No such directory is no files. Errors: ERROR_IO. For directory_free. */
must_use int directory_load(const char *conf_dir, const struct names *networks,
                            struct directory *out, struct error *err);
void directory_free(struct directory *directory);

/* The list in force: the first that makes this node's pods; NULL if there is none. */
const struct conflist *directory_first(const struct directory *directory);

/*
 * The list whose entry of ours counts for the node: that in force, if it has one that can be used. If
 * not, as while aws-node writes it anew, then that of the file `origin`, where what was in force is
 * from; and if that is not known (NULL), the first list that has one. NULL: none counts.
 */
const struct conflist *directory_entry(const struct directory *directory, const char *origin);

CLEANUP_FREE(directory);

#endif
