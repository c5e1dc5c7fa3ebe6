#include "kernel/links/reply.h"
#include "kernel/netlink/attributes.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

union message {
    struct nlmsghdr header;
    char bytes[4096];
};

/* As whoever receives does it: what is no whole message is not read. */
#define READ(function, bytes, length, out)                                                         \
    (message_is_whole((const void *)(bytes), (int)(length)) &&                                     \
     (function)((const void *)(bytes), out))

static void start(union message *message, uint16_t type, size_t header_size)
{
    memset(message, 0, sizeof(*message));
    mnl_nlmsg_put_header(message);
    message->header.nlmsg_type = type;
    mnl_nlmsg_put_extra_header(&message->header, header_size);
}

static void start_link(union message *message, int index, unsigned flags)
{
    struct ifinfomsg *header;

    start(message, RTM_NEWLINK, sizeof(*header));
    header = mnl_nlmsg_get_payload(&message->header);
    header->ifi_index = index;
    header->ifi_flags = flags;
}

static void put_kind(union message *message, const char *kind)
{
    struct nlattr *nest = mnl_attr_nest_start(&message->header, IFLA_LINKINFO);

    mnl_attr_put_strz(&message->header, IFLA_INFO_KIND, kind);
    mnl_attr_nest_end(&message->header, nest);
}

static bool read_link(const union message *message, struct link_reply *out)
{
    return READ(link_reply_read, message, message->header.nlmsg_len, out);
}

static void reads_a_veth(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eni0123456789a");
    mnl_attr_put_u32(&message.header, IFLA_LINK, 3);
    mnl_attr_put_u32(&message.header, IFLA_MASTER, 5);
    put_kind(&message, "veth");
    mnl_attr_put_u32(&message.header, IFLA_LINK_NETNSID, 12);
    assert_true(read_link(&message, &reply));
    assert_string_equal(reply.link.name, "eni0123456789a");
    assert_int_equal(reply.link.index, 7);
    assert_int_equal(reply.link.peer_index, 3);
    assert_int_equal(reply.link.master_index, 5);
    assert_string_equal(reply.link.kind, "veth");
    assert_false(reply.link.loopback);
    assert_true(reply.peer_elsewhere);
    assert_int_equal(reply.peer_nsid, 12);
}

static void reads_loopback(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 1, IFF_LOOPBACK);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "lo");
    assert_true(read_link(&message, &reply));
    assert_true(reply.link.loopback);
    assert_int_equal(reply.link.peer_index, 0);
    assert_int_equal(reply.link.master_index, 0);
    assert_string_equal(reply.link.kind, "");
    assert_false(reply.peer_elsewhere);
    assert_int_equal(reply.peer_nsid, NETNSA_NSID_NOT_ASSIGNED);
}

/* Older kernels do not send IFLA_LINK where it equals the link's own index. */
static void completes_a_peer_with_the_same_index(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 3, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    put_kind(&message, "veth");
    mnl_attr_put_u32(&message.header, IFLA_LINK_NETNSID, 0);
    assert_true(read_link(&message, &reply));
    assert_int_equal(reply.link.peer_index, 3);
}

static void invents_no_peer(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 3, IFF_UP); /* a veth whose peer is gone to nowhere we know */
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    put_kind(&message, "veth");
    assert_true(read_link(&message, &reply));
    assert_int_equal(reply.link.peer_index, 0);

    start_link(&message, 4, IFF_UP); /* no veth */
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "tunnel");
    put_kind(&message, "ipip");
    mnl_attr_put_u32(&message.header, IFLA_LINK_NETNSID, 0);
    assert_true(read_link(&message, &reply));
    assert_int_equal(reply.link.peer_index, 0);
}

