/*
 * The conflist that the runtime would use: found, read, and edited as text, so that what other
 * programs wrote stays as they wrote it, byte for byte.
 */
#ifndef IMDS_GUARD_CONFLIST_H
#define IMDS_GUARD_CONFLIST_H

#include "guard/error.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stddef.h>

#define CONF_DIR_DEFAULT "/etc/cni/net.d"

struct conflist {
    char *path; /* of the file */
    char *text; /* as read, with a NUL after it */
    size_t length;
    cJSON *tree;
    const char *network;   /* its "name"; borrowed from the tree */
    const cJSON *entry;    /* our entry, inline or from the drop-in directory; NULL if none */
    cJSON *drop_in;        /* the tree of <conf dir>/<network>/imds-guard.conf, or NULL */
};

/*
 * The first of *.conf, *.conflist and *.json in lexical order, as go-cni takes it. *found is false,
 * and out untouched, if there is none (or no such directory): that is no error. Errors: ERROR_IO,
 * ERROR_DECODING, ERROR_INVALID_CONFIG (no list of plugins: says how to make a .conf a list), each
 * naming the file. The result is for conflist_free.
 */
must_use int conflist_load(const char *conf_dir, struct conflist *out, bool *found,
                           struct error *err);
void conflist_free(struct conflist *conflist);

/*
 * The conflist's text with our entry in it: in the place of the first entry of ours that is there
 * (others of ours go), else after the last of aws-cni and egress-cni, else last. `entry` is the text
 * of a JSON object. The same bytes come out if nothing has to change. *out is the caller's to free.
 */
must_use int conflist_insert(struct span text, struct span entry, char **out, struct error *err);

/* The text without any entry of ours. Undoes conflist_insert to the byte. */
must_use int conflist_remove(struct span text, char **out, struct error *err);

static inline void cleanup_conflist(struct conflist *conflist)
{
    conflist_free(conflist);
}

#endif
