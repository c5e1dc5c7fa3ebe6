#include "cni/environment.h"

#include "guard/names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SHOWN_MAX 64 /* bytes of a bad value that fit a message beside others */

static const struct {
    const char *name;
    size_t field; /* its place in struct environment */
    unsigned bit; /* 0: no verb requires it here */
    bool (*is_good)(const char *value);
    const char *rule;
} known[] = {
    {"CNI_COMMAND", offsetof(struct environment, command), 0, NULL, NULL},
    {"CNI_CONTAINERID", offsetof(struct environment, container_id), VARIABLE_CONTAINER_ID,
     name_is_container_id, "a letter or digit, then letters, digits, '_', '.' or '-'"},
    {"CNI_NETNS", offsetof(struct environment, netns), VARIABLE_NETNS, NULL, NULL},
    {"CNI_IFNAME", offsetof(struct environment, ifname), VARIABLE_IFNAME, name_is_interface,
     "1 to 15 bytes, no '/', ':' or white space"},
    {"CNI_ARGS", offsetof(struct environment, args), 0, NULL, NULL},
    {"CNI_PATH", offsetof(struct environment, path), VARIABLE_PATH, NULL, NULL},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(*known))

/* The value of `name` within an entry "NAME=value"; NULL if the entry is another variable's. */
static const char *value_in(const char *entry, const char *name)
{
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

static const char *value_of(char *const variables[], const char *name)
{
    for (; *variables; variables++) {
        const char *value = value_in(*variables, name);
        if (value)
            return value;
    }
    return NULL;
}

static const char **field(struct environment *environment, size_t offset)
{
    return (const char **)((char *)environment + offset);
}

void environment_read(char *const variables[], struct environment *out)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const char *value = value_of(variables, known[i].name);
        *field(out, known[i].field) = value && *value ? value : NULL;
    }
}

bool environment_is_cni(char *const variables[])
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (value_of(variables, known[i].name))
            return true;
    return false;
}

int environment_check(const struct environment *environment, unsigned required, struct error *err)
{
    struct environment values = *environment;
    char complaints[sizeof(err->msg)];
    size_t used = 0;

    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const char *value = *field(&values, known[i].field);
        const char *separator = used > 0 ? "; " : "";
        int added = 0;

        if (!(required & known[i].bit))
            continue;
        if (!value)
            added = snprintf(complaints + used, sizeof(complaints) - used, "%s%s is not set",
                             separator, known[i].name);
        else if (known[i].is_good && !known[i].is_good(value))
            added = snprintf(complaints + used, sizeof(complaints) - used,
                             "%s%s is \"%.*s\", but must be %s", separator, known[i].name,
                             VALUE_SHOWN_MAX, value, known[i].rule);
        used += (size_t)added; /* four complaints, each bounded, fit the message */
    }
    return used == 0 ? 0 : error_set(err, ERROR_INVALID_ENVIRONMENT, "%s", complaints);
}
