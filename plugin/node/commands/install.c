#include "node/chain/install.h"
#include "guard/config.h"
#include "node/chain/conflist.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

static const char about[] =
    "Copies this binary into the runtime's plugin directory, then puts the imds-guard entry into\n"
    "the conflist that the runtime uses: the first of *.conf, *.conflist and *.json, after "
    "aws-cni\n"
    "and egress-cni. Whatever others wrote there stays as they wrote it. Where all is so already,\n"
    "nothing is written. An entry that is there keeps its keys unless --config gives others.\n"
    "\n"
    "Never creates a conflist: its appearance tells the kubelet that the network is ready. On EKS\n"
    "aws-node writes it, and writes it anew at each start: imds-guard watch installs again then.\n"
    "Pods that run already get their guard from imds-guard sync.\n"
    "\n"
    "  imds-guard install\n"
    "  imds-guard install --config audit.json    (block nobody, count who would be)\n"
    "  imds-guard install --conf-dir /host/etc/cni/net.d --bin-dir /host/opt/cni/bin\n"
    "\n"
    "Exit code: 0 installed, 1 failed (said on standard error), 2 wrong options, 3 the binary is\n"
    "there but there is no conflist yet.\n";

static int say(FILE *err, const struct error *why)
{
    fprintf(err, "imds-guard install: %s\n", why->msg);
    if (why->details[0] != '\0')
        fprintf(err, "  %s\n", why->details);
    return EXIT_FAILED;
}

static int print_report(const struct install_options *options, const struct install_report *report,
                        FILE *out, FILE *err)
{
    fprintf(out, "%s/" CONFIG_PLUGIN_TYPE ": %s\n", options->bin_dir,
            report->binary_written ? "written" : "up to date already");
    if (report->no_conflist) {
        fprintf(err,
                "imds-guard install: there is no conflist in %s yet, and making one would tell the "
                "kubelet that the network is ready: try again when the CNI plugin (aws-node) has "
                "started, or use imds-guard watch\n",
                options->conf_dir);
        return EXIT_NO_CONFLIST;
    }
    fprintf(out, "%s: %s\n", report->path,
            report->conflist_written ? "entry written" : "entry right already");
    return EXIT_OK;
}

int command_install(int argc, char **argv, FILE *out, FILE *err)
{
    struct install_options options = {.conf_dir = CONF_DIR_DEFAULT, .bin_dir = BIN_DIR_DEFAULT};
    const struct option_spec specs[] = {
        {"conf-dir", "DIR", "conflists (default " CONF_DIR_DEFAULT ")", .text = &options.conf_dir},
        {"bin-dir", "DIR", "plugins (default " BIN_DIR_DEFAULT ")", .text = &options.bin_dir},
        {"config", "FILE", "the entry's keys, a JSON object; wrong ones are refused",
         .text = &options.config_file},
        {"drop-in", NULL,
         "write CONF-DIR/NETWORK/" CONFLIST_DROP_IN " instead (libcni 1.3, containerd 2.1)",
         .flag = &options.drop_in},
        {0},
    };
    struct install_report report = {0};
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);

    if (code != OPTIONS_RUN)
        return code;
    if (install_all(&options, &report, &why) < 0)
        return say(err, &why);
    return print_report(&options, &report, out, err);
}
