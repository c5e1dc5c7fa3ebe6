/*
 * Editing works on the text: what is taken out, or put in, is always the stretch from the end of
 * one plugin to the end of the next, separator included. So removing is the exact inverse of
 * inserting, and nothing outside that stretch is written anew.
 */
#include "node/chain/conflist.h"

#include "guard/config.h"
#include "node/chain/layout.h"

#include <stdio.h>
#include <string.h>

/* The list's plugins with their places in the text. */
struct plugins {
    cJSON *tree; /* of the whole text */
    struct span array;
    struct plugin {
        struct span place;
        cJSON *tree;
        bool ours;
    } * items;
    size_t count;
};

static void cleanup_plugins(struct plugins *plugins)
{
    cJSON_Delete(plugins->tree);
    free(plugins->items);
}

static const char *end_of(struct span span)
{
    return span.start + span.length;
}

int conflist_check(const cJSON *tree, struct error *err)
{
    const cJSON *plugins = NULL;
    const cJSON *plugin;
    const cJSON *only;
    int index = 0;

    if (json_find(tree, "plugins", &plugins, err) < 0 || json_find(tree, "name", &only, err) < 0)
        return -1;
    if (!cJSON_IsArray(plugins))
        return error_set(err, ERROR_INVALID_CONFIG, "\"plugins\" is not there, or is no list");
    cJSON_ArrayForEach(plugin, plugins)
    {
        if (!cJSON_IsObject(plugin))
            return error_set(err, ERROR_INVALID_CONFIG, "plugins[%d] is no JSON object", index);
        if (json_find(plugin, "type", &only, err) < 0)
            return error_context(err, "plugins[%d]", index);
        index++;
    }
    if (index == 0)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "\"plugins\" is empty: " CONFIG_PLUGIN_TYPE
                         " needs the plugin that makes the pod's interfaces before it");
    return 0;
}

static int read_plugins(struct span text, struct plugins *out, struct error *err)
{
    cleanup(plugins) struct plugins plugins = {0};
    struct span rest;
    cJSON *tree;

    if (json_parse(text, &plugins.tree, err) < 0 || conflist_check(plugins.tree, err) < 0)
        return -1;
    tree = cJSON_GetObjectItemCaseSensitive(plugins.tree, "plugins");
    plugins.count = (size_t)cJSON_GetArraySize(tree);
    plugins.items = calloc(plugins.count, sizeof(*plugins.items));
    if (!plugins.items)
        return error_no_memory(err);
    if (!json_member(text, "plugins", &plugins.array))
        return error_set(err, ERROR_DECODING, "cannot find the place of \"plugins\"");
    rest = plugins.array;
    tree = tree->child;
    for (size_t i = 0; i < plugins.count; i++, tree = tree->next) {
        struct plugin *item = &plugins.items[i];

        if (!json_next(&rest, &item->place))
            return error_set(err, ERROR_DECODING, "cannot find the place of plugins[%zu]", i);
        item->tree = tree;
        item->ours = conflist_is_ours(tree);
    }
    *out = steal(&plugins);
    return 0;
}

static size_t count_ours(const struct plugins *plugins)
{
    size_t ours = 0;

    for (size_t i = 0; i < plugins->count; i++)
        ours += plugins->items[i].ours;
    return ours;
}

/* A stream that becomes *text. */
static int finish(FILE *stream, char **text, struct error *err)
{
    bool failed = ferror(stream);

    if (fclose(stream) != 0 || failed) {
        free(*text);
        *text = NULL;
        return error_no_memory(err);
    }
    return 0;
}

/* The text without our entries. */
static int strip(struct span text, const struct plugins *plugins, char **out, struct error *err)
{
    size_t length;
    size_t index = 0;
    const char *at = text.start; /* everything before it is written or left out */
    FILE *stream;

    while (index < plugins->count && plugins->items[index].ours)
        index++;
    if (index == plugins->count)
        return error_set(err, ERROR_INVALID_CONFIG,
                         CONFIG_PLUGIN_TYPE " is the only plugin of the list, which makes no "
                                            "network: remove the file");
    stream = open_memstream(out, &length);
    if (!stream)
        return error_no_memory(err);
    if (index > 0) {
        fwrite(at, 1, (size_t)(plugins->items[0].place.start - at), stream);
        at = plugins->items[index].place.start;
    }
    for (; index < plugins->count; index++) {
        if (plugins->items[index].ours) {
            fwrite(at, 1, (size_t)(end_of(plugins->items[index - 1].place) - at), stream);
            at = end_of(plugins->items[index].place);
        }
    }
    fwrite(at, 1, (size_t)(end_of(text) - at), stream);
    return finish(stream, out, err);
}

