#include "cni/args.h"

#include <string.h>

static int copy_value(const char *text, const char *key, char **out, struct error *err)
{
    const size_t key_length = strlen(key);
    const char *value = NULL;
    size_t length = 0;

    for (const char *piece = text, *end; piece; piece = *end ? end + 1 : NULL) {
        end = strchrnul(piece, ';');
        if (strncmp(piece, key, key_length) != 0 || piece[key_length] != '=')
            continue;
        if (value)
            return 0;
        value = piece + key_length + 1;
        length = (size_t)(end - value);
    }
    if (length == 0 || length > ARGS_NAME_MAX)
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
