#include "guard/config.h"

#include "guard/array.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Enough for "exempt[2147483647].annotation". */
#define PLACE_SIZE 64

/* "config key <place> is <value>: it must be <wanted>", the value cut to leave room for the rest. */
static int refuse(const char *place, const cJSON *value, const char *wanted, struct error *err)
{
    cleanup(free_text) char *text = cJSON_PrintUnformatted(value);

    return error_set(err, ERROR_INVALID_CONFIG, "config key \"%s\" is %.120s: it must be %s", place,
                     text != NULL ? text : "?", wanted);
}

/* Reads a key whose value is one of the names; *out is its place in the list, or stays. */
static int choose(const cJSON *entry, const char *key, const char *const names[],
                  const char *wanted, int *out, struct error *err)
{
    const cJSON *value = NULL;

    if (json_find(entry, key, &value, err) < 0)
        return -1;
    if (value == NULL)
        return 0;
    for (int i = 0; names[i] != NULL && cJSON_IsString(value); i++) {
        if (strcmp(names[i], value->valuestring) == 0) {
            *out = i;
            return 0;
        }
    }
    return refuse(key, value, wanted, err);
}

/* The keys that choose; each list in the order of its enum. */
static int parse_choices(const cJSON *entry, struct config *config, struct error *err)
{
    int backend = BACKEND_AUTO, mode = MODE_ENFORCE, others = 0, deny = VERDICT_DROP;
    int fence = EXIT_FENCE_AUTO;

    if (choose(entry, "backend", (const char *[]){"auto", "nftables", "iptables", NULL},
               "\"auto\", \"nftables\" or \"iptables\"", &backend, err) < 0 ||
        choose(entry, "mode", (const char *[]){"enforce", "audit", NULL},
               "\"enforce\" or \"audit\"", &mode, err) < 0 ||
        choose(entry, "others", (const char *[]){"drop", "pass", NULL}, "\"drop\" or \"pass\"",
               &others, err) < 0 ||
        choose(entry, "deny", (const char *[]){"drop", "reject", NULL}, "\"drop\" or \"reject\"",
               &deny, err) < 0 ||
        choose(entry, "exitFence", (const char *[]){"auto", "require", "off", NULL},
               "\"auto\", \"require\" or \"off\"", &fence, err) < 0)
        return -1;
    config->backend = (enum backend_choice)backend;
    config->mode = (enum mode)mode;
    config->others_pass = others;
    config->deny = (enum verdict)deny;
    config->exit_fence = (enum exit_fence)fence;
    if (config->deny == VERDICT_REJECT && config->backend == BACKEND_IPTABLES)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "config key \"deny\" is \"reject\", which legacy iptables cannot do early "
                         "enough (it has REJECT in the table filter alone): set \"backend\" to "
                         "\"auto\" or \"nftables\", or \"deny\" to \"drop\"");
    return 0;
}

static int parse_lock_timeout(const cJSON *entry, struct config *config, struct error *err)
{
    const cJSON *value = NULL;

    config->lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT;
    if (json_find(entry, "lockTimeoutSeconds", &value, err) < 0)
        return -1;
    if (value == NULL)
        return 0;
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 1) ||
        value->valuedouble > CONFIG_LOCK_TIMEOUT_MAX ||
        value->valuedouble != (unsigned)value->valuedouble)
        return refuse("lockTimeoutSeconds", value, "a whole number of seconds from 1 to 300", err);
    config->lock_timeout_seconds = (unsigned)value->valuedouble;
    return 0;
}

const struct endpoint default_endpoints[DEFAULT_ENDPOINTS] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54}, 128},
};

static int parse_endpoints(const cJSON *entry, struct config *config, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *value = NULL;

    if (json_find(entry, "endpoints", &list, err) < 0)
        return -1;
    if (list == NULL) {
        config->endpoints = malloc(sizeof(default_endpoints));
        if (config->endpoints == NULL)
            return error_no_memory(err);
        memcpy(config->endpoints, default_endpoints, sizeof(default_endpoints));
        config->endpoint_count = DEFAULT_ENDPOINTS;
        return 0;
    }
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return refuse("endpoints", list, "a list of at least one address or CIDR", err);
    cJSON_ArrayForEach(value, list)
    {
        char place[PLACE_SIZE] = "";
        struct endpoint *added;

        snprintf(place, sizeof(place), "endpoints[%zu]", config->endpoint_count);
        added = array_add(&config->endpoints, &config->endpoint_count);
        if (added == NULL)
            return error_no_memory(err);
        if (!cJSON_IsString(value))
            return refuse(place, value, "an address or a CIDR", err);
        if (endpoint_parse(value->valuestring, added, err) < 0)
            return error_context(err, "config key \"%s\"", place);
    }
    config->endpoint_count = endpoints_normalise(config->endpoints, config->endpoint_count);
    return 0;
}

static int copy(const char *text, char **out, struct error *err)
{
    *out = strdup(text);
    return *out != NULL ? 0 : error_no_memory(err);
}

static bool is_glob(const cJSON *value)
{
    return cJSON_IsString(value) && strlen(value->valuestring) <= GLOB_LENGTH_MAX;
}

static int parse_annotations(const cJSON *entry, const char *parent, struct exemption *exemption,
                             struct error *err)
{
    char place[PLACE_SIZE] = "";
    const cJSON *annotations = NULL;
    const cJSON *member = NULL;
    const cJSON *only = NULL;

