#include "node/chain/conflist.h"

#include "guard/config.h"
#include "guard/names.h"
#include "node/chain/names.h"
#include "node/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool is_type(const cJSON *plugin, const char *type)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(plugin, "type");

    return cJSON_IsString(value) && strcmp(value->valuestring, type) == 0;
}

bool conflist_is_ours(const cJSON *plugin)
{
    return is_type(plugin, CONFIG_PLUGIN_TYPE);
}

static bool has_type(const cJSON *tree, const char *type)
{
    const cJSON *plugin;

    cJSON_ArrayForEach(plugin, cJSON_GetObjectItemCaseSensitive(tree, "plugins"))
    {
        if (is_type(plugin, type))
            return true;
    }
    return false;
}

bool conflist_is_of_node(const cJSON *tree)
{
    return has_type(tree, CONFLIST_NODE_PLUGIN) || has_type(tree, CONFIG_PLUGIN_TYPE);
}

bool conflist_ignores_drop_ins(const struct conflist *conflist)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(conflist->tree, "loadOnlyInlinedPlugins"));
}

static bool tree_names_us(const cJSON *tree)
{
    if (conflist_is_ours(tree))
        return true;
    for (const cJSON *child = tree->child; child; child = child->next)
        if (tree_names_us(child))
            return true;
    return false;
}

bool conflist_names_us(const struct conflist *conflist)
{
    if (conflist->tree)
        return tree_names_us(conflist->tree);
    return conflist->text &&
           memmem(conflist->text, conflist->length, CONFIG_PLUGIN_TYPE, strlen(CONFIG_PLUGIN_TYPE));
}

struct conflist_entry conflist_find(struct span text, const cJSON *tree)
{
    const cJSON *plugins = cJSON_GetObjectItemCaseSensitive(tree, "plugins");
    struct conflist_entry found = {0};
    struct span rest, place;

    if (!cJSON_IsArray(plugins) || !json_member(text, "plugins", &rest))
        return found;
    for (const cJSON *one = plugins->child; one && json_next(&rest, &place); one = one->next) {
        if (conflist_is_ours(one))
            found = (struct conflist_entry){one, place, found.count + 1, NULL};
        else if (found.tree)
            found.follower = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "type"));
    }
    return found;
}

/* Drop-ins run after the list's own plugins. */
static int find_drop_in(const char *conf_dir, struct conflist *conflist, struct error *err)
{
    const struct drop_ins *drop_ins = &conflist->drop_ins;
    const struct drop_in *ours;

    if (conflist_ignores_drop_ins(conflist))
        return 0;
    if (drop_ins_load(conf_dir, conflist->network, &conflist->drop_ins, err) < 0)
        return -1;
    if (drop_ins->last &&
        (drop_ins->count == 0 ? conflist->entry != NULL : drop_ins_are_followed(drop_ins)))
        conflist->follower = drop_ins->last_type ? drop_ins->last_type : drop_ins->last;
    else if (drop_ins->count > 0)
        conflist->follower = NULL;
    if (drop_ins->count == 0)
        return 0;
    ours = &drop_ins->ours[drop_ins->count - 1];
    if (asprintf(&conflist->entry_file, "%s/%s/%s", conf_dir, conflist->network, ours->name) < 0) {
        conflist->entry_file = NULL;
        return error_no_memory(err);
    }
    conflist->entry_path = conflist->entry_file;
    conflist->entry = ours->tree;
    conflist->entry_text = (struct span){ours->text, strlen(ours->text)};
    return 0;
}

/* A network that is no list cannot hold a second plugin. go-cni tells them apart by the file's
 * name. */
static int check_is_list(const struct conflist *conflist, bool has_plugins, struct error *err)
{
    if (!has_plugins)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "this is a single plugin, which nothing can be chained to: make it "
                         "{\"cniVersion\": ..., \"name\": ..., \"plugins\": [ <what it is now> ]} "
                         "and name it *.conflist");
    if (!name_ends(conflist->path, ".conflist"))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "a list of plugins is only taken as one from a file that is named "
                         "*.conflist: rename it");
    return 0;
}

