/*
 * The options of one command as a table: parsed with getopt_long(3), and printed by --help from the
 * same table, so that the two cannot differ.
 */
#ifndef IMDS_GUARD_COMMANDS_OPTIONS_H
#define IMDS_GUARD_COMMANDS_OPTIONS_H

#include "node/chain/conflist.h"
#include "node/chain/install.h"
#include "node/chain/names.h"
#include "node/pods/cache.h"

#include <stdbool.h>
#include <stdio.h>

#define OPTIONS_MAX 16
#define OPTIONS_RUN (-1) /* no exit code: the command goes on */

/* What comes after the options; borrowed from argv. */
struct arguments {
    char **items;
    int count;
};

/*
 * Exactly one of the pointers after help is set; what it points at keeps its value if the option is
 * not given.
 */
struct option_spec {
    const char *name;  /* without the dashes; NULL ends the table */
    const char *value; /* what stands for the value in the help ("DIR"); NULL for a flag */
    const char *help;  /* one line; says the default */
    const char **text; /* borrowed from argv */
    bool *flag;
    unsigned *number;            /* 1 to NUMBER_MAX */
    struct names *networks;      /* may be given again */
    struct arguments *arguments; /* no option: the command takes these, `name` one or more */
};

/* The same options for every command that looks at the conflists, writes the binary, reads the cache. */
#define OPTION_CONF_DIR(variable)                                                                  \
    {                                                                                              \
        "conf-dir", "DIR", "conflists (default " CONF_DIR_DEFAULT ")", .text = (variable)          \
    }
#define OPTION_BIN_DIR(variable)                                                                   \
    {                                                                                              \
        "bin-dir", "DIR", "plugins (default " BIN_DIR_DEFAULT ")", .text = (variable)              \
    }
#define OPTION_RESULTS_DIR(variable)                                                               \
    {                                                                                              \
        "results-dir", "DIR", "libcni's cache (default " RESULTS_DIR_DEFAULT ")",                  \
            .text = (variable)                                                                     \
    }
#define OPTION_NETWORK(variable)                                                                   \
    {                                                                                              \
        "network", "NAME", "a network that makes this node's pods without aws-cni; repeatable",    \
            .networks = (variable)                                                                 \
    }

#define NUMBER_MAX 86400 /* a day: the numbers are seconds */

/*
 * Returns OPTIONS_RUN, or the exit code to end with: EXIT_OK after --help (`about`, then the
 * options, on out), EXIT_USAGE after an option or argument that makes no sense (said on err).
 * argv[0] is the command's name. `about` is a paragraph or more, each line with its newline.
 */
int options_parse(int argc, char **argv, const struct option_spec *specs, const char *about,
                  FILE *out, FILE *err);

#endif
