#include "node/chain/entry.h"

#include "node/chain/conflist.h"
#include "node/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int entry_check(const cJSON *entry, struct error *err)
{
    cleanup(config) struct config config = {0};

    return config_parse(entry, &config, err);
}

static int check_keys(const cJSON *entry, struct error *err)
{
    if (!cJSON_IsObject(entry))
        return error_set(err, ERROR_INVALID_CONFIG, "this is no JSON object");
    if (cJSON_GetObjectItemCaseSensitive(entry, "plugins"))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "this is a list of plugins; give only the keys of the " CONFIG_PLUGIN_TYPE
                         " entry");
    if (cJSON_GetObjectItemCaseSensitive(entry, "type") && !conflist_is_ours(entry))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "\"type\" is not \"" CONFIG_PLUGIN_TYPE "\": correct it or leave it out");
    if (config_check_keys(entry, err) < 0)
        return -1;
    return entry_check(entry, err);
}

/* The object's text with the missing keys put in at its beginning; all else as it was. */
static int complete(struct span text, const cJSON *entry, char **out, struct error *err)
{
    const char *body = (const char *)memchr(text.start, '{', text.length) + 1;
    bool has_type = cJSON_GetObjectItemCaseSensitive(entry, "type");
    bool has_capabilities = cJSON_GetObjectItemCaseSensitive(entry, "capabilities");
    char *made = NULL;

    if (asprintf(&made, "{%s%s%s%.*s", has_type ? "" : ENTRY_TYPE ",",
                 has_capabilities ? "" : ENTRY_CAPABILITIES,
                 !has_capabilities && entry->child ? "," : "",
                 (int)(text.start + text.length - body), body) < 0)
        return error_no_memory(err);
    *out = made;
    return 0;
}

int entry_read(const char *path, char **out, struct error *err)
{
    cleanup(free_text) char *text = NULL;
    cleanup(json) cJSON *tree = NULL;
    size_t length;

    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &length, err) < 0)
        return -1;
    if (json_parse((struct span){text, length}, &tree, err) < 0 || check_keys(tree, err) < 0 ||
        complete((struct span){text, length}, tree, out, err) < 0)
        return error_context(err, "%s", path);
    return 0;
}
