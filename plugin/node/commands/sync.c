#include "node/pods/sync.h"
#include "node/chain/conflist.h"
#include "node/chain/settings.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"
#include "node/pods/cache.h"

static const char about[] =
    "Makes what the kernel holds for the node exactly what the configuration says, at once:\n"
    "the verdict for interfaces without a guard, the endpoints, and a guard for every\n"
    "attachment of libcni's results cache, planned as ADD does. Pods that started before\n"
    "installation get their own verdict and counter, flushed rules come back, exemptions and\n"
    "mode are judged anew. Guards whose pod and interface are both gone are removed; a guard\n"
    "on an interface that exists never is. Only attachments of the network whose conflist has\n"
    "the imds-guard entry get guards.\n"
    "\n"
    "Exit code: 0 done, 1 something could not be done (said on standard error), 2 wrong\n"
    "options.\n";

static void print_report(const struct sync_report *report, bool dry_run, FILE *out, FILE *err)
{
    notes_print(&report->notes, "sync", out, err);
    fprintf(out,
            "attachments: %zu right already, %zu %s, %zu skipped, %zu failed; guards: %zu %s\n",
            report->right, report->changed, dry_run ? "to guard" : "guarded", report->skipped,
            report->failed, report->removed, dry_run ? "to remove" : "removed");
}

static int say(FILE *err, const struct error *why)
{
    fprintf(err, "imds-guard sync: %s\n", why->msg);
    if (why->details[0] != '\0')
        fprintf(err, "  %s\n", why->details);
    return EXIT_FAILED;
}

int command_sync(int argc, char **argv, FILE *out, FILE *err)
{
    const char *conf_dir = CONF_DIR_DEFAULT, *config_file = NULL;
    struct sync_options options = {.results_dir = RESULTS_DIR_DEFAULT};
    const struct option_spec specs[] = {
        {"conf-dir", "DIR", "conflists (default " CONF_DIR_DEFAULT ")", .text = &conf_dir},
        {"config", "FILE", "configuration from FILE, not from the conflist's entry",
         .text = &config_file},
        {"results-dir", "DIR", "libcni's cache (default " RESULTS_DIR_DEFAULT ")",
         .text = &options.results_dir},
        {"dry-run", NULL, "change nothing, print what would be done", .flag = &options.dry_run},
        {0},
    };
    cleanup(settings) struct settings settings = {0};
    cleanup(sync_report) struct sync_report report = {0};
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (settings_load(conf_dir, config_file, &settings, &why) < 0 ||
        sync_run(&settings, &options, &report, &why) < 0)
        return say(err, &why);
    print_report(&report, options.dry_run, out, err);
    return report.failed > 0 || report.unread ? EXIT_FAILED : EXIT_OK;
}
