#include "node/status/status.h"
#include "node/chain/conflist.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"
#include "node/pods/cache.h"

#include <unistd.h>

static const char about[] =
    "Shows every running pod of the network with its guards, and what they have caught:\n"
    "`drop` and `reject` count packets denied, `pass` packets let through (audit mode and\n"
    "exempt pods). The row `(others)` is what has come through interfaces without a guard.\n"
    "Pods of libcni's results cache with `no guard` get the verdict for others, and it is the\n"
    "right one; those that get a verdict that is not the configured one stand at the end, as\n"
    "WRONG or OPEN.\n"
    "\n"
    "Exit code: 0 all in force, 1 something is open or has a wrong verdict, 2 it could not be\n"
    "told, or wrong options.\n";

static bool wants_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */

    return isatty(fileno(out)) && (!no_color || no_color[0] == '\0');
}

static int print(const struct status *status, bool json, bool prometheus, FILE *out,
                 struct error *err)
{
    if (json)
        return status_print_json(status, out, err);
    if (prometheus)
        status_print_prometheus(status, out);
    else
        status_print_table(status, wants_color(out), out);
    return 0;
}

int command_status(int argc, char **argv, FILE *out, FILE *err)
{
    struct status_options options = {.conf_dir = CONF_DIR_DEFAULT,
                                     .results_dir = RESULTS_DIR_DEFAULT};
    bool json = false, prometheus = false;
    const struct option_spec specs[] = {
        {"conf-dir", "DIR", "conflists (default " CONF_DIR_DEFAULT ")", .text = &options.conf_dir},
        OPTION_NETWORK(&options.networks),
        {"config", "FILE", "configuration from FILE, not from the conflist's entry",
         .text = &options.config_file},
        {"results-dir", "DIR", "libcni's cache (default " RESULTS_DIR_DEFAULT ")",
         .text = &options.results_dir},
        {"json", NULL, "one JSON object, for programs", .flag = &json},
        {"prometheus", NULL, "metrics, for node_exporter's textfile collector",
         .flag = &prometheus},
        {0},
    };
    cleanup(status) struct status status = {0};
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (json && prometheus) {
        fprintf(err, "imds-guard status: --json and --prometheus exclude each other\n");
        return EXIT_USAGE;
    }
    if (status_collect(&options, &status, &why) < 0 ||
        print(&status, json, prometheus, out, &why) < 0) {
        fprintf(err, "imds-guard status: %s\n", why.msg);
        return STATUS_UNKNOWN;
    }
    return (int)status_exit_code(&status);
}