static void keeps_a_namespace_without_number(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 3, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    mnl_attr_put_u32(&message.header, IFLA_LINK_NETNSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
    assert_true(read_link(&message, &reply));
    assert_true(reply.peer_elsewhere);
    assert_int_equal(reply.peer_nsid, NETNSA_NSID_NOT_ASSIGNED);
}

static void refuses_links_without_name_or_index(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 7, IFF_UP);
    assert_false(read_link(&message, &reply));
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "");
    assert_false(read_link(&message, &reply));

    start_link(&message, 0, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    assert_false(read_link(&message, &reply));
    start_link(&message, -4, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    assert_false(read_link(&message, &reply));
}

static void bounds_name_and_kind(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "sixteen-letters!");
    assert_false(read_link(&message, &reply));

    start_link(&message, 7, IFF_UP); /* no NUL at the end of either */
    mnl_attr_put_str(&message.header, IFLA_IFNAME, "eth0");
    put_kind(&message, "a-kind-that-is-longer-than-others");
    mnl_attr_put_str(&message.header, IFLA_ALT_IFNAME, "behind");
    assert_true(read_link(&message, &reply));
    assert_string_equal(reply.link.name, "eth0");
    assert_int_equal(strlen(reply.link.kind), LINK_KIND_SIZE - 1);
}

static void ignores_attributes_of_the_wrong_size(void **state)
{
    union message message;
    struct link_reply reply;

    (void)state;
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    mnl_attr_put_u8(&message.header, IFLA_LINK, 3);
    mnl_attr_put_u64(&message.header, IFLA_MASTER, 3);
    mnl_attr_put_u16(&message.header, IFLA_LINK_NETNSID, 3);
    mnl_attr_put_u16(&message.header, IFLA_LINKINFO, 3);
    assert_true(read_link(&message, &reply));
    assert_int_equal(reply.link.peer_index, 0);
    assert_int_equal(reply.link.master_index, 0);
    assert_false(reply.peer_elsewhere);
    assert_string_equal(reply.link.kind, "");
}

/* Every length short of the whole message is refused, with the out parameter as it was. */
static void refuses_what_is_cut(void **state)
{
    union message message;
    struct link_reply reply;
    struct link_reply before;

    (void)state;
    memset(&before, 0x5a, sizeof(before));
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    for (size_t length = 0; length < message.header.nlmsg_len; length++) {
        /* Exactly as long as that, so that a sanitizer sees a read behind its end. */
        void *cut = test_malloc(length + 1);

        memcpy(cut, &message, length);
        reply = before;
        assert_false(READ(link_reply_read, cut, length, &reply));
        assert_memory_equal(&reply, &before, sizeof(reply));
        test_free(cut);
    }
}

/* A header that claims to be shorter than what the type needs; an attribute that claims to be
 * longer than the message. */
static void refuses_lengths_that_lie(void **state)
{
    union message message;
    struct link_reply reply;
    struct nlattr *attr;
    int number;

    (void)state;
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    attr = mnl_nlmsg_get_payload_offset(&message.header, sizeof(struct ifinfomsg));
    attr->nla_len = UINT16_MAX;
    assert_false(read_link(&message, &reply));
    attr->nla_len = 1;
    assert_false(read_link(&message, &reply));
    message.header.nlmsg_len = sizeof(struct nlmsghdr) + 4;
    assert_false(READ(link_reply_read, &message, sizeof(message), &reply));
    message.header.nlmsg_len = 3;
    assert_false(READ(link_reply_read, &message, sizeof(message), &reply));
    message.header.nlmsg_len = UINT32_MAX;
    assert_false(READ(link_reply_read, &message, sizeof(message), &reply));
    assert_false(READ(nsid_reply_read, &message, sizeof(message), &number));
}

static void refuses_lengths_beyond_int(void **state)
{
    struct nlmsghdr *copy = malloc(sizeof(*copy)); /* of that size, for the address sanitizer */
    struct link_reply reply;
    int number;

    (void)state;
    *copy = (struct nlmsghdr){.nlmsg_len = 0x81000030, .nlmsg_type = RTM_NEWLINK};
    assert_false(READ(link_reply_read, copy, sizeof(*copy), &reply));
    copy->nlmsg_type = RTM_NEWNSID;
    assert_false(READ(nsid_reply_read, copy, sizeof(*copy), &number));
    copy->nlmsg_type = NLMSG_ERROR;
    assert_false(message_is_whole(copy, sizeof(*copy)));
    free(copy);
}

