#include "node/commands/rules.h"

#include "kernel/backends.h"
#include "kernel/fence/fence.h"
#include "node/commands/commands.h"

#include <string.h>
#include <unistd.h>

static const struct terms any_terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};

static bool is_wanted(FILE *out)
{
    char answer[16] = "";

    fprintf(out, "Remove all guards? Pods will reach the instance metadata service. [y/N] ");
    fflush(out);
    if (!fgets(answer, sizeof(answer), stdin))
        return false;
    return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}

int rules_confirm(const char *command, FILE *out, FILE *err)
{
    if (!isatty(STDIN_FILENO)) {
        fprintf(err, "imds-guard %s: standard input is no terminal to ask on; give --yes\n",
                command);
        return EXIT_USAGE;
    }
    if (is_wanted(out))
        return EXIT_OK;
    fprintf(err, "imds-guard %s: nothing removed\n", command);
    return EXIT_FAILED;
}

int rules_remove(FILE *out, struct error *err)
{
    const struct selection everything = {.everything = true};
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

void rules_tell_kept(FILE *out)
{
    cleanup(holdings) struct holdings holdings = {0};
    struct error why = {0};
    size_t kept = 0;

    if (holdings_gather(&any_terms, &holdings, &why) < 0)
        fprintf(out, "what rules are kept cannot be told: %s\n", why.msg);
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        kept += holdings.items[i].listing.held_count;
    if (holdings_present(&holdings))
        fprintf(
            out,
            "%zu guard%s kept, and the verdict for others (%s): the runtime calls imds-guard no "
            "more, so they stay for new pods, too, until imds-guard flush\n",
            kept, kept == 1 ? "" : "s", verdict_name(holdings_others(&holdings)));
}
