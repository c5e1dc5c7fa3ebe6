#include "kernel/netlink/attributes.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
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

static void read_all(const void *bytes, size_t length, struct attributes *out)
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

void attributes_read(const struct nlmsghdr *message, size_t fixed_size, struct attributes *out)
{
    size_t fixed = mnl_nlmsg_size(MNL_ALIGN(fixed_size));

    if (message->nlmsg_len > fixed)
        read_all((const char *)message + fixed, message->nlmsg_len - fixed, out);
    else
        *out = (struct attributes){0};
}

void attributes_nested(const struct nlattr *nest, struct attributes *out)
{
    if (nest == NULL)
        *out = (struct attributes){0};
    else
        read_all(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), out);
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

static bool copy(const struct attributes *attributes, unsigned type, void *out, size_t size)
{
    const struct nlattr *attribute = attributes->at[type];

    if (attribute == NULL || mnl_attr_get_payload_len(attribute) != size)
        return false;
    memcpy(out, mnl_attr_get_payload(attribute), size);
    return true;
}

bool attribute_u32(const struct attributes *attributes, unsigned type, uint32_t *out)
{
    return copy(attributes, type, out, sizeof(*out));
}

bool attribute_be32(const struct attributes *attributes, unsigned type, uint32_t *out)
{
    if (!attribute_u32(attributes, type, out))
        return false;
    *out = be32toh(*out);
    return true;
}

bool attribute_be64(const struct attributes *attributes, unsigned type, uint64_t *out)
{
    if (!copy(attributes, type, out, sizeof(*out)))
        return false;
    *out = be64toh(*out);
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

bool message_is_ack(const struct nlmsghdr *message, int *error, const char **text)
{
    bool done = message->nlmsg_type == NLMSG_DONE;
    size_t fixed = done ? sizeof(int) : sizeof(struct nlmsgerr);
    struct attributes attributes = {0};
    int said = 0;

    if ((!done && message->nlmsg_type != NLMSG_ERROR) || message->nlmsg_len < mnl_nlmsg_size(fixed))
        return false;
    memcpy(&said, mnl_nlmsg_get_payload(message), sizeof(said));
    if (!done && !(message->nlmsg_flags & NLM_F_CAPPED)) {
        /* The whole request stands between the error and the attributes. */
        const struct nlmsgerr *refused = mnl_nlmsg_get_payload(message);

        if (refused->msg.nlmsg_len > sizeof(refused->msg))
            fixed += MNL_ALIGN(refused->msg.nlmsg_len - sizeof(refused->msg));
    }
    if (message->nlmsg_flags & NLM_F_ACK_TLVS)
        attributes_read(message, fixed, &attributes);
    /* From INT_MIN, which has no negative, no errno can be made. */
    *error = said < 0 && said >= -4095 ? -said : said == 0 || done ? 0 : EPROTO;
    *text = attribute_text(&attributes, NLMSGERR_ATTR_MSG);
    return true;
}
