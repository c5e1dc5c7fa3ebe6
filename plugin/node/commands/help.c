#include "node/commands/commands.h"

#include <string.h>

static void list_commands(FILE *out)
{
    fputs("usage: imds-guard COMMAND [OPTION...]\n\n"
          "Keeps pods from the EC2 instance metadata service. As a CNI plugin it is called by the\n"
          "container runtime; what a person can ask of it:\n\n",
          out);
    for (const struct command *command = commands; command->name; command++)
        fprintf(out, "  %-10s %s\n", command->name, command->summary);
    fputs("\nimds-guard help COMMAND, or imds-guard COMMAND --help, tells its options.\n", out);
}

int command_help(int argc, char **argv, FILE *out, FILE *err)
{
    const struct command *command;
    char option[] = "--help";

    /* `help --help`, `help help`: the list is all there is to say about it. */
    if (argc < 2 || strcmp(argv[1], option) == 0 || strcmp(argv[1], argv[0]) == 0) {
        list_commands(out);
        return EXIT_OK;
    }
    command = argc == 2 ? command_find(argv[1]) : NULL;
    if (!command) {
        fprintf(err, "imds-guard help: there is no command \"%s\"; see imds-guard help\n",
                argv[argc - 1]);
        return EXIT_USAGE;
    }
    return command->run(2, (char *[]){argv[1], option, NULL}, out, err);
}
