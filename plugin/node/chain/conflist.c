#include "node/chain/conflist.h"

#include "guard/config.h"
#include "guard/names.h"
#include "node/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static inline void cleanup_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name);

    return length >= strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

/* What libcni's ConfFiles takes: by the part after the last dot, hidden or not, but
 * no directory. */
static bool is_candidate(const struct dirent *entry)
{
    return entry->d_type != DT_DIR &&
           (has_suffix(entry->d_name, ".conf") || has_suffix(entry->d_name, ".conflist") ||
            has_suffix(entry->d_name, ".json"));
}

/* *out is the first candidate's name, for free(3), or NULL. */
static int find_first(const char *conf_dir, char **out, struct error *err)
{
    cleanup(directory) DIR *directory = opendir(conf_dir);
    cleanup(free_text) char *first = NULL;

    if (!directory && errno == ENOENT) {
        *out = NULL;
        return 0;
    }
    if (!directory)
        return error_set(err, ERROR_IO, "cannot open %s: %s", conf_dir, strerror(errno));
    for (;;) {
        const struct dirent *entry = (errno = 0, readdir(directory));

        if (!entry && errno != 0)
            return error_set(err, ERROR_IO, "cannot list %s: %s", conf_dir, strerror(errno));
        if (!entry)
            break;
        if (!is_candidate(entry) || (first && strcmp(first, entry->d_name) < 0))
            continue;
        free(first);
        first = strdup(entry->d_name);
        if (!first)
            return error_no_memory(err);
    }
    *out = steal(&first);
    return 0;
}

/* Our first entry in the list, with its place. */
static void find_inline(struct conflist *conflist)
{
    const struct span text = {conflist->text, conflist->length};
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(conflist->tree, "plugins")->child;
    struct span plugins;

    for (size_t i = 0; plugin; plugin = plugin->next, i++) {
        if (!conflist_is_ours(plugin))
            continue;
        conflist->entry_count++;
        if (!conflist->entry && json_member(text, "plugins", &plugins) &&
            json_element(plugins, i, &conflist->entry_text))
            conflist->entry = plugin;
    }
}

bool conflist_ignores_drop_ins(const struct conflist *conflist)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(conflist->tree, "loadOnlyInlinedPlugins"));
}

/* Reads <conf dir>/<network>/imds-guard.conf into conflist->drop_in, if it is there. */
static int load_drop_in(const char *conf_dir, struct conflist *conflist, struct error *err)
{
    cleanup(free_text) char *path = NULL;
    cleanup(free_text) char *text = NULL;
    cleanup(json) cJSON *tree = NULL;
    size_t length;

    if (asprintf(&path, "%s/%s/" CONFLIST_DROP_IN, conf_dir, conflist->network) < 0) {
        path = NULL;
        return error_no_memory(err);
    }
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &length, err) < 0)
        return -1;
    if (json_parse((struct span){text, length}, &tree, err) < 0)
        return error_context(err, "%s", path);
    if (!conflist_is_ours(tree))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "%s: \"type\" is not \"" CONFIG_PLUGIN_TYPE "\": remove the file", path);
    conflist->drop_in = steal(&tree);
    conflist->drop_in_text = steal(&text);
    return 0;
}

/* A network that is no list cannot hold a second plugin. go-cni tells them apart by the file's
 * name. */
static int check_is_list(const struct conflist *conflist, struct error *err)
{
    bool has_list = cJSON_GetObjectItemCaseSensitive(conflist->tree, "plugins");

    if (has_suffix(conflist->path, ".conflist") && (has_list || !cJSON_IsObject(conflist->tree)))
        return 0;
    if (has_list)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "a list of plugins is only taken as one from a file that is named "
                         "*.conflist: rename it");
    return error_set(
        err, ERROR_INVALID_CONFIG,
        "this is a single plugin, which nothing can be chained to: make it "
        "{\"cniVersion\": ..., \"name\": ..., \"plugins\": [ <what it is now> ]} and name "
        "it *.conflist");
}

static int parse(const char *conf_dir, struct conflist *conflist, struct error *err)
{
    const cJSON *name;

    if (json_parse((struct span){conflist->text, conflist->length}, &conflist->tree, err) < 0 ||
        check_is_list(conflist, err) < 0 || conflist_check(conflist->tree, err) < 0)
        return error_context(err, "%s", conflist->path);
    name = cJSON_GetObjectItemCaseSensitive(conflist->tree, "name");
    if (!cJSON_IsString(name) || !name_is_network(name->valuestring))
        return error_set(err, ERROR_INVALID_CONFIG, "%s: \"name\" is no name of a network: %s",
                         conflist->path, cJSON_IsString(name) ? name->valuestring : "(no string)");
    conflist->network = name->valuestring;
    if (load_drop_in(conf_dir, conflist, err) < 0)
        return -1;
    find_inline(conflist);
    if (!conflist->drop_in || conflist_ignores_drop_ins(conflist))
        return 0;
    conflist->entry_count++;
    if (!conflist->entry) {
        conflist->entry = conflist->drop_in;
        conflist->entry_text =
            (struct span){conflist->drop_in_text, strlen(conflist->drop_in_text)};
    }
    return 0;
}

int conflist_load(const char *conf_dir, struct conflist *out, bool *found, struct error *err)
{
    cleanup(conflist) struct conflist conflist = {0};
    cleanup(free_text) char *name = NULL;

    if (find_first(conf_dir, &name, err) < 0)
        return -1;
    if (!name) {
        *found = false;
        return 0;
    }
    if (asprintf(&conflist.path, "%s/%s", conf_dir, name) < 0) {
        conflist.path = NULL;
        return error_no_memory(err);
    }
    /* The look comes before the reading: who compares later never takes an old text for this
     * file's. */
    if (lstat(conflist.path, &conflist.stat) < 0)
        return error_set(err, errno == ENOENT ? ERROR_TRY_AGAIN : ERROR_IO, "%s: %s", conflist.path,
                         strerror(errno));
    if (file_read(AT_FDCWD, conflist.path, FILE_LINK_FOLLOW, &conflist.text, &conflist.length,
                  err) < 0)
        return -1;
    if (parse(conf_dir, &conflist, err) < 0)
        return -1;
    *out = conflist;
    conflist = (struct conflist){0};
    *found = true;
    return 0;
}

void conflist_free(struct conflist *conflist)
{
    free(conflist->path);
    free(conflist->text);
    cJSON_Delete(conflist->tree);
    cJSON_Delete(conflist->drop_in);
    free(conflist->drop_in_text);
    *conflist = (struct conflist){0};
}
