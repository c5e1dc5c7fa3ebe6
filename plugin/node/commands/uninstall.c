#include "guard/config.h"
#include "kernel/holdings.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

static const char about[] =
    "Takes the imds-guard entry out of every file of the conflists' directory, also out of\n"
    "those that are not in force today, and all drop-ins away; then all rules and the exit\n"
    "fence out of the kernel, so that pods reach the instance metadata service. Everything\n"
    "else stays to the byte. Stop imds-guard watch first: it would install again.\n"
    "\n"
    "The rules go because nobody would lift them any more: a runtime ends pods by the conflist\n"
    "as it is then, and so does not call imds-guard again. --keep-guards leaves them: running\n"
    "pods stay guarded, and new pods are for ever what the rules say of others, or of a pod of\n"
    "their name.\n"
    "\n"
    "The binary stays: a runtime that has read the old conflist may still call it, and a call\n"
    "that fails leaks the pod's addresses. --remove-binary is for when no such pod is left,\n"
    "and is refused while a file of the directory still names the plugin: no pod could start\n"
    "by it.\n"
    "\n"
    "  imds-guard uninstall --yes\n"
    "  imds-guard uninstall --keep-guards\n"
    "\n"
    "Exit code: 0 done, or there was nothing to do; 1 failed, or not wanted after all (said on\n"
    "standard error), 2 wrong options, or nobody to ask.\n";

struct uninstall_options {
    struct install_options where;
    bool yes;
    bool keep_guards;
    bool remove_binary;
};

/* What it means that they stay, once nobody is called for them any more. */
static void tell_kept(FILE *out)
{
    const struct terms any_terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};
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

static int remove_binary(const char *bin_dir, FILE *out, struct error *err)
{
    cleanup(free_text) char *path = NULL;

    if (asprintf(&path, "%s/" CONFIG_PLUGIN_TYPE, bin_dir) < 0) {
        path = NULL;
        return error_no_memory(err);
    }
    if (unlink(path) == 0)
        fprintf(out, "%s: removed\n", path);
    else if (errno == ENOENT)
        fprintf(out, "%s: was not there\n", path);
    else
        return error_set(err, ERROR_IO, "cannot remove %s: %m", path);
    return 0;
}

/* In this order: with the entry there, a pod could start that gets no guard, or finds no plugin. */
static int uninstall(const struct uninstall_options *options, struct install_report *report,
                     FILE *out, FILE *err, struct error *why)
{
    if (uninstall_entry(&options->where, report, why) < 0)
        return -1;
    notes_print(&report->notes, "uninstall", out, err);
    if (report->lists == 0 && report->notes.count == 0)
        fprintf(out, "%s: no conflist, nothing to take out\n", options->where.conf_dir);
    if (!options->keep_guards && rules_remove(out, why) < 0)
        return -1;
    if (options->keep_guards)
        tell_kept(out);
    if (!options->remove_binary)
        return 0;
    if (report->named > 0 || report->failed > 0)
        return error_set(why, ERROR_INVALID_CONFIG,
                         "the binary stays: %s still names it, and no pod could start by that",
                         options->where.conf_dir);
    return remove_binary(options->where.bin_dir, out, why);
}

int command_uninstall(int argc, char **argv, FILE *out, FILE *err)
{
    cleanup(names) struct names networks = {0};
    struct uninstall_options options = {
        .where = {.conf_dir = CONF_DIR_DEFAULT, .bin_dir = BIN_DIR_DEFAULT, .networks = &networks}};
    const struct option_spec specs[] = {
        OPTION_CONF_DIR(&options.where.conf_dir),
        OPTION_BIN_DIR(&options.where.bin_dir),
        OPTION_NETWORK(&networks),
        {"yes", NULL, "do not ask", .flag = &options.yes},
        {"keep-guards", NULL, "leave all rules in the kernel", .flag = &options.keep_guards},
        {"remove-binary", NULL, "remove the binary as well", .flag = &options.remove_binary},
        {0},
    };
    cleanup(install_report) struct install_report report = {0};
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    code = options.yes || options.keep_guards ? EXIT_OK : rules_confirm("uninstall", out, err);
    if (code != EXIT_OK)
        return code;
    if (uninstall(&options, &report, out, err, &why) == 0)
        return report.named > 0 || report.failed > 0 ? EXIT_FAILED : EXIT_OK;
    return command_failed("uninstall", &why, err);
}
