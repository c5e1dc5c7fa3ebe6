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
        const cJSON *tree;
        bool ours;
        bool makes_interfaces; /* we must come after it */
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

static bool is_type(const cJSON *plugin, const char *type)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(plugin, "type");

    return cJSON_IsString(value) && strcmp(value->valuestring, type) == 0;
}

bool conflist_is_ours(const cJSON *plugin)
{
    return is_type(plugin, CONFIG_PLUGIN_TYPE);
}

int conflist_check(const cJSON *tree, struct error *err)
{
    const cJSON *plugins = cJSON_GetObjectItemCaseSensitive(tree, "plugins");
    const cJSON *plugin;
    int index = 0;

    if (!cJSON_IsObject(tree))
        return error_set(err, ERROR_INVALID_CONFIG, "this is no JSON object");
    if (!cJSON_IsArray(plugins))
        return error_set(err, ERROR_INVALID_CONFIG, "\"plugins\" is not there, or is no list");
    if (json_count_members(tree, "plugins") > 1 || json_count_members(tree, "name") > 1)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "\"plugins\" or \"name\" is there twice; which one counts is anybody's "
                         "guess: remove one");
    cJSON_ArrayForEach(plugin, plugins)
    {
        if (!cJSON_IsObject(plugin))
            return error_set(err, ERROR_INVALID_CONFIG, "plugins[%d] is no JSON object", index);
        if (json_count_members(plugin, "type") > 1)
            return error_set(err, ERROR_INVALID_CONFIG, "plugins[%d] has two \"type\"", index);
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
    const cJSON *tree;

    if (json_parse(text, &plugins.tree, err) < 0 || conflist_check(plugins.tree, err) < 0)
        return -1;
    tree = cJSON_GetObjectItemCaseSensitive(plugins.tree, "plugins");
    plugins.count = (size_t)cJSON_GetArraySize(tree);
    plugins.items = calloc(plugins.count, sizeof(*plugins.items));
    if (!plugins.items)
        return error_no_memory(err);
    if (!json_member(text, "plugins", &plugins.array))
        return error_set(err, ERROR_DECODING, "cannot find the place of \"plugins\"");
    tree = tree->child;
    for (size_t i = 0; i < plugins.count; i++, tree = tree->next) {
        struct plugin *item = &plugins.items[i];

        if (!json_element(plugins.array, i, &item->place))
            return error_set(err, ERROR_DECODING, "cannot find the place of plugins[%zu]", i);
        item->tree = tree;
        item->ours = conflist_is_ours(tree);
        item->makes_interfaces = is_type(tree, "aws-cni") || is_type(tree, "egress-cni");
    }
    *out = plugins;
    plugins = (struct plugins){0};
    return 0;
}

/* Index of the first entry of ours, or count. */
static size_t first_of_ours(const struct plugins *plugins)
{
    size_t index = 0;

    while (index < plugins->count && !plugins->items[index].ours)
        index++;
    return index;
}

/* Index of the plugin we come after where nobody has put us anywhere. */
static size_t last_before_us(const struct plugins *plugins)
{
    for (size_t i = plugins->count; i > 0; i--)
        if (plugins->items[i - 1].makes_interfaces)
            return i - 1;
    return plugins->count - 1;
}

