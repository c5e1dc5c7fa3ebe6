#include "node/pods/cache.h"

#include "guard/names.h"
#include "node/chain/conflist.h"

#include <string.h>

#define CACHE_KIND "cniCacheV1" /* libcni api.go, CNICacheV1 */

/* A member that must be a string, given once. */
static int take_text(const cJSON *tree, const char *key, const char **out, struct error *err)
{
    const cJSON *value = NULL;

    if (json_find(tree, key, &value, err) < 0)
        return -1;
    if (!cJSON_IsString(value))
        return error_set(err, ERROR_INVALID_CONFIG, "%s is %s", key,
                         value ? "not a string" : "missing");
    *out = value->valuestring;
    return 0;
}

static int take_owner(const cJSON *tree, struct owner *out, struct error *err)
{
    struct owner owner = {0};

    if (take_text(tree, "networkName", &owner.network, err) < 0 ||
        take_text(tree, "containerId", &owner.container_id, err) < 0 ||
        take_text(tree, "ifName", &owner.ifname, err) < 0)
        return -1;
    if (!name_is_network(owner.network))
        return error_set(err, ERROR_INVALID_CONFIG, "networkName is no name of a network");
    if (!name_is_container_id(owner.container_id))
        return error_set(err, ERROR_INVALID_CONFIG, "containerId is no container id");
    if (!name_is_interface(owner.ifname))
        return error_set(err, ERROR_INVALID_CONFIG, "ifName is no name of an interface");
    if (!owner_fits(&owner))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "networkName, containerId and ifName together have more than %d bytes",
                         OWNER_BYTES_MAX);
    *out = owner;
    return 0;
}

/* The value beside `key` in cniArgs, an array of pairs; NULL if there is not exactly one. */
static const char *cni_arg(const cJSON *args, const char *key)
{
    const char *found = NULL;
    const cJSON *pair;

    cJSON_ArrayForEach(pair, args)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
        const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));

        if (!name || !value || strcmp(name, key) != 0)
            continue;
        if (found)
            return NULL;
        found = value;
    }
    return found && *found ? found : NULL;
}

static struct pod take_pod(const cJSON *tree)
{
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(tree, "cniArgs");
    const cJSON *capabilities = cJSON_GetObjectItemCaseSensitive(tree, "capabilityArgs");
    const cJSON *annotations =
        cJSON_GetObjectItemCaseSensitive(capabilities, CONFIG_ANNOTATIONS_CAPABILITY);

    return (struct pod){
        .namespace = cni_arg(args, "K8S_POD_NAMESPACE"),
        .name = cni_arg(args, "K8S_POD_NAME"),
        .annotations = cJSON_IsObject(annotations) ? annotations : NULL,
    };
}

/* libcni 1.2 and later. */
static bool has_netns(const cJSON *tree)
{
    return cJSON_GetObjectItemCaseSensitive(tree, "netns") != NULL;
}

static int take_netns(const cJSON *tree, const struct attachment *attachment, const char **out,
                      struct error *err)
{
    const struct result *result = &attachment->result;

    if (has_netns(tree))
        return take_text(tree, "netns", out, err);
    /* Where the result says that CNI_IFNAME is. A sandbox that is no path names no namespace. */
    for (size_t i = 0; i < result->interface_count; i++)
        if (strcmp(result->interfaces[i].name, attachment->owner.ifname) == 0 &&
            result->interfaces[i].sandbox[0] == '/') {
            *out = result->interfaces[i].sandbox;
            return 0;
        }
    return error_set(err, ERROR_INVALID_CONFIG,
                     "neither netns nor the result's interface %s says where the pod is",
                     attachment->owner.ifname);
}

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

static int read_chain(const char *config, struct cached_chain *out, struct error *err)
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

/* Copies a text, if there is one, behind what is used of the room; without room it only counts. */
static void move(const char **text, char *room, size_t *used)
{
    const size_t size = *text ? strlen(*text) + 1 : 0;

    if (room && *text)
        *text = memcpy(room + *used, *text, size);
    *used += size;
}

static size_t move_all(struct attachment *attachment, char *room)
{
    size_t used = 0;

    move(&attachment->owner.network, room, &used);
    move(&attachment->owner.container_id, room, &used);
    move(&attachment->owner.ifname, room, &used);
    move(&attachment->netns, room, &used);
    move(&attachment->pod.namespace, room, &used);
    move(&attachment->pod.name, room, &used);
    for (size_t i = 0; i < attachment->result.interface_count; i++) {
        move(&attachment->result.interfaces[i].name, room, &used);
        move(&attachment->result.interfaces[i].sandbox, room, &used);
    }
    return used;
}

int cache_parse(struct span text, struct cached_attachment *out, struct error *err)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    cleanup(json) cJSON *tree = NULL;
    struct attachment *attachment = &cached.attachment;
    const char *config, *kind = NULL;

    if (json_parse(text, &tree, err) < 0)
        return -1;
    if (!cJSON_IsObject(tree))
        return error_set(err, ERROR_INVALID_CONFIG, "not a JSON object");
    if (take_text(tree, "kind", &kind, err) < 0)
        return -1;
    if (strcmp(kind, CACHE_KIND) != 0)
        return error_set(err, ERROR_INVALID_CONFIG, "kind is not " CACHE_KIND);
    if (take_owner(tree, &attachment->owner, err) < 0)
        return -1;
    if (result_parse(cJSON_GetObjectItemCaseSensitive(tree, "result"), &attachment->result, err) <
        0)
        return error_context(err, "result");
    if (take_netns(tree, attachment, &attachment->netns, err) < 0)
        return -1;
    config = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "config"));
    if (config && read_chain(config, &cached.chain, err) < 0)
        return -1;
    attachment->pod = take_pod(tree);
    cached.reads_no_drop_ins = !has_netns(tree);
    /* Out of the tree, which takes ten times its room: a node may have thousands. */
    cached.texts = malloc(move_all(attachment, NULL));
    if (!cached.texts)
        return error_no_memory(err);
    move_all(attachment, cached.texts);
    if (attachment->pod.annotations)
        cached.annotations = cJSON_DetachItemFromObjectCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(tree, "capabilityArgs"),
            CONFIG_ANNOTATIONS_CAPABILITY);
    *out = steal(&cached);
    return 0;
}

void cached_attachment_free(struct cached_attachment *attachment)
{
    result_free(&attachment->attachment.result);
    free(attachment->chain.entry);
    cJSON_Delete(attachment->annotations);
    free(attachment->texts);
    free(attachment->file);
    *attachment = (struct cached_attachment){0};
}
