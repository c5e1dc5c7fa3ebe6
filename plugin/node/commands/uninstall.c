#include "guard/config.h"
#include "kernel/backends.h"
#include "node/chain/conflist.h"
#include "node/chain/install.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

#include <string.h>

static const char about[] =
    "Takes the imds-guard entry out of every file of the conflists' directory, also out of those "
    "that\n"
    "are not in force today, and all drop-ins away, so that new pods start without a guard. "
    "Everything\n"
    "else stays to the byte. Guards of running pods stay until their pod ends, or go at once with\n"
    "--flush. Stop imds-guard watch first: it would install again.\n"
    "\n"
    "The binary stays, because the runtime still calls it when pods end that started with it, and "
    "a\n"
    "call that fails leaks the pod's addresses. --remove-binary is for when no such pod is left, "
    "and is\n"
    "refused while a file of the directory still names the plugin: no pod could start by it.\n"
    "\n"
    "  imds-guard uninstall\n"
    "  imds-guard uninstall --flush\n"
    "\n"
    "Exit code: 0 done, or there was nothing to do; 1 failed (said on standard error), 2 wrong\n"
    "options.\n";

struct uninstall_options {
    struct install_options where;
    bool flush;
    bool remove_binary;
};

static int take_entry(const struct install_options *where, struct install_report *report, FILE *out,
                      FILE *err, struct error *why)
{
    if (uninstall_entry(where, report, why) < 0)
        return -1;
    notes_print(&report->notes, "uninstall", out, err);
    if (report->lists == 0 && report->notes.count == 0)
        fprintf(out, "%s: no conflist, nothing to take out\n", where->conf_dir);
    return 0;
}

static int flush_guards(FILE *out, struct error *err)
{
    const struct selection all = {.everything = true};
    const struct terms terms = {.lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT};
    size_t removed = 0;

    if (guards_remove(&all, &terms, &removed, err) < 0)
        return -1;
    fprintf(out, "%zu guard%s removed from the kernel\n", removed, removed == 1 ? "" : "s");
    return 0;
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
        return error_set(err, ERROR_IO, "cannot remove %s: %s", path, strerror(errno));
    return 0;
}

/* In this order: with the entry there, a pod could start that gets no guard, or finds no plugin. */
static int uninstall(const struct uninstall_options *options, struct install_report *report,
                     FILE *out, FILE *err, struct error *why)
{
    if (take_entry(&options->where, report, out, err, why) < 0 ||
        (options->flush && flush_guards(out, why) < 0))
        return -1;
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
    struct uninstall_options options = {
        .where = {.conf_dir = CONF_DIR_DEFAULT, .bin_dir = BIN_DIR_DEFAULT}};
    const struct option_spec specs[] = {
        {"conf-dir", "DIR", "conflists (default " CONF_DIR_DEFAULT ")",
         .text = &options.where.conf_dir},
        {"bin-dir", "DIR", "plugins (default " BIN_DIR_DEFAULT ")", .text = &options.where.bin_dir},
        OPTION_NETWORK(&options.where.networks),
        {"flush", NULL, "remove all guards from the kernel as well", .flag = &options.flush},
        {"remove-binary", NULL, "remove the binary as well", .flag = &options.remove_binary},
        {0},
    };
    cleanup(install_report) struct install_report report = {0};
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (uninstall(&options, &report, out, err, &why) == 0)
        return report.named > 0 || report.failed > 0 ? EXIT_FAILED : EXIT_OK;
    fprintf(err, "imds-guard uninstall: %s\n", why.msg);
    if (why.details[0] != '\0')
        fprintf(err, "  %s\n", why.details);
    return EXIT_FAILED;
}
