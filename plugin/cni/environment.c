#include "cni/environment.h"

#include "guard/names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SHOWN_MAX 64 /* bytes of a bad value that fit a message beside others */

/* NULL if the variable is not there. */
static const char *value_of(char *const variables[], const char *name)
{
    const size_t length = strlen(name);

    for (; *variables; variables++)
        if (strncmp(*variables, name, length) == 0 && (*variables)[length] == '=')
            return *variables + length + 1;
    return NULL;
}

static const char *filled(char *const variables[], const char *name)
{
    const char *value = value_of(variables, name);

    return value && *value ? value : NULL;
}

void environment_read(char *const variables[], struct environment *out)
{
    *out = (struct environment){
        .command = filled(variables, "CNI_COMMAND"),
        .container_id = filled(variables, "CNI_CONTAINERID"),
        .netns = filled(variables, "CNI_NETNS"),
        .ifname = filled(variables, "CNI_IFNAME"),
        .args = filled(variables, "CNI_ARGS"),
        .path = filled(variables, "CNI_PATH"),
    };
}

bool environment_is_cni(char *const variables[])
{
    return value_of(variables, "CNI_COMMAND") || value_of(variables, "CNI_CONTAINERID") ||
           value_of(variables, "CNI_NETNS") || value_of(variables, "CNI_IFNAME") ||
           value_of(variables, "CNI_ARGS") || value_of(variables, "CNI_PATH");
}

int environment_check(const struct environment *environment, unsigned required, struct error *err)
{
    const struct {
        unsigned bit;
        const char *name;
        const char *value;
        bool (*is_good)(const char *value);
        const char *rule;
    } known[] = {
        {VARIABLE_CONTAINER_ID, "CNI_CONTAINERID", environment->container_id, name_is_container_id,
         "a letter or digit, then letters, digits, '_', '.' or '-'"},
        {VARIABLE_NETNS, "CNI_NETNS", environment->netns, NULL, NULL},
        {VARIABLE_IFNAME, "CNI_IFNAME", environment->ifname, name_is_interface,
         "1 to 15 bytes, no '/', ':' or white space"},
        {VARIABLE_PATH, "CNI_PATH", environment->path, NULL, NULL},
    };
    char complaints[sizeof(err->msg)];
    size_t used = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        const char *separator = used > 0 ? "; " : "";
        int added = 0;

        if (!(required & known[i].bit))
            continue;
        if (!known[i].value)
            added = snprintf(complaints + used, sizeof(complaints) - used, "%s%s is not set",
                             separator, known[i].name);
        else if (known[i].is_good && !known[i].is_good(known[i].value))
            added = snprintf(complaints + used, sizeof(complaints) - used,
                             "%s%s is \"%.*s\", but must be %s", separator, known[i].name,
                             VALUE_SHOWN_MAX, known[i].value, known[i].rule);
        used += (size_t)added; /* four complaints, each bounded, fit the message */
    }
    return used == 0 ? 0 : error_set(err, ERROR_INVALID_ENVIRONMENT, "%s", complaints);
}