/* Whether an entry of ours may be at this index: after every plugin that makes interfaces. */
static bool is_place_right(const struct plugins *plugins, size_t index)
{
    if (index == 0)
        return false;
    for (; index < plugins->count; index++)
        if (plugins->items[index].makes_interfaces)
            return false;
    return true;
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

/* Writes what stands between two plugins: as before `index`, or else as it would be there. */
static void write_separator(FILE *stream, const struct plugins *plugins, size_t index,
                            const struct layout *layout)
{
    bool alone = plugins->count == 1;
    const struct plugin *model = &plugins->items[index == 0 && !alone ? 1 : index];
    struct span blanks = layout_blanks_before(plugins->array.start, model->place.start);

    fputc(',', stream);
    if (alone && blanks.length == 0 && layout->spaced)
        fputc(' ', stream);
    fwrite(blanks.start, 1, blanks.length, stream);
}

/* The text with the entry after plugin `index`, laid out as that plugin is. */
static int insert_after(struct span text, const struct plugins *plugins, size_t index,
                        struct span entry, char **out, struct error *err)
{
    struct span before = plugins->items[index].place;
    struct layout layout = layout_of(before);
    size_t length;
    FILE *stream = open_memstream(out, &length);

    if (!stream)
        return error_no_memory(err);
    fwrite(text.start, 1, (size_t)(end_of(before) - text.start), stream);
    write_separator(stream, plugins, index, &layout);
    layout_write(stream, entry, &layout);
    fwrite(end_of(before), 1, (size_t)(end_of(text) - end_of(before)), stream);
    return finish(stream, out, err);
}

/* Whether there is one entry of ours, where it should be, that says what `entry` says. */
static bool is_settled(const struct plugins *plugins, const cJSON *entry)
{
    size_t ours = 0;
    size_t index = first_of_ours(plugins);

    for (size_t i = 0; i < plugins->count; i++)
        ours += plugins->items[i].ours;
    return ours == 1 && is_place_right(plugins, index) &&
           cJSON_Compare(plugins->items[index].tree, entry, true);
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

/* The text that has no entry of ours, with the entry after plugin `index` (count: by the rule). */
static int insert_fresh(const char *stripped, size_t index, struct span entry, char **out,
                        struct error *err)
{
    struct span text = {stripped, strlen(stripped)};
    cleanup(plugins) struct plugins plugins = {0};

    if (read_plugins(text, &plugins, err) < 0)
        return -1;
    if (index >= plugins.count)
        index = last_before_us(&plugins);
    return insert_after(text, &plugins, index, entry, out, err);
}

static int copy_text(struct span text, char **out, struct error *err)
{
    char *copy = strndup(text.start, text.length);

    if (!copy)
        return error_no_memory(err);
    *out = copy;
    return 0;
}

int conflist_insert(struct span text, struct span entry, char **out, struct error *err)
{
    cleanup(plugins) struct plugins plugins = {0};
    cleanup(json) cJSON *entry_tree = NULL;
    cleanup(free_text) char *stripped = NULL;
    cleanup(free_text) char *made = NULL;
    size_t index;

    if (json_parse(entry, &entry_tree, err) < 0)
        return error_context(err, "the entry");
    if (!conflist_is_ours(entry_tree))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "the entry's \"type\" is not \"" CONFIG_PLUGIN_TYPE "\"");
    if (read_plugins(text, &plugins, err) < 0)
        return -1;
    if (is_settled(&plugins, entry_tree))
        return copy_text(text, out, err);
    index = first_of_ours(&plugins);
    /* Nothing of ours is before that index, so the plugin before it has the same one
     * when stripped. */
    index = is_place_right(&plugins, index) && index < plugins.count ? index - 1 : SIZE_MAX;
    if (strip(text, &plugins, &stripped, err) < 0 ||
        insert_fresh(stripped, index, entry, &made, err) < 0 ||
        verify(made, stripped, entry_tree, err) < 0)
        return -1;
    *out = steal(&made);
    return 0;
}

int conflist_remove(struct span text, char **out, struct error *err)
{
    cleanup(plugins) struct plugins plugins = {0};
    cleanup(plugins) struct plugins left = {0};
    cleanup(free_text) char *stripped = NULL;

    if (read_plugins(text, &plugins, err) < 0)
        return -1;
    if (first_of_ours(&plugins) == plugins.count)
        return copy_text(text, out, err);
    if (strip(text, &plugins, &stripped, err) < 0 ||
        read_plugins((struct span){stripped, strlen(stripped)}, &left, err) < 0)
        return -1;
    *out = steal(&stripped);
    return 0;
}
