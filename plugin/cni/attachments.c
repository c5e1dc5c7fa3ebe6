#include "cni/attachments.h"

#include "guard/array.h"
#include "guard/json.h"

static int add_list(const cJSON *tree, const char *key, const char *network, struct owner **owners,
                    size_t *count, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *entry = NULL;
    size_t index = 0;

    if (json_find(tree, key, &list, err) != 0)
        return -1;
    if (list && !cJSON_IsArray(list) && !cJSON_IsNull(list))
        return error_set(err, ERROR_INVALID_CONFIG, "\"%s\" is not an array", key);
    cJSON_ArrayForEach(entry, list)
    {
        const char *id =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "containerID"));
        const char *ifname =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "ifname"));
        struct owner *added = array_add(owners, count);

        if (!added)
            return error_no_memory(err);
        if (!id || !ifname)
            return error_set(err, ERROR_INVALID_CONFIG,
                             "\"%s\"[%zu] is not an object with the strings containerID and ifname",
                             key, index);
        *added = (struct owner){network, id, ifname};
        index++;
    }
    return 0;
}

int attachments_parse(const cJSON *tree, const char *network, struct owner **out, size_t *count,
                      struct error *err)
{
    cleanup(free_memory) struct owner *owners = NULL;
    size_t used = 0;

    if (add_list(tree, "cni.dev/valid-attachments", network, &owners, &used, err) != 0 ||
        add_list(tree, "cni.dev/attachments", network, &owners, &used, err) != 0)
        return -1;
    *out = steal(&owners);
    *count = used;
    return 0;
}
