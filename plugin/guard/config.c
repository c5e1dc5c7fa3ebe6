#include "guard/config.h"

#include "guard/config_key.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct choice {
    const char *name;
    int value;
};

static int parse_choice(const cJSON *entry, const char *key, const struct choice *choices,
                        const char *wanted, int *out, struct error *err)
{
    const cJSON *value = NULL;

    if (config_find(entry, key, key, &value, err) < 0)
        return -1;
    if (value == NULL)
        return 0;
    for (; choices->name != NULL && cJSON_IsString(value); choices++) {
        if (strcmp(choices->name, value->valuestring) == 0) {
            *out = choices->value;
            return 0;
        }
    }
    return config_refuse(key, value, wanted, err);
}

static int parse_backend(const cJSON *entry, struct config *config, struct error *err)
{
    static const struct choice choices[] = {{"auto", BACKEND_AUTO},
                                            {"nftables", BACKEND_NFTABLES},
                                            {"iptables", BACKEND_IPTABLES},
                                            {NULL, 0}};
    int backend = BACKEND_AUTO;

    if (parse_choice(entry, "backend", choices, "\"auto\", \"nftables\" or \"iptables\"", &backend,
                     err) < 0)
        return -1;
    config->backend = (enum backend_choice)backend;
    return 0;
}

static int parse_mode(const cJSON *entry, struct config *config, struct error *err)
{
    static const struct choice choices[] = {
        {"enforce", MODE_ENFORCE}, {"audit", MODE_AUDIT}, {NULL, 0}};
    int mode = MODE_ENFORCE;

    if (parse_choice(entry, "mode", choices, "\"enforce\" or \"audit\"", &mode, err) < 0)
        return -1;
    config->mode = (enum mode)mode;
    return 0;
}

static int parse_others(const cJSON *entry, struct config *config, struct error *err)
{
    static const struct choice choices[] = {{"drop", false}, {"pass", true}, {NULL, 0}};
    int pass = false;

    if (parse_choice(entry, "others", choices, "\"drop\" or \"pass\"", &pass, err) < 0)
        return -1;
    config->others_pass = pass;
    return 0;
}

static int parse_deny(const cJSON *entry, struct config *config, struct error *err)
{
    static const struct choice choices[] = {
        {"drop", VERDICT_DROP}, {"reject", VERDICT_REJECT}, {NULL, 0}};
    int deny = VERDICT_DROP;

    if (parse_choice(entry, "deny", choices, "\"drop\" or \"reject\"", &deny, err) < 0)
        return -1;
    config->deny = (enum verdict)deny;
    if (config->deny == VERDICT_REJECT && config->backend == BACKEND_IPTABLES)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "config key \"deny\" is \"reject\", which legacy iptables cannot do early "
                         "enough (it has REJECT in the table filter alone): set \"backend\" to "
                         "\"auto\" or \"nftables\", or \"deny\" to \"drop\"");
    return 0;
}

static int parse_exit_fence(const cJSON *entry, struct config *config, struct error *err)
{
    static const struct choice choices[] = {{"auto", EXIT_FENCE_AUTO},
                                            {"require", EXIT_FENCE_REQUIRE},
                                            {"off", EXIT_FENCE_OFF},
                                            {NULL, 0}};
    int fence = EXIT_FENCE_AUTO;

    if (parse_choice(entry, "exitFence", choices, "\"auto\", \"require\" or \"off\"", &fence, err) <
        0)
        return -1;
    config->exit_fence = (enum exit_fence)fence;
    return 0;
}

static int parse_lock_timeout(const cJSON *entry, struct config *config, struct error *err)
{
    const cJSON *value = NULL;

    config->lock_timeout_seconds = CONFIG_LOCK_TIMEOUT_DEFAULT;
    if (config_find(entry, "lockTimeoutSeconds", "lockTimeoutSeconds", &value, err) < 0)
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

static int allocate_endpoints(struct config *config, size_t count, struct error *err)
{
    config->endpoints = calloc(count, sizeof(*config->endpoints));
    return config->endpoints != NULL ? 0 : error_no_memory(err);
}

/* The instance metadata service's addresses: Amazon EC2 User Guide, "Access instance metadata". */
static int default_endpoints(struct config *config, struct error *err)
{
    static const struct endpoint defaults[] = {
        {FAMILY_IPV4, {169, 254, 169, 254}, 32},
        {FAMILY_IPV6, {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54}, 128},
    };

    if (allocate_endpoints(config, sizeof(defaults) / sizeof(defaults[0]), err) < 0)
        return -1;
    memcpy(config->endpoints, defaults, sizeof(defaults));
    config->endpoint_count = sizeof(defaults) / sizeof(defaults[0]);
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

    if (config_find(entry, "endpoints", "endpoints", &list, err) < 0)
        return -1;
    if (list == NULL)
        return default_endpoints(config, err);
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return config_refuse("endpoints", list, "a list of at least one address or CIDR", err);
    if (allocate_endpoints(config, (size_t)cJSON_GetArraySize(list), err) < 0)
        return -1;
    cJSON_ArrayForEach(value, list)
    {
        if (parse_endpoint(value, config->endpoint_count,
                           &config->endpoints[config->endpoint_count], err) < 0)
            return -1;
        config->endpoint_count++;
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

    cJSON_ArrayForEach(member, entry)
    {
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
    if (parse_backend(entry, &parsed, err) < 0 || parse_mode(entry, &parsed, err) < 0 ||
        parse_others(entry, &parsed, err) < 0 || parse_deny(entry, &parsed, err) < 0 ||
        parse_exit_fence(entry, &parsed, err) < 0 || parse_endpoints(entry, &parsed, err) < 0 ||
        exemptions_parse(entry, &parsed.exempt, &parsed.exempt_count, err) < 0 ||
        parse_lock_timeout(entry, &parsed, err) < 0)
        return -1;
    *out = parsed;
    parsed = (struct config){.backend = BACKEND_AUTO};
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
