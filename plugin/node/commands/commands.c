#include "node/commands/commands.h"

#include <string.h>

const struct command commands[] = {
    {"install", "put the plugin into the node's CNI chain", command_install},
    {"uninstall", "take it out again", command_uninstall},
    {"sync", "bring the guards of all running pods in line with the configuration", command_sync},
    {"watch", "install and sync, and keep both true until told to end", command_watch},
    {"status", "show who is guarded and what was dropped", command_status},
    {"flush", "remove every guard from the kernel", command_flush},
    {"version", "print the version and the supported CNI versions", command_version},
    {"help", "print this, or the help of a command", command_help},
    {NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

int command_failed(const char *command, const struct error *why, FILE *err)
{
    fprintf(err, "imds-guard %s: %s\n", command, why->msg);
    if (why->details[0] != '\0')
        fprintf(err, "  %s\n", why->details);
    return EXIT_FAILED;
}
