#include "kernel/backends.h"
#include "kernel/fence/fence.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

#include <string.h>
#include <unistd.h>

static const char about[] =
    "Removes everything of imds-guard from the kernel, of all backends: the guards, the table\n"
    "and chains with the verdict for everybody else, and the exit fence. Then nothing is guarded,\n"
    "and all pods can reach the instance metadata service, until the next ADD puts the verdict "
    "for\n"
    "others and the fence back, or sync everything. watch does so at once if it runs.\n"
    "\n"
    "Exit code: 0 done, or there was nothing to do; 1 failed, or not wanted after all (said on\n"
    "standard error), 2 wrong options, or nobody to ask.\n";

int rules_confirm(const char *command, FILE *out, FILE *err)
{
    char answer[16] = "";

    if (!isatty(STDIN_FILENO)) {
        fprintf(err, "imds-guard %s: standard input is no terminal to ask on; give --yes\n",
                command);
        return EXIT_USAGE;
    }
    fprintf(out, "Remove all guards? Pods will reach the instance metadata service. [y/N] ");
    fflush(out);
    if (fgets(answer, sizeof(answer), stdin) &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return EXIT_OK;
    fprintf(err, "imds-guard %s: nothing removed\n", command);
    return EXIT_FAILED;
}

int rules_remove(FILE *out, struct error *err)
{
    const struct selection everything = {.everything = true};
    const struct terms any_terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};
    struct error other = {0};
    size_t removed = 0;
    size_t links = 0;
    const bool guards_left = guards_remove(&everything, &any_terms, &removed, err) < 0;
    const bool fence_left = fence_remove(&links, &other) < 0;

    if (!guards_left)
        fprintf(out, "%zu guard%s removed from the kernel\n", removed, removed == 1 ? "" : "s");
    if (links > 0)
        fprintf(out, "exit fence taken off %zu link%s\n", links, links == 1 ? "" : "s");
    if (guards_left && fence_left)
        return error_details(err, "%s", other.msg);
    if (fence_left)
        *err = other;
    return guards_left || fence_left ? -1 : 0;
}

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
