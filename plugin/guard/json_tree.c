#include "guard/json.h"

#include <string.h>

/* The member of `other` with the key of `like`, one of `object`, and as many of that key before it. */
static const cJSON *counterpart(const cJSON *other, const cJSON *object, const cJSON *like)
{
    const cJSON *before = object->child;
    const cJSON *member = NULL;

    cJSON_ArrayForEach(member, other)
    {
        if (strcmp(member->string, like->string) != 0)
            continue;
        while (before != like && strcmp(before->string, like->string) != 0)
            before = before->next;
        if (before == like)
            return member;
        before = before->next;
    }
    return NULL;
}

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
        const cJSON *same = cJSON_IsObject(a) ? counterpart(b, a, one) : other;

        if (same == NULL || !json_same(one, same))
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
