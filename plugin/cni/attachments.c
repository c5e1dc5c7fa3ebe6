#include "cni/attachments.h"

#include "guard/json.h"

static const char *const keys[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};

#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

/* The list under a key; NULL for none, which cJSON's functions take as empty. */
static int list_of(const cJSON *tree, const char *key, const cJSON **list, struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(tree, key);

    if (json_count_members(tree, key) > 1)
        return error_set(err, ERROR_INVALID_CONFIG, "\"%s\" is given more than once", key);
    if (value && !cJSON_IsArray(value) && !cJSON_IsNull(value))
        return error_set(err, ERROR_INVALID_CONFIG, "\"%s\" is not an array", key);
    *list = cJSON_IsArray(value) ? value : NULL;
    return 0;
}

static int add_list(const char *key, const cJSON *list, const char *network, struct owner *owners,
                    size_t *count, struct error *err)
{
    const cJSON *entry = NULL;
    size_t index = 0;

    cJSON_ArrayForEach(entry, list)
    {
        struct owner owner = {
            .network = network,
            .container_id =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "containerID")),
            .ifname = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "ifname")),
        };

        if (!owner.container_id || !owner.ifname)
            return error_set(err, ERROR_INVALID_CONFIG,
                             "\"%s\"[%zu] is not an object with the strings containerID and ifname",
                             key, index);
        owners[(*count)++] = owner;
        index++;
    }
    return 0;
}

int attachments_parse(const cJSON *tree, const char *network, struct owner **out, size_t *count,
                      struct error *err)
{
    cleanup(free_memory) struct owner *owners = NULL;
    const cJSON *lists[KEY_COUNT] = {NULL};
    size_t room = 0;
    size_t used = 0;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (list_of(tree, keys[i], &lists[i], err) != 0)
            return -1;
        room += (size_t)cJSON_GetArraySize(lists[i]);
    }
    owners = calloc(room + 1, sizeof(*owners)); /* an empty list is no lack of memory */
    if (!owners)
        return error_no_memory(err);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (add_list(keys[i], lists[i], network, owners, &used, err) != 0)
            return -1;
    *out = steal(&owners);
    *count = used;
    return 0;
}
