#include "node/commands/commands.h"
#include "node/commands/options.h"

#include "guard/config.h"
#include "kernel/backends.h"

#include <string.h>
#include <unistd.h>

static const char about[] =
    "Removes everything of imds-guard from the kernel, of all backends: the guards, and the table\n"
    "and chains with the verdict for everybody else. Then nothing is guarded, and all pods can\n"
    "reach the instance metadata service, until the next ADD puts the verdict for others back, or\n"
    "sync everything. watch does so at once if it runs.\n"
    "\n"
    "Exit code: 0 done, or there was nothing to do; 1 failed, or not wanted after all (said on\n"
    "standard error), 2 wrong options, or nobody to ask.\n";

static bool confirm(FILE *out)
{
    char answer[16] = "";

    fprintf(out, "Remove all guards? Pods will reach the instance metadata service. [y/N] ");
    fflush(out);
    if (!fgets(answer, sizeof(answer), stdin))
        return false;
    return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}

int command_flush(int argc, char **argv, FILE *out, FILE *err)
{
    const struct selection selection = {.everything = true};
    const struct terms terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};
    bool yes = false;
    const struct option_spec specs[] = {
        {"yes", NULL, "do not ask", .flag = &yes},
        {0},
    };
    struct error why = {0};
    size_t removed = 0;
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (!yes && !isatty(STDIN_FILENO)) {
        fprintf(err, "imds-guard flush: standard input is no terminal to ask on; give --yes\n");
        return EXIT_USAGE;
    }
    if (!yes && !confirm(out)) {
        fprintf(err, "imds-guard flush: nothing removed\n");
        return EXIT_FAILED;
    }
    if (guards_remove(&selection, &terms, &removed, &why) < 0) {
        fprintf(err, "imds-guard flush: %s\n", why.msg);
        return EXIT_FAILED;
    }
    fprintf(out, "%zu guard%s removed\n", removed, removed == 1 ? "" : "s");
    return EXIT_OK;
}
