#include "guard/result.h"

#include "guard/json.h"

#include <arpa/inet.h>
#include <string.h>

static const char *type_name(const cJSON *value)
{
    if (cJSON_IsObject(value))
        return "an object";
    if (cJSON_IsArray(value))
        return "an array";
    if (cJSON_IsString(value))
        return "a string";
    if (cJSON_IsNumber(value))
        return "a number";
    if (cJSON_IsBool(value))
        return "a boolean";
    return "null";
}

/* Reads a string member of entry `index`; leaves `out` as it is if there is none, or null. */
static int parse_string(const cJSON *entry, size_t index, const char *key, const char **out,
                        struct error *err)
{
    const cJSON *value = NULL;

    if (json_find(entry, key, &value, err) < 0)
        return error_context(err, "prevResult.interfaces[%zu]", index);
    if (value == NULL || cJSON_IsNull(value))
        return 0;
    if (!cJSON_IsString(value))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "prevResult.interfaces[%zu].%s is %s, not a string", index, key,
                         type_name(value));
    *out = value->valuestring;
    return 0;
}

static int parse_interfaces(const cJSON *list, struct result *parsed, struct error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(list);
    const cJSON *entry = NULL;

    if (count > RESULT_INTERFACES_MAX)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "prevResult.interfaces has %zu entries, more than %d", count,
                         RESULT_INTERFACES_MAX);
    parsed->interfaces = calloc(count + 1, sizeof(*parsed->interfaces));
    if (parsed->interfaces == NULL)
        return error_no_memory(err);
    cJSON_ArrayForEach(entry, list)
    {
        struct result_interface *interface = &parsed->interfaces[parsed->interface_count];

        *interface = (struct result_interface){.name = "", .sandbox = ""};
        if (!cJSON_IsObject(entry))
            return error_set(err, ERROR_INVALID_CONFIG,
                             "prevResult.interfaces[%zu] is %s, not an object",
                             parsed->interface_count, type_name(entry));
        if (parse_string(entry, parsed->interface_count, "name", &interface->name, err) < 0 ||
            parse_string(entry, parsed->interface_count, "sandbox", &interface->sandbox, err) < 0)
            return -1;
        if (interface->name[0] == '\0')
            return error_set(err, ERROR_INVALID_CONFIG,
                             "prevResult.interfaces[%zu].name is missing or empty",
                             parsed->interface_count);
        parsed->interface_count++;
    }
    return 0;
}

/* "10.0.0.5/24" */
static bool parse_address(const cJSON *entry, struct address *out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, "address");
    struct address parsed = {.family = FAMILY_IPV4};
    char text[INET6_ADDRSTRLEN];
    size_t length;

    if (!cJSON_IsString(value))
        return false;
    length = strcspn(value->valuestring, "/");
    if (length >= sizeof(text))
        return false;
    memcpy(text, value->valuestring, length);
    text[length] = '\0';
    if (strchr(text, ':') != NULL)
        parsed.family = FAMILY_IPV6;
    if (inet_pton(parsed.family == FAMILY_IPV4 ? AF_INET : AF_INET6, text, parsed.bytes) != 1)
        return false;
    *out = parsed;
    return true;
}

static int parse_addresses(const cJSON *list, struct result *out, struct error *err)
{
    const cJSON *entry = NULL;

    out->addresses = calloc(RESULT_ADDRESSES_MAX, sizeof(*out->addresses));
    if (out->addresses == NULL)
        return error_no_memory(err);
    cJSON_ArrayForEach(entry, list)
    {
        if (out->address_count < RESULT_ADDRESSES_MAX &&
            parse_address(entry, &out->addresses[out->address_count]))
            out->address_count++;
    }
    return 0;
}

int result_parse(const cJSON *tree, struct result *out, struct error *err)
{
    cleanup(result) struct result parsed = {.interfaces = NULL};
    const cJSON *list = NULL;

    if (!cJSON_IsObject(tree))
        return error_set(err, ERROR_INVALID_CONFIG, "prevResult is %s, not an object",
                         type_name(tree));
    if (json_find(tree, "interfaces", &list, err) < 0)
        return error_context(err, "prevResult");
    if (list != NULL && !cJSON_IsArray(list) && !cJSON_IsNull(list))
        return error_set(err, ERROR_INVALID_CONFIG, "prevResult.interfaces is %s, not an array",
                         type_name(list));
    if (parse_interfaces(list, &parsed, err) < 0 ||
        parse_addresses(cJSON_GetObjectItemCaseSensitive(tree, "ips"), &parsed, err) < 0)
        return -1;
    *out = steal(&parsed);
    return 0;
}

void result_free(struct result *result)
{
    free(result->interfaces);
    free(result->addresses);
    *result = (struct result){.interfaces = NULL};
}

enum role interface_role(const struct result_interface *interface)
{
    if (interface->sandbox[0] == '/')
        return ROLE_CONTAINER;
    if (!name_is_interface(interface->name))
        return ROLE_DUMMY;
    return interface->sandbox[0] == '\0' ? ROLE_HOST : ROLE_FOREIGN;
}
