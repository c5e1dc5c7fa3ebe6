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

/* The place of our last entry. */
static bool find_entry(struct span text, const cJSON *tree, struct span *out)
{
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(tree, "plugins");
    struct span rest, place;
    bool found = false;

    if (!cJSON_IsArray(plugin) || !json_member(text, "plugins", &rest))
        return false;
    for (plugin = plugin->child; plugin && json_next(&rest, &place); plugin = plugin->next) {
        if (!conflist_is_ours(plugin))
            continue;
        *out = place;
        found = true;
    }
    return found;
}

int cached_chain_read(const char *config, struct cached_chain *out, struct error *err)
{
    cleanup(free_text) char *bytes = malloc(strlen(config) + 1);
    cleanup(json) cJSON *tree = NULL;
    struct cached_chain chain = {0};
    struct span text = {bytes, 0}, entry;
    struct error why;

    if (!bytes)
        return error_no_memory(err);
    if (!decode(config, bytes, &text.length)) {
        *out = chain;
        return 0;
    }
    if (json_parse(text, &tree, &why) < 0) {
        if (why.code != ERROR_DECODING) {
            *err = why;
            return -1;
        }
        *out = chain;
        return 0;
    }
    chain.of_node = conflist_is_of_node(tree);
    if (find_entry(text, tree, &entry)) {
        chain.entry = strndup(entry.start, entry.length);
        if (!chain.entry)
            return error_no_memory(err);
    }
    *out = chain;
    return 0;
}