    snprintf(place, sizeof(place), "%.40s.annotation", parent);
    if (json_find(entry, "annotation", &annotations, err) < 0)
        return error_context(err, "config key \"%s\"", parent);
    if (annotations == NULL)
        return 0;
    /* An empty object would ask for nothing, where somebody has meant to ask for something. */
    if (!cJSON_IsObject(annotations) || annotations->child == NULL)
        return refuse(place, annotations, "an object of annotations and globs", err);
    cJSON_ArrayForEach(member, annotations)
    {
        struct annotation_match *added =
            array_add(&exemption->annotations, &exemption->annotation_count);

        if (added == NULL)
            return error_no_memory(err);
        if (member->string[0] == '\0')
            return refuse(place, annotations, "without an empty key", err);
        if (json_find(annotations, member->string, &only, err) < 0)
            return error_context(err, "config key \"%s\"", place);
        if (!is_glob(member))
            return refuse(place, annotations,
                          "an object whose values are globs of at most 253 bytes", err);
        if (copy(member->string, &added->key, err) < 0 ||
            copy(member->valuestring, &added->value, err) < 0)
            return -1;
    }
    return 0;
}

static int parse_name(const cJSON *entry, const char *parent, const char *key, bool required,
                      char **out, struct error *err)
{
    char place[PLACE_SIZE] = "";
    const cJSON *value = NULL;

    snprintf(place, sizeof(place), "%.40s.%s", parent, key);
    if (json_find(entry, key, &value, err) < 0)
        return error_context(err, "config key \"%s\"", parent);
    if (value == NULL && required)
        return refuse(parent, entry, "an object with a \"namespace\"", err);
    if (value == NULL)
        return 0;
    /* A glob that matches nothing but a name nobody has is a mistake. */
    if (!is_glob(value) || value->valuestring[0] == '\0')
        return refuse(place, value, "a glob of 1 to 253 bytes", err);
    return copy(value->valuestring, out, err);
}

static int parse_exemptions(const cJSON *entry, struct config *config, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *one = NULL;

    if (json_find(entry, "exempt", &list, err) < 0)
        return -1;
    if (list != NULL && !cJSON_IsArray(list))
        return refuse("exempt", list, "a list of objects with a \"namespace\" each", err);
    cJSON_ArrayForEach(one, list)
    {
        char place[PLACE_SIZE] = "";
        const cJSON *member = NULL;
        struct exemption *added;

        snprintf(place, sizeof(place), "exempt[%zu]", config->exempt_count);
        added = array_add(&config->exempt, &config->exempt_count);
        if (added == NULL)
            return error_no_memory(err);
        if (!cJSON_IsObject(one))
            return refuse(place, one, "an object with a \"namespace\"", err);
        cJSON_ArrayForEach(member, one)
        {
            if (strcmp(member->string, "namespace") != 0 && strcmp(member->string, "pod") != 0 &&
                strcmp(member->string, "annotation") != 0)
                return refuse(place, one,
                              "without keys other than \"namespace\", \"pod\" and \"annotation\"",
                              err);
        }
        if (parse_name(one, place, "namespace", true, &added->namespace, err) < 0 ||
            parse_name(one, place, "pod", false, &added->pod, err) < 0 ||
            parse_annotations(one, place, added, err) < 0)
            return -1;
    }
    return 0;
}

int config_check_keys(const cJSON *entry, struct error *err)
{
    static const char *const keys[] = {
        "type",   "capabilities", "mode",    "others",    "deny",
        "exempt", "endpoints",    "backend", "exitFence", "lockTimeoutSeconds"};
    const cJSON *member = NULL;
    const cJSON *only = NULL;

    cJSON_ArrayForEach(member, entry)
    {
        bool known = false;

        if (json_find(entry, member->string, &only, err) < 0)
            return -1;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            known = known || strcmp(member->string, keys[i]) == 0;
        if (!known)
            return error_set(err, ERROR_INVALID_CONFIG,
                             "\"%.80s\" is no config key: there are \"mode\", \"others\", "
                             "\"deny\", \"exempt\", \"endpoints\", \"backend\", "
                             "\"exitFence\", \"lockTimeoutSeconds\" and \"capabilities\"",
                             member->string);
    }
    return 0;
}

int config_parse(const cJSON *entry, struct config *out, struct error *err)
{
    cleanup(config) struct config parsed = {.backend = BACKEND_AUTO};

    if (entry != NULL && !cJSON_IsObject(entry))
        return refuse(CONFIG_PLUGIN_TYPE, entry, "an object", err);
    if (parse_choices(entry, &parsed, err) < 0 || parse_endpoints(entry, &parsed, err) < 0 ||
        parse_exemptions(entry, &parsed, err) < 0 || parse_lock_timeout(entry, &parsed, err) < 0)
        return -1;
    *out = steal(&parsed);
    return 0;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config->exempt_count; i++) {
        struct exemption *exemption = &config->exempt[i];

        for (size_t j = 0; j < exemption->annotation_count; j++) {
            free(exemption->annotations[j].key);
            free(exemption->annotations[j].value);
        }
        free(exemption->annotations);
        free(exemption->namespace);
        free(exemption->pod);
    }
    free(config->exempt);
    free(config->endpoints);
    *config = (struct config){.backend = BACKEND_AUTO};
}

enum verdict config_others(const struct config *config)
{
    return config->others_pass || config->mode == MODE_AUDIT ? VERDICT_PASS : config->deny;
}
