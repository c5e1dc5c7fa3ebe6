/*
 * Answers of nf_tables as bytes: guards come out as they went in, and no length is believed.
 */
#include "kernel/nftables/elements.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/rule.h"
#include "kernel/nftables/skeleton.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 2};
static const struct others others = {.verdict = VERDICT_REJECT, .packets = 1, .bytes = 60};

static struct held some_guard(const char *interface, const char *tag)
{
    struct held held = {.guard.verdict = VERDICT_DROP,
                        .families = FAMILY_IPV4 | FAMILY_IPV6,
                        .packets = 3,
                        .bytes = UINT64_C(0x123456789a)};

    strncpy(held.guard.interface, interface, sizeof(held.guard.interface) - 1);
    strncpy(held.tag, tag, sizeof(held.tag) - 1);
    return held;
}

static void guards_survive_the_way(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(listing) struct listing listing = {0};
    cleanup(listing) struct listing going = {0};
    struct error err = {0};
    struct held guards[3] = {
        some_guard("eni1a2b", "aws-cni/4f3c/eth0 2 default/web-0"),
        some_guard("abcdefghijklmno", ""),
        some_guard("vlan.eth.7", ""),
    };
    const struct held *pointers[] = {&guards[0], &guards[1], &guards[2]};

    (void)state;
    memset(guards[2].tag, 't', TAG_SIZE - 1); /* the longest there is */
    guards[1].guard.verdict = VERDICT_PASS;
    guards[1].packets = guards[1].bytes = 0;
    guards[2].guard.verdict = VERDICT_REJECT;
    elements_add(&messages, pointers, 3);
    assert_int_equal(messages.count, 2);
    netlink_messages_each(message, &messages)
    {
        assert_int_equal(elements_take(message, &listing, &going, &err), 0);
    }
    assert_int_equal(listing.held_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(&listing.held[i], &guards[i], sizeof(guards[i]));
}

static void many_guards_fill_several_messages(void **state)
{
    enum { COUNT = 1000 };
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(listing) struct listing listing = {0};
    cleanup(listing) struct listing going = {0};
    struct error err = {0};
    static struct held guards[COUNT];
    static const struct held *pointers[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        char name[INTERFACE_NAME_SIZE];

        snprintf(name, sizeof(name), "eni%zu", i);
        guards[i] = some_guard(name, "");
        memset(guards[i].tag, 't', TAG_SIZE - 1);
        pointers[i] = &guards[i];
    }
    elements_add(&messages, pointers, COUNT);
    netlink_messages_each(message, &messages)
    {
        assert_true(message->nlmsg_len < NETLINK_MESSAGE_MAX);
        assert_int_equal(elements_take(message, &listing, &going, &err), 0);
    }
    assert_int_equal(listing.held_count, COUNT);
}

/* Everything that reads, on exactly these bytes: a step too far is for the sanitizer to see. */
static void read_all(const void *bytes, size_t length)
{
    cleanup(listing) struct listing listing = {0};
    cleanup(listing) struct listing going = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    struct error err = {0};
    struct nlmsghdr *message = malloc(length);
    const char *text = NULL;
    uint32_t generation = 0;
    char subject[32];
    int error = 0;

    assert_non_null(message);
    memcpy(message, bytes, length);
    message->nlmsg_len = (uint32_t)length;
    if (message_is_ack(message, &error, &text) && text != NULL)
        assert_true(strlen(text) < length);
    if (nft_reply_generation(message, &generation))
        assert_true(length >= mnl_nlmsg_size(sizeof(struct nfgenmsg)) + 8);
    assert_int_equal(elements_take(message, &listing, &going, &err), 0);
    if (rule_read_others(message, "judge", &listing.others))
        assert_int_equal(nft_reply_type(message), NFT_MSG_NEWRULE);
    assert_int_equal(nft_facts_take(&facts, message, &err), 0);
    nft_message_subject(message, subject, sizeof(subject));
    free(message);
}

static void no_length_is_believed(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct held guard = some_guard("eni1a2b", "aws-cni/4f3c/eth0 2 default/web-0");
    const struct held *pointer = &guard;

    (void)state;
    skeleton_make(&messages, &terms, &(struct shape){.others = others, .refusing = true});
    elements_add(&messages, &pointer, 1);
    netlink_messages_each(message, &messages)
    {
        uint8_t *bytes = (uint8_t *)message;
        size_t length = message->nlmsg_len;

        for (size_t cut = sizeof(*message); cut <= length; cut++)
            read_all(bytes, cut);
        for (size_t i = sizeof(*message); i < length; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[i] ^= (uint8_t)(1U << bit);
                read_all(bytes, length);
                bytes[i] ^= (uint8_t)(1U << bit);
            }
    }
}

/* An error as the kernel sends it: the refused message's head, then what it has to say. */
static struct nlmsghdr *error_message(char *buffer, int error, uint16_t flags, const char *text)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct nlmsgerr *refused = mnl_nlmsg_put_extra_header(message, sizeof(*refused));

    message->nlmsg_type = NLMSG_ERROR;
    message->nlmsg_flags = flags;
    refused->error = error;
    refused->msg.nlmsg_len = 5000;
    if (text != NULL)
        mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, text);
    return message;
}

static void the_kernel_s_own_words(void **state)
{
    uint32_t buffer[64];
    const char *text = NULL;
    int error = 77;

    (void)state;
    assert_true(message_is_ack(error_message((char *)buffer, 0, 0, NULL), &error, &text));
    assert_int_equal(error, 0);
    assert_null(text);
    assert_true(message_is_ack(
        error_message((char *)buffer, -ENOENT, NLM_F_CAPPED | NLM_F_ACK_TLVS, "no such set"),
        &error, &text));
    assert_int_equal(error, ENOENT);
    assert_string_equal(text, "no such set");
    /* Not capped: what looks like attributes is the refused message, which is not even there. */
    assert_true(message_is_ack(error_message((char *)buffer, -EBUSY, NLM_F_ACK_TLVS, "payload"),
                               &error, &text));
    assert_int_equal(error, EBUSY);
    assert_null(text);
    /* What is no errno is still no success. */
    assert_true(message_is_ack(error_message((char *)buffer, INT32_MIN, 0, NULL), &error, &text));
    assert_int_not_equal(error, 0);
    assert_true(message_is_ack(error_message((char *)buffer, 7, 0, NULL), &error, &text));
    assert_int_not_equal(error, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_survive_the_way),
        cmocka_unit_test(many_guards_fill_several_messages),
        cmocka_unit_test(no_length_is_believed),
        cmocka_unit_test(the_kernel_s_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
