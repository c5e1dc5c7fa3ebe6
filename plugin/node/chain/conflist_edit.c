/*
 * Editing works on the text: what is taken out, or put in, is always the stretch from the end of
 * one plugin to the end of the next, separator included. So removing is the exact inverse of
 * inserting, and nothing outside that stretch is written anew.
 */
#include "node/chain/conflist.h"

#include "guard/config.h"

#include <stdio.h>
#include <string.h>

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

static int read_list(struct span text, cJSON **tree, struct error *err)
{
    return json_parse(text, tree, err) < 0 ? -1 : conflist_check(*tree, err);
}

static struct span trimmed(struct span text)
{
    while (text.length > 0 && json_is_space(text.start[text.length - 1]))
        text.length--;
    for (; text.length > 0 && json_is_space(*text.start); text.start++)
        text.length--;
    return text;
}

/* A text that is being written anew, up to `at` so far. */
struct edit {
    FILE *stream;
    const char *at;
};

static void keep_until(struct edit *edit, const char *end)
{
    if (edit->at >= end)
        return;
    fwrite(edit->at, 1, (size_t)(end - edit->at), edit->stream);
    edit->at = end;
}

/* After a comma and what stands before the plugin at `like`, so that it begins as that does. */
static void put_in(struct edit *edit, const char *like, struct span entry)
{
    const char *blanks = like;

    while (json_is_space(blanks[-1])) /* before them is the list's bracket, or a comma */
        blanks--;
    fputc(',', edit->stream);
    fwrite(blanks, 1, (size_t)(like - blanks), edit->stream);
    fwrite(entry.start, 1, entry.length, edit->stream);
}

/* Leaves out our entries, and puts `entry`, if it is not empty, behind the last of the others. */
static int edit_plugins(struct edit *edit, struct span text, const cJSON *tree, struct span entry,
                        struct error *err)
{
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(tree, "plugins")->child;
    struct span rest = {0}, place = {0}, last = {0}; /* of the others */
    const char *first = NULL;

    if (!json_member(text, "plugins", &rest))
        return error_set(err, ERROR_DECODING, "cannot find the place of \"plugins\"");
    for (; one && json_next(&rest, &place); one = one->next) {
        first = first ? first : place.start;
        if (!conflist_is_ours(one)) {
            if (!last.start) {
                keep_until(edit, first);
                edit->at = place.start;
            }
            last = place;
        } else if (last.start) {
            keep_until(edit, last.start + last.length);
            edit->at = place.start + place.length;
        }
    }
    if (!last.start)
        return error_set(err, ERROR_INVALID_CONFIG,
                         CONFIG_PLUGIN_TYPE " is the only plugin of the list, which makes no "
                                            "network: remove the file");
    keep_until(edit, last.start + last.length);
    if (entry.length > 0)
        put_in(edit, last.start, entry);
    keep_until(edit, text.start + text.length);
    return 0;
}

static int edit_text(struct span text, const cJSON *tree, struct span entry, char **out,
                     struct error *err)
{
    cleanup(free_text) char *made = NULL;
    size_t length;
    struct edit edit = {open_memstream(&made, &length), text.start};
    bool failed;
    int result;

    if (!edit.stream)
        return error_no_memory(err);
    result = edit_plugins(&edit, text, tree, entry, err);
    failed = ferror(edit.stream);
    if (fclose(edit.stream) != 0 || failed)
        return error_no_memory(err);
    if (result == 0)
        *out = steal(&made);
    return result;
}

/* Whether there is one entry of ours, and not alone, and it is the last and says what `entry` says. */
static bool is_settled(struct span text, const cJSON *tree, const cJSON *entry)
{
    const struct conflist_entry ours = conflist_find(text, tree);

    return ours.count == 1 && !ours.tree->next &&
           ours.tree != cJSON_GetObjectItemCaseSensitive(tree, "plugins")->child &&
           json_same(entry, ours.tree);
}

int conflist_insert(struct span text, struct span entry, char **out, struct error *err)
{
    cleanup(json) cJSON *entry_tree = NULL;
    cleanup(json) cJSON *tree = NULL;

    if (json_parse(entry, &entry_tree, err) < 0)
        return error_context(err, "the entry");
    if (!conflist_is_ours(entry_tree))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "the entry's \"type\" is not \"" CONFIG_PLUGIN_TYPE "\"");
    if (read_list(text, &tree, err) < 0)
        return -1;
    if (!is_settled(text, tree, entry_tree))
        return edit_text(text, tree, trimmed(entry), out, err);
    *out = strndup(text.start, text.length);
    return *out ? 0 : error_no_memory(err);
}

int conflist_remove(struct span text, char **out, struct error *err)
{
    cleanup(json) cJSON *tree = NULL;

    return read_list(text, &tree, err) < 0 ? -1 : edit_text(text, tree, (struct span){0}, out, err);
}
