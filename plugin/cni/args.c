#include "cni/args.h"

#include <stdbool.h>
#include <string.h>

/* The next piece of "piece;piece", and where the one after it starts: NULL after the last. */
static const char *piece_end(const char *piece, const char **next)
{
    const char *end = strchrnul(piece, ';');
    *next = *end ? end + 1 : NULL;
    return end;
}

/* The length and, in *value, the start of the only value of `key`; 0 if none, or not one. */
static size_t only_value(const char *text, const char *key, const char **value)
{
    size_t key_length = strlen(key);
    size_t length = 0;
    bool found = false;

    for (const char *piece = text, *next; piece; piece = next) {
        const char *end = piece_end(piece, &next);

        if (strncmp(piece, key, key_length) != 0 || piece[key_length] != '=')
            continue;
        if (found)
            return 0;
        found = true;
        *value = piece + key_length + 1;
        length = (size_t)(end - *value);
    }
    return length <= ARGS_NAME_MAX ? length : 0;
}

static int copy_value(const char *text, const char *key, char **out, struct error *err)
{
    const char *value = NULL;
    size_t length = only_value(text, key, &value);

    if (length == 0)
        return 0;
    *out = strndup(value, length);
    return *out ? 0 : error_no_memory(err);
}

int args_parse(const char *text, struct args *out, struct error *err)
{
    cleanup(args) struct args args = {0};

    if (text && (copy_value(text, "K8S_POD_NAMESPACE", &args.namespace, err) != 0 ||
                 copy_value(text, "K8S_POD_NAME", &args.name, err) != 0))
        return -1;
    *out = steal(&args);
    return 0;
}

void args_free(struct args *args)
{
    free(args->namespace);
    free(args->name);
    *args = (struct args){0};
}
