/*
 * The configuration in force, and the networks that it is for.
 *
 * What is known to be in force is not given up because a file is broken or gone: the first of these
 * that can be used is taken, and what was wrong with those before it is told.
 *   1. the operator's file (--config)
 *   2. our entry of the directory's lists (directory_entry)
 *   3. what the caller has known last
 * But for the first, what holds for the whole node is united with what all lists' entries say of it:
 * pods of their networks start by those.
 */
#ifndef IMDS_GUARD_CHAIN_SETTINGS_H
#define IMDS_GUARD_CHAIN_SETTINGS_H

#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"
#include "kernel/backend.h"
#include "node/chain/names.h"
#include "node/notes.h"

#include <stdint.h>

struct settings_sources {
    const char *conf_dir;
    const char *config_file;  /* or NULL */
    const char *known;        /* our entry's text, or NULL */
    const char *known_origin; /* where that is from: its file, or something for people; or NULL */
    const struct names *networks; /* beside those of the directory; or NULL */
};

struct settings {
    struct config config;
    char *entry;           /* the text that the configuration was read from, complete as an entry */
    char *path;            /* of the file that the keys came from, or `known_origin` */
    char *network;         /* of the list in force, or the first named; "" if nobody knows */
    struct names networks; /* all that make this node's pods: the lists', and those named */
    bool others_denied;    /* by another list's entry, if not by the configuration */
    bool remembered; /* by what the caller knows alone: neither file nor list says it any more */
    bool unchained;  /* a list that makes this node's pods has no entry of ours, or there is none */
    char *drop_in;   /* of the list in force, the drop-in that alone has its entry; or NULL */
    int64_t drop_in_written; /* nanoseconds since 1970 */
    struct notes problems;   /* what keeps the chain from being what it should be */
};

/*
 * Errors: ERROR_NOT_AVAILABLE if none of the sources has a configuration (says to run install, and
 * what was wrong with each); out of memory. The result is for settings_free.
 */
must_use int settings_load(const struct settings_sources *sources, struct settings *out,
                           struct error *err);
void settings_free(struct settings *settings);

/* What the backends shall have of it, exactly; borrowed. */
struct terms settings_terms(const struct settings *settings);

CLEANUP_FREE(settings);

#endif
