#include "node/chain/entry.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"
#include "node/pods/in_force.h"

static const char about[] =
    "Makes what the kernel holds for the node exactly what the configuration says, at once:\n"
    "the verdict for interfaces without a guard, the endpoints, and a guard for every\n"
    "attachment of libcni's results cache, planned as ADD does. Pods that started before\n"
    "installation get their own verdict and counter, flushed rules come back, exemptions and\n"
    "mode are judged anew. Guards whose pod and interface are both gone are removed; a guard\n"
    "on an interface that exists never is. Attachments get guards that were started by a chain\n"
    "with aws-cni or imds-guard in it, or whose network makes this node's pods (--network).\n"
    "Without any entry in the conflists that counts which the pods were started with.\n"
    "\n"
    "Exit code: 0 done, 1 something could not be done (said on standard error), 2 wrong\n"
    "options.\n";

int sync_and_report(const char *command, const struct settings_sources *sources,
                    const struct sync_options *options, FILE *out, FILE *err)
{
    cleanup(settings) struct settings settings = {0};
    cleanup(free_text) char *text = NULL;
    cleanup(sync_report) struct sync_report report = {0};
    cleanup(close_fd) int turn = options->dry_run ? -1 : sync_turn(options->results_dir);
    struct error why = {0};
    bool required;

    (void)turn; /* held to the end */
    /* Who names a file means that one: a wrong one changes nothing. */
    if ((sources->config_file && entry_read(sources->config_file, &text, &why) < 0) ||
        in_force_load(sources, options->results_dir, &settings, &why) < 0 ||
        sync_run(&settings, options, &report, &why) < 0)
        return command_failed(command, &why, err);
    notes_print(&settings.problems, command, out, err);
    notes_print(&report.notes, command, out, err);
    fprintf(out,
            "attachments: %zu right already, %zu %s, %zu skipped, %zu failed; guards: %zu %s\n",
            report.right, report.changed, options->dry_run ? "to guard" : "guarded", report.skipped,
            report.failed, report.removed, options->dry_run ? "to remove" : "removed");
    /* That pods are guarded by rules alone is no failure, unless more is required. */
    required = settings.config.exit_fence == EXIT_FENCE_REQUIRE;
    if (report.unfenced && required)
        fprintf(err, "imds-guard %s: exitFence is \"require\": %s\n", command, report.unfenced);
    else if (report.unfenced)
        fprintf(out, "no exit fence: %s\n", report.unfenced);
    return report.failed > 0 || report.unread || (report.unfenced && required) ? EXIT_FAILED
                                                                               : EXIT_OK;
}

int command_sync(int argc, char **argv, FILE *out, FILE *err)
{
    cleanup(names) struct names networks = {0};
    struct settings_sources sources = {.conf_dir = CONF_DIR_DEFAULT, .networks = &networks};
    struct sync_options options = {.results_dir = RESULTS_DIR_DEFAULT};
    const struct option_spec specs[] = {
        OPTION_CONF_DIR(&sources.conf_dir),
        OPTION_NETWORK(&networks),
        {"config", "FILE", "configuration from FILE, not from the conflist's entry",
         .text = &sources.config_file},
        OPTION_RESULTS_DIR(&options.results_dir),
        {"dry-run", NULL, "change nothing, print what would be done", .flag = &options.dry_run},
        {0},
    };
    int code = options_parse(argc, argv, specs, about, out, err);

    return code == OPTIONS_RUN ? sync_and_report("sync", &sources, &options, out, err) : code;
}
