#include "node/watch/watch.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

#include <string.h>

static const char about[] =
    "For a DaemonSet or systemd: installs, syncs, and keeps both true until told to end. A\n"
    "conflist that aws-node writes anew is patched again, whoever appends a plugin is followed\n"
    "back to the last place, a flushed ruleset restored, a changed --config FILE (also a\n"
    "ConfigMap's) put into force for running pods. Where there is no conflist yet, waits for\n"
    "it. What was in force stays so while a file is broken, missing or cannot be written.\n"
    "Changes of nf_tables, of the conflists and of libcni's cache are noticed at once; of\n"
    "legacy iptables tables, that somebody has used their lock.\n"
    "\n"
    "One line on standard error for each thing done, with time and cause; a problem when it\n"
    "comes and when it goes; a pod that asks for the metadata service, once an hour. What a\n"
    "pod's end leaves for a moment is repaired if it lasts. SIGTERM and SIGINT end it at once;\n"
    "entry, binary and guards stay.\n"
    "\n"
    "Exit code: 0 told to end, 1 could not start (said on standard error), 2 wrong options.\n";

int command_watch(int argc, char **argv, FILE *out, FILE *err)
{
    cleanup(names) struct names networks = {0};
    struct watch_options options = {
        .install = {.conf_dir = CONF_DIR_DEFAULT,
                    .bin_dir = BIN_DIR_DEFAULT,
                    .networks = &networks},
        .results_dir = RESULTS_DIR_DEFAULT,
        .interval = WATCH_INTERVAL_DEFAULT,
    };
    const char *log = "text";
    const struct option_spec specs[] = {
        OPTION_CONF_DIR(&options.install.conf_dir),
        OPTION_BIN_DIR(&options.install.bin_dir),
        OPTION_NETWORK(&networks),
        OPTION_RESULTS_DIR(&options.results_dir),
        {"config", "FILE", "the entry's keys, a JSON object; the file is followed",
         .text = &options.install.config_file},
        {"drop-in", NULL, "install as imds-guard install --drop-in does",
         .flag = &options.install.drop_in},
        {"interval", "SECONDS", "time between re-checks (default 60)", .number = &options.interval},
        {"metrics-file", "FILE", "write metrics to FILE, for node_exporter's textfile collector",
         .text = &options.metrics_file},
        {"log", "FORMAT", "text, or json for machines (default text)", .text = &log},
        {"quiet", NULL, "say only what went wrong", .flag = &options.quiet},
        {0},
    };
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    options.json = strcmp(log, "json") == 0;
    if (!options.json && strcmp(log, "text") != 0) {
        fprintf(err, "imds-guard watch: --log: neither text nor json: %s\n", log);
        return EXIT_USAGE;
    }
    return watch_run(&options, err, &why) < 0 ? command_failed("watch", &why, err) : EXIT_OK;
}
