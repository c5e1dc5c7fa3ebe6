#include "kernel/links/reply.h"

#include "kernel/netlink_message.h"

#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* NULL if the bytes do not start with a whole message of this type with that much of a header. */
static const struct nlmsghdr *message_of_type(const void *bytes, size_t length, uint16_t type,
                                              size_t header_size)
{
    const struct nlmsghdr *message = bytes;

    if (length > INT_MAX || !message_is_whole(message, (int)length))
        return NULL;
    if (message->nlmsg_type != type || mnl_nlmsg_get_payload_len(message) < header_size)
        return NULL;
    return message;
}

/* Copies what fits; *whole says if that was all of it. */
static void copy_text(const struct nlattr *attr, char *out, size_t size, bool *whole)
{
    size_t length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

    *whole = length < size;
    if (!*whole)
        length = size - 1;
    memcpy(out, mnl_attr_get_payload(attr), length);
    out[length] = '\0';
}

/* 0 for what is no positive number: neither are indices. */
static int read_index(const struct nlattr *attr)
{
    if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
        return 0;
    uint32_t value = mnl_attr_get_u32(attr);
    return value <= INT_MAX ? (int)value : 0;
}

static bool read_number(const struct nlattr *attr, int *out)
{
    if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
        return false;
    *out = (int)mnl_attr_get_u32(attr);
    return true;
}

static void read_kind(const struct nlattr *link_info, char out[static LINK_KIND_SIZE])
{
    const struct nlattr *attr;
    bool whole;

    if (mnl_attr_validate(link_info, MNL_TYPE_NESTED) < 0)
        return;
    mnl_attr_for_each_nested(attr, link_info)
    {
        /* A kind that is cut is still no "veth", and that is all anybody asks. */
        if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
            copy_text(attr, out, LINK_KIND_SIZE, &whole);
    }
}

static void read_attribute(const struct nlattr *attr, struct link_reply *out, bool *name_whole)
{
    switch (mnl_attr_get_type(attr)) {
    case IFLA_IFNAME:
        copy_text(attr, out->link.name, sizeof(out->link.name), name_whole);
        break;
    case IFLA_LINK:
        out->link.peer_index = read_index(attr);
        break;
    case IFLA_MASTER:
        out->link.master_index = read_index(attr);
        break;
    case IFLA_LINKINFO:
        read_kind(attr, out->link.kind);
        break;
    case IFLA_LINK_NETNSID:
        out->peer_elsewhere = read_number(attr, &out->peer_nsid);
        break;
    default:
        break;
    }
}

bool link_reply_read(const void *bytes, size_t length, struct link_reply *out)
{
    const struct ifinfomsg *header;
    const struct nlmsghdr *message =
        message_of_type(bytes, length, RTM_NEWLINK, sizeof(struct ifinfomsg));
    struct link_reply reply = {.peer_nsid = NETNSA_NSID_NOT_ASSIGNED};
    const struct nlattr *attr;
    bool name_whole = false;

    if (message == NULL)
        return false;
    header = mnl_nlmsg_get_payload(message);
    reply.link.index = header->ifi_index;
    reply.hardware = header->ifi_type;
    reply.link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    message_for_each_attribute(attr, message, sizeof(*header))
        read_attribute(attr, &reply, &name_whole);

    if (reply.link.index <= 0 || !name_whole || reply.link.name[0] == '\0')
        return false;
    /* Older kernels (4.14 and 5.4 are on nodes) leave IFLA_LINK out where it equals the link's own
     * index, even if it counts in another namespace: the first pod of a node can have such a pair.
     */
    if (reply.peer_elsewhere && reply.link.peer_index == 0 && strcmp(reply.link.kind, "veth") == 0)
        reply.link.peer_index = reply.link.index;
    *out = reply;
    return true;
}

bool route_reply_read(const void *bytes, size_t length, int *outgoing)
{
    const struct rtmsg *header;
    const struct nlmsghdr *message =
        message_of_type(bytes, length, RTM_NEWROUTE, sizeof(struct rtmsg));
    const struct nlattr *attr;
    int index = 0;

    if (message == NULL)
        return false;
    header = mnl_nlmsg_get_payload(message);
    message_for_each_attribute(attr, message, sizeof(*header))
    {
        if (mnl_attr_get_type(attr) == RTA_OIF)
            index = read_index(attr);
    }
    *outgoing = header->rtm_type == RTN_UNICAST ? index : 0;
    return true;
}

bool nsid_reply_read(const void *bytes, size_t length, int *out)
{
    const struct nlmsghdr *message =
        message_of_type(bytes, length, RTM_NEWNSID, sizeof(struct rtgenmsg));
    const struct nlattr *attr;
    bool found = false;
    int nsid;

    if (message == NULL)
        return false;
    message_for_each_attribute(attr, message, sizeof(struct rtgenmsg))
    {
        if (mnl_attr_get_type(attr) == NETNSA_NSID)
            found = read_number(attr, &nsid);
    }
    if (found)
        *out = nsid;
    return found;
}

bool error_reply_read(const void *bytes, size_t length, int *out)
{
    const struct nlmsghdr *message = message_of_type(bytes, length, NLMSG_ERROR, sizeof(int));
    int error;

    if (message == NULL)
        message = message_of_type(bytes, length, NLMSG_DONE, sizeof(int));
    if (message == NULL)
        return false;
    memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
    if (error > 0 || error == INT_MIN)
        return false;
    *out = -error;
    return true;
}
