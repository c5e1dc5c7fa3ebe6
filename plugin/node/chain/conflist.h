/*
 * A file that a runtime takes for a network: read, judged whether it makes this node's pods, and
 * edited as text, so that what other programs wrote stays as they wrote it, byte for byte.
 */
#ifndef IMDS_GUARD_CHAIN_CONFLIST_H
#define IMDS_GUARD_CHAIN_CONFLIST_H

#include "guard/error.h"
#include "guard/json.h"
#include "node/chain/drop_ins.h"
#include "node/chain/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define CONF_DIR_DEFAULT "/etc/cni/net.d"

/* The plugin whose presence says that a list makes this node's pods: the AWS VPC CNI's. */
#define CONFLIST_NODE_PLUGIN "aws-cni"

struct conflist {
    char *path; /* of the file */
    char *text; /* as read, with a NUL after it; NULL: it could not be read */
    size_t length;
    struct stat stat; /* of the file, from before it was read */
    cJSON *tree;
    char *problem;       /* why nothing can be chained to it, though something should; or NULL */
    const char *network; /* its "name", borrowed from the tree; or NULL */
    bool makes_pods;     /* it is where our entry belongs: in force on this node */
    size_t inline_count; /* entries of ours in the list itself */
    struct drop_ins drop_ins; /* of its network, if it makes pods and its list lets them be read */
    /*
     * The entry of ours that has the last word, for the runtime as for us: the one that runs last.
     * The tree is borrowed, and so is the text.
     */
    const cJSON *entry;
    struct span entry_text;
    const char *entry_path; /* the file that it is in; borrowed, or `entry_file` */
    char *entry_file;
    const char *follower; /* type of the plugin that runs after all entries of ours; or NULL */
};

/*
 * `networks`, or NULL, make pods beside those whose list has aws-cni in it. What is wrong with the text
 * is in `problem`; whatever is no business of ours has none. *found is false, and out untouched, if the
 * file is not there. Errors: out of memory. For conflist_free.
 */
must_use int conflist_load(const char *conf_dir, const char *name, const struct names *networks,
                           struct conflist *out, bool *found, struct error *err);
void conflist_free(struct conflist *conflist);

/* Whether the list says `loadOnlyInlinedPlugins` (CNI specification 1.1.0): a drop-in is
 * not read. */
bool conflist_ignores_drop_ins(const struct conflist *conflist);

/* Whether this plugin of a list is an entry of ours. */
bool conflist_is_ours(const cJSON *plugin);

/* Our last entry in a list's `plugins`, with its place. Of a list without one all is 0. */
struct conflist_entry {
    const cJSON *tree; /* borrowed */
    struct span text;
    size_t count;         /* how many entries are ours */
    const char *follower; /* the type of the last plugin, if that comes after it; or NULL */
};
struct conflist_entry conflist_find(struct span text, const cJSON *tree);

/* Whether the text of a file has our plugin in it anywhere, also where no edit gets at it. */
bool conflist_names_us(const struct conflist *conflist);

/* Whether this list, of the kind that libcni keeps with each attachment, has aws-cni in it or us. */
bool conflist_is_of_node(const cJSON *tree);

/*
 * Whether the tree is a list that can be edited: an object with one `plugins`, an array of at least
 * one object, each with at most one `type`, and one `name`. Errors: ERROR_INVALID_CONFIG.
 */
must_use int conflist_check(const cJSON *tree, struct error *err);

/*
 * The conflist's text with our entry as the last plugin, and no other of ours: whoever makes an
 * interface has made it then. `entry` is the text of a JSON object of type imds-guard, and goes in as
 * it is. An entry that stands last and says the same already stays, to the byte. *out is the caller's
 * to free. Errors: ERROR_DECODING, ERROR_INVALID_CONFIG (conflist_check; a list of nothing but
 * imds-guard).
 */
must_use int conflist_insert(struct span text, struct span entry, char **out, struct error *err);

/* The text without any entry of ours. Undoes conflist_insert to the byte. Errors: the same. */
must_use int conflist_remove(struct span text, char **out, struct error *err);

CLEANUP_FREE(conflist);

#endif
