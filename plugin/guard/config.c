#include "guard/config.h"

#include "guard/array.h"
#include "guard/config_key.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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
    return config_refuse(key, value, wanted, err);
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
        return config_refuse("lockTimeoutSeconds", value, "a whole number of seconds from 1 to 300",
                             err);
    config->lock_timeout_seconds = (unsigned)value->valuedouble;
    return 0;
}

const struct endpoint default_endpoints[DEFAULT_ENDPOINTS] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54}, 128},
};

static int take_default_endpoints(struct config *config, struct error *err)
{
    config->endpoints = malloc(sizeof(default_endpoints));
    if (config->endpoints == NULL)
        return error_no_memory(err);
    memcpy(config->endpoints, default_endpoints, sizeof(default_endpoints));
    config->endpoint_count = DEFAULT_ENDPOINTS;
    return 0;
}

static int parse_endpoint(const cJSON *value, size_t index, struct endpoint *out, struct error *err)
{
    char place[CONFIG_PLACE_SIZE] = "";

    snprintf(place, sizeof(place), "endpoints[%zu]", index);
    if (!cJSON_IsString(value))
        return config_refuse(place, value, "an address or a CIDR", err);
    if (endpoint_parse(value->valuestring, out, err) < 0)
        return error_context(err, "config key \"%s\"", place);
    return 0;
}

static int parse_endpoints(const cJSON *entry, struct config *config, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *value = NULL;

    if (json_find(entry, "endpoints", &list, err) < 0)
        return -1;
    if (list == NULL)
        return take_default_endpoints(config, err);
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return config_refuse("endpoints", list, "a list of at least one address or CIDR", err);
    cJSON_ArrayForEach(value, list)
    {
        const size_t index = config->endpoint_count;
        struct endpoint *added = array_add(&config->endpoints, &config->endpoint_count);

        if (added == NULL)
            return error_no_memory(err);
        if (parse_endpoint(value, index, added, err) < 0)
            return -1;
    }
    config->endpoint_count = endpoints_normalise(config->endpoints, config->endpoint_count);
    return 0;
}

static bool is_key(const char *name)
{
    static const char *const keys[] = {
        "type",   "capabilities", "mode",    "others",    "deny",
        "exempt", "endpoints",    "backend", "exitFence", "lockTimeoutSeconds"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(name, keys[i]) == 0)
            return true;
    return false;
}

int config_check_keys(const cJSON *entry, struct error *err)
{
    const cJSON *member = NULL;
    const cJSON *only = NULL;

    cJSON_ArrayForEach(member, entry)
    {
        if (json_find(entry, member->string, &only, err) < 0)
            return -1;
        if (!is_key(member->string))
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
        return config_refuse(CONFIG_PLUGIN_TYPE, entry, "an object", err);
    if (parse_choices(entry, &parsed, err) < 0 || parse_endpoints(entry, &parsed, err) < 0 ||
        exemptions_parse(entry, &parsed.exempt, &parsed.exempt_count, err) < 0 ||
        parse_lock_timeout(entry, &parsed, err) < 0)
        return -1;
    *out = steal(&parsed);
    return 0;
}

void config_free(struct config *config)
{
    exemptions_free(config->exempt, config->exempt_count);
    free(config->endpoints);
    *config = (struct config){.backend = BACKEND_AUTO};
}

enum verdict config_others(const struct config *config)
{
    return config->others_pass || config->mode == MODE_AUDIT ? VERDICT_PASS : config->deny;
}