/* Writes what stands between two plugins: as before the last, or else as it would be there. */
static void write_separator(FILE *stream, const struct plugins *plugins,
                            const struct layout *layout)
{
    const char *last = plugins->items[plugins->count - 1].place.start;
    struct span blanks = layout_blanks_before(plugins->array.start, last);

    fputc(',', stream);
    if (plugins->count == 1 && blanks.length == 0 && layout->spaced)
        fputc(' ', stream);
    fwrite(blanks.start, 1, blanks.length, stream);
}

/* The text with the entry after the last plugin, laid out as that is. */
static int append(struct span text, const struct plugins *plugins, struct span entry, char **out,
                  struct error *err)
{
    struct span last = plugins->items[plugins->count - 1].place;
    struct layout layout = layout_of(last);
    size_t length;
    FILE *stream = open_memstream(out, &length);

    if (!stream)
        return error_no_memory(err);
    fwrite(text.start, 1, (size_t)(end_of(last) - text.start), stream);
    write_separator(stream, plugins, &layout);
    layout_write(stream, entry, &layout);
    fwrite(end_of(last), 1, (size_t)(end_of(text) - end_of(last)), stream);
    return finish(stream, out, err);
}

/* Whether there is one entry of ours, and not alone, and it is the last and says what `entry` says. */
static bool is_settled(const struct plugins *plugins, const cJSON *entry)
{
    const struct plugin *last = &plugins->items[plugins->count - 1];

    return plugins->count > 1 && count_ours(plugins) == 1 && last->ours &&
           json_same(last->tree, entry);
}

/*
 * A second look at what is about to become every pod's network: it reads back, holds our entry and,
 * without it, is to the byte what was there before.
 */
static int verify(const char *made, const char *stripped, const cJSON *entry, struct error *err)
{
    struct span text = {made, strlen(made)};
    cleanup(plugins) struct plugins plugins = {0};
    cleanup(free_text) char *back = NULL;

    if (read_plugins(text, &plugins, err) < 0 || strip(text, &plugins, &back, err) < 0)
        return error_context(err, "the edited text is wrong and was not used");
    if (strcmp(back, stripped) != 0 || !is_settled(&plugins, entry))
        return error_set(err, ERROR_DECODING,
                         "the edited text is not what it should be and was "
                         "not used");
    return 0;
}

/* The text that has no entry of ours, with it. */
static int insert_fresh(const char *stripped, struct span entry, char **out, struct error *err)
{
    struct span text = {stripped, strlen(stripped)};
    cleanup(plugins) struct plugins plugins = {0};

    if (read_plugins(text, &plugins, err) < 0)
        return -1;
    return append(text, &plugins, entry, out, err);
}

int conflist_insert(struct span text, struct span entry, char **out, struct error *err)
{
    cleanup(plugins) struct plugins plugins = {0};
    cleanup(json) cJSON *entry_tree = NULL;
    cleanup(free_text) char *stripped = NULL;
    cleanup(free_text) char *made = NULL;

    if (json_parse(entry, &entry_tree, err) < 0)
        return error_context(err, "the entry");
    if (!conflist_is_ours(entry_tree))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "the entry's \"type\" is not \"" CONFIG_PLUGIN_TYPE "\"");
    if (read_plugins(text, &plugins, err) < 0)
        return -1;
    if (is_settled(&plugins, entry_tree)) {
        *out = strndup(text.start, text.length);
        return *out ? 0 : error_no_memory(err);
    }
    if (strip(text, &plugins, &stripped, err) < 0 ||
        insert_fresh(stripped, entry, &made, err) < 0 ||
        verify(made, stripped, entry_tree, err) < 0)
        return -1;
    *out = steal(&made);
    return 0;
}

int conflist_remove(struct span text, char **out, struct error *err)
{
    cleanup(plugins) struct plugins plugins = {0};

    return read_plugins(text, &plugins, err) < 0 ? -1 : strip(text, &plugins, out, err);
}
