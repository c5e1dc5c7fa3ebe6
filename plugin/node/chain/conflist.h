/*
 * The conflist that the runtime would use: found, read, and edited as text, so that what other
 * programs wrote stays as they wrote it, byte for byte.
 */
#ifndef IMDS_GUARD_CHAIN_CONFLIST_H
#define IMDS_GUARD_CHAIN_CONFLIST_H

#include "guard/error.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define CONF_DIR_DEFAULT "/etc/cni/net.d"

/* In <conf dir>/<network>/: libcni 1.3 and later append what lies there to the list's plugins. */
#define CONFLIST_DROP_IN "imds-guard.conf"

struct conflist {
    char *path; /* of the file */
    char *text; /* as read, with a NUL after it */
    size_t length;
    struct stat stat; /* of the file, from before it was read */
    cJSON *tree;
    const char *network;    /* its "name"; borrowed from the tree */
    const cJSON *entry;     /* our entry, inline or (where libcni reads it) the drop-in; or NULL */
    size_t entry_count;     /* of ours that libcni reads */
    struct span entry_text; /* the same as text, borrowed; only with `entry` */
    cJSON *drop_in;         /* the tree of <conf dir>/<network>/imds-guard.conf, or NULL */
    char *drop_in_text;
};

/*
 * The first of *.conf, *.conflist and *.json in lexical order, as go-cni takes it. *found is false,
 * and out untouched, if there is none (or no such directory): that is no error. Errors: ERROR_IO,
 * ERROR_DECODING, ERROR_INVALID_CONFIG (no list of plugins: says how to make a .conf a list), each
 * naming the file, ERROR_TRY_AGAIN (it vanished meanwhile). The result is for conflist_free.
 */
must_use int conflist_load(const char *conf_dir, struct conflist *out, bool *found,
                           struct error *err);
void conflist_free(struct conflist *conflist);

/* Whether the list says `loadOnlyInlinedPlugins` (CNI specification 1.1.0): a drop-in is
 * not read. */
bool conflist_ignores_drop_ins(const struct conflist *conflist);

/* Whether this plugin of a list is an entry of ours. */
bool conflist_is_ours(const cJSON *plugin);

/*
 * Whether the tree is a list that can be edited: an object with one `plugins`, an array of at least
 * one object, each with at most one `type`, and one `name`. Errors: ERROR_INVALID_CONFIG.
 */
must_use int conflist_check(const cJSON *tree, struct error *err);

/*
 * The conflist's text with our entry in it: in the place of the first entry of ours that is there
 * (others of ours go) unless it is before aws-cni or egress-cni or the first of all: what is to be
 * guarded is not there yet then; else after the last of aws-cni and egress-cni, else last. `entry`
 * is the text of a JSON object of type imds-guard; it is laid out as its neighbours are. An entry
 * that stands right and says the same already stays as it is, to the byte. *out is the caller's to
 * free. Errors: ERROR_DECODING, ERROR_INVALID_CONFIG (conflist_check; a list of nothing but
 * imds-guard).
 */
must_use int conflist_insert(struct span text, struct span entry, char **out, struct error *err);

/* The text without any entry of ours. Undoes conflist_insert to the byte. Errors: the same. */
must_use int conflist_remove(struct span text, char **out, struct error *err);

static inline void cleanup_conflist(struct conflist *conflist)
{
    conflist_free(conflist);
}

#endif
