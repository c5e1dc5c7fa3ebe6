#include "node/status/status.h"
#include "node/commands/commands.h"
#include "node/commands/options.h"

#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WATCH_SECONDS 2

static const char about[] =
    "Shows every running pod of the network with its guards, and what they have caught:\n"
    "`drop` and `reject` count packets denied, `pass` packets let through (audit mode and\n"
    "exempt pods). The row `(others)` is what has come through interfaces without a guard.\n"
    "Pods of libcni's results cache with `no guard` get the verdict for others, and it is the\n"
    "right one; those that get a verdict that is not the configured one stand at the end, as\n"
    "WRONG or OPEN. Below are the exit fence, and who was started without imds-guard in its "
    "chain.\n"
    "\n"
    "--quiet asks for less, and pods that come and go make no difference to it: whether every\n"
    "conflist that makes the node's pods has our entry, and the verdict for others is in force.\n"
    "Why not is said on standard error.\n"
    "\n"
    "Exit code: 0 all in force, 1 something is open or has a wrong verdict, 2 it could not be\n"
    "told, or wrong options.\n";

static bool wants_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */

    return isatty(fileno(out)) && (!no_color || no_color[0] == '\0');
}

struct format {
    bool json;
    bool prometheus;
    bool denied;
    bool watch;
    bool quiet;
    bool color;
    struct arguments pods;
};

static void print(const struct status *status, const struct format *format, FILE *out)
{
    if (format->json)
        status_print_json(status, out);
    else if (format->prometheus)
        status_print_prometheus(status, out);
    else
        status_print_table(status, format->color, out);
}

static int complain(FILE *err, const char *what)
{
    fprintf(err, "imds-guard status: %s\n", what);
    return STATUS_UNKNOWN;
}

/* One look. Which rows are left out for being boring changes nothing about the exit code. */
static int show(const struct status_options *options, const struct format *format, FILE *out,
                FILE *err)
{
    cleanup(status) struct status status = {0};
    struct error why = {0};
    int code;

    if (status_collect(options, &status, &why) < 0) {
        command_failed("status", &why, err);
        return STATUS_UNKNOWN;
    }
    if (format->pods.count > 0) {
        status_keep_named(&status, format->pods.items, format->pods.count);
        if (status.row_count == 0)
            return complain(err, "no such pod runs here");
    }
    code = (int)status_exit_code(&status);
    if (format->denied)
        status_keep_denied(&status);
    print(&status, format, out);
    return code;
}

/*
 * Over the screen as it is, so that nothing flickers: each line's rest is cleared, and what is below
 * (console_codes(4)). Of what does not fit, the titles and the end are shown, where the worst is.
 */
static void paint(char *text, FILE *out)
{
    struct winsize size = {0};
    size_t shown = SIZE_MAX; /* lines that fit the terminal beside the first */
    size_t lines = 0, number = 0;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
        shown = size.ws_row - 2U;

    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    fputs("\033[H", out);
    for (char *end, *at = text; (end = strchr(at, '\n')); at = end + 1, number++)
        if (number == 0 || shown >= lines - number)
            fprintf(out, "%.*s\033[K\n", (int)(end - at), at);
    fputs("\033[J", out);
    fflush(out);
}

/* Until it is interrupted, or nobody reads any more. */
static int show_again_and_again(const struct status_options *options, const struct format *format,
                                FILE *out, FILE *err)
{
    fputs("\033[2J", out);
    while (!ferror(out)) {
        cleanup(free_text) char *text = NULL;
        size_t size = 0;
        FILE *page = open_memstream(&text, &size);

        if (!page)
            return complain(err, "out of memory");
        show(options, format, page, page);
        if (fclose(page) != 0)
            return complain(err, "out of memory");
        paint(text, out);
        sleep(WATCH_SECONDS);
    }
    return STATUS_UNKNOWN;
}

/* NULL, or why the options make no sense together. */
static const char *contradiction(const struct format *format, FILE *out)
{
    if (format->json + format->prometheus + format->watch + format->quiet > 1)
        return "--json, --prometheus, --watch and --quiet exclude each other";
    if (format->quiet && (format->denied || format->pods.count > 0))
        return "--quiet is about the node, not about pods";
    if (format->watch && !isatty(fileno(out)))
        return "--watch needs a terminal";
    return NULL;
}

int command_status(int argc, char **argv, FILE *out, FILE *err)
{
    cleanup(names) struct names networks = {0};
    struct status_options options = {
        .sources = {.conf_dir = CONF_DIR_DEFAULT, .networks = &networks},
        .results_dir = RESULTS_DIR_DEFAULT};
    struct format format = {0};
    const struct option_spec specs[] = {
        {"POD", NULL, "only these: NAMESPACE/POD, or POD; globs", .arguments = &format.pods},
        OPTION_CONF_DIR(&options.sources.conf_dir),
        OPTION_NETWORK(&networks),
        {"config", "FILE", "configuration from FILE, not from the conflist's entry",
         .text = &options.sources.config_file},
        OPTION_RESULTS_DIR(&options.results_dir),
        {"denied", NULL, "only pods that were denied something, most packets first",
         .flag = &format.denied},
        {"watch", NULL, "a table that renews itself every 2 seconds", .flag = &format.watch},
        {"json", NULL, "one JSON object, for programs", .flag = &format.json},
        {"prometheus", NULL, "metrics, for node_exporter's textfile collector",
         .flag = &format.prometheus},
        {"quiet", NULL, "print nothing: is the node in force? (a readiness probe)",
         .flag = &format.quiet},
        {0},
    };
    struct error why = {0};
    int code = options_parse(argc, argv, specs, about, out, err);
    const char *wrong = code == OPTIONS_RUN ? contradiction(&format, out) : NULL;

    if (code != OPTIONS_RUN)
        return code;
    format.color = wants_color(out);
    if (wrong)
        return complain(err, wrong);
    if (format.watch)
        return show_again_and_again(&options, &format, out, err);
    if (!format.quiet)
        return show(&options, &format, out, err);
    code = (int)status_of_node(&options, &why);
    if (code != STATUS_IN_FORCE)
        command_failed("status", &why, err);
    return code;
}
