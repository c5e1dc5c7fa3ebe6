#include "kernel/links/reply.h"

#include "kernel/netlink/attributes.h"

#include <limits.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* What the message has behind its fixed part, and that, of the size `size`; NULL if it is of another type,
 * or too short. */
static const void *read_message(const struct nlmsghdr *message, uint16_t type, size_t size,
                                struct attributes *out)
{
    if (message->nlmsg_type != type || message->nlmsg_len < mnl_nlmsg_size(size))
        return NULL;
    attributes_read(message, size, out);
    return mnl_nlmsg_get_payload(message);
}

/* Copies what fits. False if that was not all of it, or if there is none. */
static bool copy_text(const struct nlattr *attribute, char *out, size_t size)
{
    size_t length = 0;

    if (attribute == NULL)
        return false;
    length = strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
    memcpy(out, mnl_attr_get_payload(attribute), length < size ? length : size - 1);
    return length < size;
}

/* 0 for what is no positive number: neither are indices. */
static int read_index(const struct attributes *attributes, unsigned type)
{
    uint32_t value = 0;

    attribute_u32(attributes, type, &value);
    return value <= INT_MAX ? (int)value : 0;
}

static bool read_number(const struct attributes *attributes, unsigned type, int *out)
{
    uint32_t value = 0;
    bool found = attribute_u32(attributes, type, &value);

    if (found)
        *out = (int)value;
    return found;
}

bool link_reply_read(const struct nlmsghdr *message, struct link_reply *out)
{
    struct link_reply reply = {.peer_nsid = NETNSA_NSID_NOT_ASSIGNED,
                               .asked_nsid = NETNSA_NSID_NOT_ASSIGNED};
    struct attributes attributes;
    struct attributes about;
    const struct ifinfomsg *header =
        read_message(message, RTM_NEWLINK, sizeof(*header), &attributes);

    if (header == NULL || header->ifi_index <= 0 ||
        !copy_text(attributes.at[IFLA_IFNAME], reply.link.name, sizeof(reply.link.name)) ||
        reply.link.name[0] == '\0')
        return false;
    reply.link.index = header->ifi_index;
    reply.hardware = header->ifi_type;
    reply.link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    reply.link.peer_index = read_index(&attributes, IFLA_LINK);
    reply.link.master_index = read_index(&attributes, IFLA_MASTER);
    reply.peer_elsewhere = read_number(&attributes, IFLA_LINK_NETNSID, &reply.peer_nsid);
    (void)!read_number(&attributes, IFLA_TARGET_NETNSID, &reply.asked_nsid);
    /* A kind that is cut is still no "veth", and that is all anybody asks. */
    attributes_nested(attributes.at[IFLA_LINKINFO], &about);
    (void)!copy_text(about.at[IFLA_INFO_KIND], reply.link.kind, sizeof(reply.link.kind));
    /* Older kernels (4.14 and 5.4 are on nodes) leave IFLA_LINK out where it equals the link's own
     * index, even if it counts in another namespace: the first pod of a node can have such a pair.
     */
    if (reply.peer_elsewhere && reply.link.peer_index == 0 && strcmp(reply.link.kind, "veth") == 0)
        reply.link.peer_index = reply.link.index;
    *out = reply;
    return true;
}

bool route_reply_read(const struct nlmsghdr *message, int *outgoing)
{
    struct attributes attributes;
    const struct rtmsg *header = read_message(message, RTM_NEWROUTE, sizeof(*header), &attributes);

    if (header == NULL)
        return false;
    *outgoing = header->rtm_type == RTN_UNICAST ? read_index(&attributes, RTA_OIF) : 0;
    return true;
}

bool nsid_reply_read(const struct nlmsghdr *message, int *out)
{
    struct attributes attributes;

    return read_message(message, RTM_NEWNSID, sizeof(struct rtgenmsg), &attributes) != NULL &&
           read_number(&attributes, NETNSA_NSID, out);
}
