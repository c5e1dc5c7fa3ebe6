#include "kernel/nftables/attributes.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

static const struct nlattr *attribute_at(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);

    if (left > INT_MAX || !mnl_attr_ok((const struct nlattr *)at, (int)left))
        return NULL;
    return (const struct nlattr *)at;
}

/* The last one may lack its padding. */
static const char *after(const struct nlattr *attribute, const char *end)
{
    size_t step = MNL_ALIGN(mnl_attr_get_len(attribute));
    const char *at = (const char *)attribute;

    return step < (size_t)(end - at) ? at + step : end;
}

void attributes_read(const void *bytes, size_t length, struct attributes *out)
{
    const char *end = (const char *)bytes + length;
    const struct nlattr *attribute = attribute_at(bytes, end);

    *out = (struct attributes){0};
    while (attribute != NULL) {
        uint16_t type = mnl_attr_get_type(attribute);

        if (type < ATTRIBUTE_TYPES && out->at[type] == NULL)
            out->at[type] = attribute;
        attribute = attribute_at(after(attribute, end), end);
    }
}

void attributes_nested(const struct nlattr *nest, struct attributes *out)
{
    if (nest == NULL)
        *out = (struct attributes){0};
    else
        attributes_read(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), out);
}

const struct nlattr *attribute_next(const struct nlattr *nest, const struct nlattr *cursor)
{
    const char *start = NULL;
    const char *end = NULL;

    if (nest == NULL)
        return NULL;
    start = mnl_attr_get_payload(nest);
    end = start + mnl_attr_get_payload_len(nest);
    return attribute_at(cursor == NULL ? start : after(cursor, end), end);
}

bool attribute_u32(const struct attributes *attributes, unsigned type, uint32_t *out)
{
    const struct nlattr *attribute = attributes->at[type];
    uint32_t value = 0;

    if (attribute == NULL || mnl_attr_get_payload_len(attribute) != sizeof(value))
        return false;
    memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
    *out = be32toh(value);
    return true;
}

bool attribute_u64(const struct attributes *attributes, unsigned type, uint64_t *out)
{
    const struct nlattr *attribute = attributes->at[type];
    uint64_t value = 0;

    if (attribute == NULL || mnl_attr_get_payload_len(attribute) != sizeof(value))
        return false;
    memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
    *out = be64toh(value);
    return true;
}

const char *attribute_text(const struct attributes *attributes, unsigned type)
{
    const struct nlattr *attribute = attributes->at[type];
    const char *text = NULL;
    size_t length = 0;

    if (attribute == NULL)
        return NULL;
    text = mnl_attr_get_payload(attribute);
    length = mnl_attr_get_payload_len(attribute);
    return memchr(text, '\0', length) != NULL ? text : NULL;
}

bool attribute_is(const struct attributes *attributes, unsigned type, const char *text)
{
    const char *found = attribute_text(attributes, type);

    return found != NULL && strcmp(found, text) == 0;
}
