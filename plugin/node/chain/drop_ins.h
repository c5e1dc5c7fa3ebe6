/*
 * <conf dir>/<network>/: libcni 1.3 and later append the plugins of the *.conf that lie there to the
 * network's list, in lexical order (CNI specification 1.1.0, `loadOnlyInlinedPlugins`).
 */
#ifndef IMDS_GUARD_CHAIN_DROP_INS_H
#define IMDS_GUARD_CHAIN_DROP_INS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorts after most names; where it does not, the last of those stands before it. */
#define DROP_IN_NAME "zz-imds-guard.conf"

struct drop_in {
    char *name;      /* of the file */
    char *text;      /* with a NUL after it */
    int64_t written; /* when the file was, last: nanoseconds since 1970 */
    cJSON *tree;
};

struct drop_ins {
    struct drop_in *ours; /* in lexical order: the last one has the last word */
    size_t count;
    char *last;      /* the last file that is not ours; NULL: there is none */
    char *last_type; /* its plugin's type, as far as it can be read; or NULL */
};

/* No such directory is no drop-ins. Errors: ERROR_IO. The result is for drop_ins_free. */
must_use int drop_ins_load(const char *conf_dir, const char *network, struct drop_ins *out,
                           struct error *err);
void drop_ins_free(struct drop_ins *drop_ins);

/* The name under which a drop-in comes last, for free(3). Errors: out of memory. */
must_use int drop_ins_last_name(const struct drop_ins *drop_ins, char **out, struct error *err);

/* Whether a file of others comes after all of ours. */
bool drop_ins_are_followed(const struct drop_ins *drop_ins);

CLEANUP_FREE(drop_ins);

#endif
