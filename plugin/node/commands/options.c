#include "node/commands/options.h"

#include "guard/names.h"
#include "node/commands/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define HELP_OPTION OPTIONS_MAX /* its value to getopt_long; others: the index in the table */

static void print_help(const char *command, const struct option_spec *specs, const char *about,
                       FILE *out)
{
    fprintf(out, "usage: imds-guard %s [OPTION...]", command);
    for (const struct option_spec *spec = specs; spec->name; spec++)
        if (spec->arguments)
            fprintf(out, " [%s...]", spec->name);
    fprintf(out, "\n\n%s\noptions:\n", about);
    for (const struct option_spec *spec = specs; spec->name; spec++) {
        char left[64];

        snprintf(left, sizeof(left), "%s%s %s", spec->arguments ? "" : "--", spec->name,
                 spec->value ? spec->value : "");
        fprintf(out, "  %-20s %s\n", left, spec->help);
    }
    fprintf(out, "  %-20s %s\n", "--help", "print this");
}

static bool parse_number(const char *text, unsigned *out)
{
    char *end = NULL;
    unsigned long number;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < 1 || number > NUMBER_MAX)
        return false;
    *out = (unsigned)number;
    return true;
}

static bool take(const struct option_spec *spec, const char *value)
{
    struct error ignored;

    if (spec->flag)
        *spec->flag = true;
    else if (spec->text)
        *spec->text = value;
    else if (spec->networks)
        return name_is_network(value) && names_add(spec->networks, value, &ignored) == 0;
    else
        return parse_number(value, spec->number);
    return true;
}

static int complain(FILE *err, const char *command, const char *what, const char *problem)
{
    fprintf(err, "imds-guard %s: %s: %s; see imds-guard %s --help\n", command, what, problem,
            command);
    return EXIT_USAGE;
}

int options_parse(int argc, char **argv, const struct option_spec *specs, const char *about,
                  FILE *out, FILE *err)
{
    struct option table[OPTIONS_MAX + 2] = {0}; /* one entry for each of ours, then --help */
    int found, count = 0;

    for (const struct option_spec *spec = specs; spec->name && count < OPTIONS_MAX; spec++)
        if (!spec->arguments)
            table[count++] = (struct option){
                .name = spec->name,
                .has_arg = spec->value ? required_argument : no_argument,
                .val = (int)(spec - specs),
            };
    table[count] = (struct option){.name = "help", .has_arg = no_argument, .val = HELP_OPTION};
    optind = 0; /* getopt(3): starts from scratch, so that tests can call more than once */
    opterr = 0;
    while ((found = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
        if (found == ':')
            return complain(err, argv[0], argv[optind - 1], "needs a value");
        if (found == '?')
            return complain(err, argv[0], argv[optind - 1], "no such option");
        if (found == HELP_OPTION) {
            print_help(argv[0], specs, about, out);
            return EXIT_OK;
        }
        if (!take(&specs[found], optarg))
            return complain(err, argv[0], optarg,
                            specs[found].networks ? "no name of a network"
                                                  : "not a number of seconds from 1 to 86400");
    }
    for (const struct option_spec *spec = specs; spec->name; spec++)
        if (spec->arguments) {
            *spec->arguments = (struct arguments){argv + optind, argc - optind};
            return OPTIONS_RUN;
        }
    if (optind < argc)
        return complain(err, argv[0], argv[optind], "takes no arguments");
    return OPTIONS_RUN;
}