/* What is neither this node's pods' network nor has us in it is never complained about. */
static int judge(const char *conf_dir, const struct names *networks, struct conflist *conflist,
                 struct error *err)
{
    const char *name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(conflist->tree, "name"));
    const bool has_plugins = cJSON_GetObjectItemCaseSensitive(conflist->tree, "plugins");
    struct conflist_entry found;

    conflist->network = name && name_is_network(name) ? name : NULL;
    conflist->makes_pods = is_type(conflist->tree, CONFLIST_NODE_PLUGIN) ||
                           has_type(conflist->tree, CONFLIST_NODE_PLUGIN) ||
                           (name && names_have(networks, name));
    if (!conflist->makes_pods && !conflist_is_ours(conflist->tree) &&
        !has_type(conflist->tree, CONFIG_PLUGIN_TYPE))
        return 0;
    if (conflist_is_ours(conflist->tree))
        return error_set(err, ERROR_INVALID_CONFIG,
                         CONFIG_PLUGIN_TYPE " alone makes no network: remove the file, or move it "
                                            "into the directory that is named like the network");
    if (has_plugins) {
        if (conflist_check(conflist->tree, err) < 0)
            return -1;
        found = conflist_find((struct span){conflist->text, conflist->length}, conflist->tree);
        conflist->inline_count = found.count;
        conflist->entry = found.tree;
        conflist->entry_text = found.text;
        conflist->entry_path = found.tree ? conflist->path : NULL;
        conflist->follower = found.follower;
    }
    if (conflist->makes_pods && check_is_list(conflist, has_plugins, err) < 0)
        return -1;
    if (conflist->makes_pods && !conflist->network)
        return error_set(err, ERROR_INVALID_CONFIG, "\"name\" is no name of a network: %s",
                         name ? name : "(no string)");
    return conflist->makes_pods ? find_drop_in(conf_dir, conflist, err) : 0;
}

static int read_and_judge(const char *conf_dir, const struct names *networks,
                          struct conflist *conflist, struct error *err)
{
    if (file_read(AT_FDCWD, conflist->path, FILE_LINK_FOLLOW, &conflist->text, &conflist->length,
                  err) < 0)
        return -1;
    if (json_parse((struct span){conflist->text, conflist->length}, &conflist->tree, err) < 0 ||
        (!cJSON_IsObject(conflist->tree) &&
         error_set(err, ERROR_INVALID_CONFIG, "this is no JSON object") < 0) ||
        judge(conf_dir, networks, conflist, err) < 0)
        return error_context(err, "%s", conflist->path);
    return 0;
}

int conflist_load(const char *conf_dir, const char *name, const struct names *networks,
                  struct conflist *out, bool *found, struct error *err)
{
    cleanup(conflist) struct conflist conflist = {0};
    struct error why;

    if (asprintf(&conflist.path, "%s/%s", conf_dir, name) < 0) {
        conflist.path = NULL;
        return error_no_memory(err);
    }
    /* The look comes before the reading: who compares later never takes an old text for this
     * file's. */
    if (lstat(conflist.path, &conflist.stat) < 0 && errno == ENOENT) {
        *found = false;
        return 0;
    }
    if (read_and_judge(conf_dir, networks, &conflist, &why) < 0) {
        conflist.problem = strdup(why.msg);
        if (!conflist.problem)
            return error_no_memory(err);
    }
    *out = steal(&conflist);
    *found = true;
    return 0;
}

void conflist_free(struct conflist *conflist)
{
    free(conflist->path);
    free(conflist->text);
    free(conflist->problem);
    free(conflist->entry_file);
    cJSON_Delete(conflist->tree);
    drop_ins_free(&conflist->drop_ins);
    *conflist = (struct conflist){0};
}
