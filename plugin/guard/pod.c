#include "guard/pod.h"

#include "guard/glob.h"
#include "guard/json.h"

#include <string.h>

/* What the runtime did not say matches nothing. */
static bool matches(const char *glob, const char *text)
{
    return text != NULL && glob_matches(glob, text);
}

static bool annotation_matches(const struct annotation_match *match, const cJSON *annotations)
{
    const cJSON *value = NULL;
    struct error ignored;

    /* Given twice it has two values: none of them lets a pod through. */
    return json_find(annotations, match->key, &value, &ignored) == 0 && cJSON_IsString(value) &&
           matches(match->value, value->valuestring);
}

static bool exemption_matches(const struct exemption *exemption, const struct pod *pod)
{
    if (!matches(exemption->namespace, pod->namespace))
        return false;
    if (exemption->pod != NULL && !matches(exemption->pod, pod->name))
        return false;
    for (size_t i = 0; i < exemption->annotation_count; i++) {
        if (!annotation_matches(&exemption->annotations[i], pod->annotations))
            return false;
    }
    return true;
}

bool pod_is_exempt(const struct pod *pod, const struct config *config)
{
    if (pod->namespace == NULL || pod->namespace[0] == '\0')
        return false;
    for (size_t i = 0; i < config->exempt_count; i++) {
        if (exemption_matches(&config->exempt[i], pod))
            return true;
    }
    return false;
}

static bool is_asked_for(const char *key, const struct config *config)
{
    for (size_t i = 0; i < config->exempt_count; i++)
        for (size_t j = 0; j < config->exempt[i].annotation_count; j++)
            if (strcmp(config->exempt[i].annotations[j].key, key) == 0)
                return true;
    return false;
}

void pod_trim_annotations(cJSON *annotations, const struct config *config)
{
    cJSON *next;

    for (cJSON *one = annotations->child; one; one = next) {
        next = one->next;
        if (!is_asked_for(one->string, config))
            cJSON_Delete(cJSON_DetachItemViaPointer(annotations, one));
    }
}
