#include "guard/json.h"

#include <string.h>

bool json_same(const cJSON *a, const cJSON *b)
{
    const cJSON *other = b->child;

    if ((a->type & 0xFF) != (b->type & 0xFF) || cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
        return false;
    if (cJSON_IsNumber(a))
        return a->valuedouble == b->valuedouble;
    if (cJSON_IsString(a))
        return strcmp(a->valuestring, b->valuestring) == 0;
    for (const cJSON *one = a->child; one != NULL; one = one->next, other = other->next) {
        if (cJSON_IsObject(a))
            other = cJSON_GetObjectItemCaseSensitive(b, one->string);
        if (other == NULL || !json_same(one, other))
            return false;
    }
    return true;
}

int json_find(const cJSON *object, const char *key, const cJSON **out, struct error *err)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);

    for (const cJSON *other = found; other != NULL && other->next != NULL; other = other->next)
        if (strcmp(other->next->string, key) == 0)
            return error_set(err, ERROR_INVALID_CONFIG, "\"%s\" is given more than once", key);
    *out = found;
    return 0;
}
