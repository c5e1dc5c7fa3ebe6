#include "node/commands/commands.h"
#include "node/commands/options.h"

static const char about[] =
    "Copies this binary into the runtime's plugin directory, then puts the imds-guard entry last\n"
    "into every conflist that makes this node's pods: one that has a plugin of type aws-cni, or\n"
    "whose name is given with --network. Single plugins and the lists of other networks (podman,\n"
    "CRI-O) are left as they are. Whatever others wrote stays as they wrote it. Where all is so\n"
    "already, nothing is written. An entry that is there keeps its keys unless --config gives\n"
    "others. Then it does what imds-guard sync does, so that the node is in force as a whole, "
    "with\n"
    "the pods that run already.\n"
    "\n"
    "Never creates a conflist: its appearance tells the kubelet that the network is ready. On EKS\n"
    "aws-node writes it, and writes it anew at each start: imds-guard watch installs again then.\n"
    "\n"
    "  imds-guard install\n"
    "  imds-guard install --config audit.json    (block nobody, count who would be)\n"
    "  imds-guard install --no-sync --conf-dir /image/etc/cni/net.d --bin-dir /image/opt/cni/bin\n"
    "\n"
    "Exit code: 0 installed, 1 failed, if only for one of the files or pods (said on standard\n"
    "error), 2 wrong options, 3 the binary is there but there is no such conflist yet.\n";

static int print_report(const struct install_options *options, const struct install_report *report,
                        FILE *out, FILE *err)
{
    notes_print(&report->notes, "install", out, err);
    if (report->failed > 0)
        return EXIT_FAILED;
    if (report->lists > 0)
        return EXIT_OK;
    fprintf(
        err,
        "imds-guard install: there is no conflist in %s yet that makes this node's pods (with a "
        "plugin of type " CONFLIST_NODE_PLUGIN
        ", or named with --network), and making one would tell the kubelet that the network is "
        "ready: try again when the CNI plugin (aws-node) has started, or use imds-guard watch\n",
        options->conf_dir);
    return EXIT_NO_CONFLIST;
}

int command_install(int argc, char **argv, FILE *out, FILE *err)
{
    cleanup(names) struct names networks = {0};
    struct install_options options = {
        .conf_dir = CONF_DIR_DEFAULT, .bin_dir = BIN_DIR_DEFAULT, .networks = &networks};
    struct sync_options sync = {.results_dir = RESULTS_DIR_DEFAULT, .new_node = true};
    bool no_sync = false;
    const struct option_spec specs[] = {
        OPTION_CONF_DIR(&options.conf_dir),
        OPTION_BIN_DIR(&options.bin_dir),
        OPTION_NETWORK(&networks),
        {"config", "FILE", "the entry's keys, a JSON object; wrong ones are refused",
         .text = &options.config_file},
        {"drop-in", NULL,
         "write CONF-DIR/NETWORK/" DROP_IN_NAME " instead (libcni 1.3, containerd 2.1)",
         .flag = &options.drop_in},
        OPTION_RESULTS_DIR(&sync.results_dir),
        {"no-sync", NULL, "change files only, no rules", .flag = &no_sync},
        {0},
    };
    cleanup(install_report) struct install_report report = {0};
    struct settings_sources sources = {0};
    struct error why = {0};
    int synced, code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (install_all(&options, &report, &why) < 0) {
        notes_print(&report.notes, "install", out, err);
        return command_failed("install", &why, err);
    }
    code = print_report(&options, &report, out, err);
    if (no_sync || code == EXIT_NO_CONFLIST)
        return code;
    sources = (struct settings_sources){
        .conf_dir = options.conf_dir, .config_file = options.config_file, .networks = &networks};
    synced = sync_and_report("install", &sources, &sync, out, err);
    return code != EXIT_OK ? code : synced;
}
