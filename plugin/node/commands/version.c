#include "node/commands/commands.h"
#include "node/commands/options.h"

int command_version(int argc, char **argv, FILE *out, FILE *err)
{
    static const struct option_spec none[] = {{0}};
    int code = options_parse(argc, argv, none,
                             "Prints the version of imds-guard and the CNI versions it speaks.\n",
                             out, err);

    if (code == OPTIONS_RUN) {
        fputs("imds-guard " IMDS_GUARD_VERSION "\nCNI " IMDS_GUARD_CNI_VERSIONS "\n", out);
        code = EXIT_OK;
    }
    return code;
}
