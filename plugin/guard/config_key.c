#include "guard/config_key.h"

#include "guard/json.h"

int config_refuse(const char *place, const cJSON *value, const char *wanted, struct error *err)
{
    cleanup(free_text) char *text = cJSON_PrintUnformatted(value);

    return error_set(err, ERROR_INVALID_CONFIG, "config key \"%s\" is %.120s: it must be %s", place,
                     text != NULL ? text : "?", wanted);
}

int config_find(const cJSON *object, const char *key, const char *place, const cJSON **out,
                struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    if (json_count_members(object, key) > 1)
        return config_refuse(place, value, "given once, but there is another one", err);
    *out = value;
    return 0;
}
