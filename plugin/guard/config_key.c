#include "guard/config_key.h"

#include "guard/cleanup.h"

int config_refuse(const char *place, const cJSON *value, const char *wanted, struct error *err)
{
    cleanup(free_text) char *text = cJSON_PrintUnformatted(value);

    return error_set(err, ERROR_INVALID_CONFIG, "config key \"%s\" is %.120s: it must be %s", place,
                     text != NULL ? text : "?", wanted);
}
