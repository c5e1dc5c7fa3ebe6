#include "node/commands/commands.h"
#include "node/commands/options.h"
#include "node/commands/rules.h"

static const char about[] =
    "Removes everything of imds-guard from the kernel, of all backends: the guards, the table\n"
    "and chains with the verdict for everybody else, and the exit fence. Then nothing is guarded,\n"
    "and all pods can reach the instance metadata service, until the next ADD puts the verdict "
    "for\n"
    "others and the fence back, or sync everything. watch does so at once if it runs.\n"
    "\n"
    "Exit code: 0 done, or there was nothing to do; 1 failed, or not wanted after all (said on\n"
    "standard error), 2 wrong options, or nobody to ask.\n";

int command_flush(int argc, char **argv, FILE *out, FILE *err)
{
    bool yes = false;
    const struct option_spec specs[] = {
        {"yes", NULL, "do not ask", .flag = &yes},
        {0},
    };
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    code = yes ? EXIT_OK : rules_confirm("flush", out, err);
    if (code != EXIT_OK)
        return code;
    return rules_remove(out, &why) < 0 ? command_failed("flush", &why, err) : EXIT_OK;
}