static void reads_no_padding_that_is_not_there(void **state)
{
    union message message;
    struct link_reply reply;
    char *copy = NULL;

    (void)state;
    start_link(&message, 7, 0);
    mnl_attr_put(&message.header, IFLA_IFNAME, 12, "abcdefghijkl");
    message.header.nlmsg_len -= 3;
    copy = malloc(message.header.nlmsg_len); /* of that size, for the address sanitizer */
    memcpy(copy, &message, message.header.nlmsg_len);
    assert_false(READ(link_reply_read, copy, message.header.nlmsg_len, &reply));
    free(copy);
}

static void tells_messages_apart(void **state)
{
    union message message;
    struct link_reply reply;
    const char *text;
    int number;

    (void)state;
    start_link(&message, 7, IFF_UP);
    mnl_attr_put_strz(&message.header, IFLA_IFNAME, "eth0");
    assert_false(READ(nsid_reply_read, &message, sizeof(message), &number));
    assert_false(message_is_ack(&message.header, &number, &text));
    message.header.nlmsg_type = RTM_DELLINK;
    assert_false(read_link(&message, &reply));
}

static void reads_a_namespace_number(void **state)
{
    union message message;
    int nsid = 1234;

    (void)state;
    start(&message, RTM_NEWNSID, sizeof(struct rtgenmsg));
    assert_false(READ(nsid_reply_read, &message, message.header.nlmsg_len, &nsid));
    assert_int_equal(nsid, 1234);
    mnl_attr_put_u32(&message.header, NETNSA_NSID, 5);
    assert_true(READ(nsid_reply_read, &message, message.header.nlmsg_len, &nsid));
    assert_int_equal(nsid, 5);
    start(&message, RTM_NEWNSID, sizeof(struct rtgenmsg));
    mnl_attr_put_u32(&message.header, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
    assert_true(READ(nsid_reply_read, &message, message.header.nlmsg_len, &nsid));
    assert_int_equal(nsid, NETNSA_NSID_NOT_ASSIGNED);
}

static bool read_error(uint16_t type, int value, int *out)
{
    union message message;
    const char *text;

    start(&message, type, sizeof(struct nlmsgerr));
    memcpy(mnl_nlmsg_get_payload(&message.header), &value, sizeof(value));
    return message_is_ack(&message.header, out, &text);
}

static void reads_errors(void **state)
{
    int error = 1234;

    (void)state;
    assert_true(read_error(NLMSG_ERROR, -ENODEV, &error));
    assert_int_equal(error, ENODEV);
    assert_true(read_error(NLMSG_ERROR, 0, &error));
    assert_int_equal(error, 0);
    assert_true(read_error(NLMSG_DONE, -EPERM, &error));
    assert_int_equal(error, EPERM);
    assert_false(read_error(NLMSG_NOOP, -EPERM, &error));
    assert_int_equal(error, EPERM);
    /* What is no errno is no success either. */
    assert_true(read_error(NLMSG_ERROR, 7, &error));
    assert_int_equal(error, EPROTO);
    assert_true(read_error(NLMSG_ERROR, INT32_MIN, &error));
    assert_int_equal(error, EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_veth),
        cmocka_unit_test(reads_loopback),
        cmocka_unit_test(completes_a_peer_with_the_same_index),
        cmocka_unit_test(invents_no_peer),
        cmocka_unit_test(keeps_a_namespace_without_number),
        cmocka_unit_test(refuses_links_without_name_or_index),
        cmocka_unit_test(bounds_name_and_kind),
        cmocka_unit_test(ignores_attributes_of_the_wrong_size),
        cmocka_unit_test(refuses_what_is_cut),
        cmocka_unit_test(refuses_lengths_that_lie),
        cmocka_unit_test(refuses_lengths_beyond_int),
        cmocka_unit_test(reads_no_padding_that_is_not_there),
        cmocka_unit_test(tells_messages_apart),
        cmocka_unit_test(reads_a_namespace_number),
        cmocka_unit_test(reads_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
