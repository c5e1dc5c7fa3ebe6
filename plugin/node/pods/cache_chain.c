#include "node/pods/cache_chain.h"

#include "node/chain/conflist.h"

#include <string.h>

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = c ? strchr(digits, c) : NULL;

    return digit ? (int)(digit - digits) : -1;
}

/* RFC 4648, section 4: four digits are three bytes. False if it is not. */
static bool decode(const char *text, char *out, size_t *length)
{
    unsigned bits = 0;
    unsigned count = 0;
    size_t used = 0;
    int value;

    for (; (value = value_of(*text)) >= 0; text++) {
        bits = bits << 6 | (unsigned)value;
        if (++count % 4 != 1)
            out[used++] = (char)(bits >> (6 - 2 * ((count - 1) % 4)));
    }
    *length = used;
    return strspn(text, "=") == strlen(text);
}

int cached_chain_read(const char *config, struct cached_chain *out, struct error *err)
{
    cleanup(free_text) char *bytes = malloc(strlen(config) + 1);
    cleanup(json) cJSON *tree = NULL;
    struct span text = {bytes, 0};
    struct conflist_entry entry;
    struct error why;
    char *copy = NULL;

    if (!bytes)
        return error_no_memory(err);
    *out = (struct cached_chain){0};
    if (!decode(config, bytes, &text.length))
        return 0;
    if (json_parse(text, &tree, &why) < 0) {
        if (why.code == ERROR_DECODING)
            return 0;
        *err = why;
        return -1;
    }
    entry = conflist_find(text, tree);
    if (entry.tree) {
        copy = strndup(entry.text.start, entry.text.length);
        if (!copy)
            return error_no_memory(err);
    }
    *out = (struct cached_chain){.of_node = conflist_is_of_node(tree), .entry = copy};
    return 0;
}
