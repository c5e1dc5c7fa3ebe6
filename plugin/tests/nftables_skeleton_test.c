/*
 * The skeleton as messages, read back: what we would make is what we take for whole, and no
 * difference goes unnoticed.
 */
#include "kernel/nftables/elements.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/skeleton.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {10, 0, 0, 0}, 8},
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV4, {255, 255, 255, 255}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 4};
static unsigned narrow = FAMILY_IPV6; /* what of these is in the usual range */

/* All of it, with others rejected. */
static const struct others others = {.verdict = VERDICT_REJECT, .packets = 7, .bytes = 420};

static void make(struct netlink_messages *messages, const struct terms *of)
{
    skeleton_make(messages, of,
                  &(struct shape){.others = others, .refusing = true, .narrow = narrow});
}

/* The messages as if the kernel had sent them, but for number `skip`. */
static void take(struct nft_facts *facts, const struct netlink_messages *messages, unsigned skip)
{
    struct error err = {0};
    unsigned number = 0;

    netlink_messages_each(message, messages)
    {
        if (number++ != skip)
            assert_int_equal(nft_facts_take(facts, message, &err), 0);
    }
}

static struct verdict_on_skeleton judge(struct nft_facts *facts, const struct terms *by,
                                        size_t *faults)
{
    cleanup(listing) struct listing listing = {.others = {.verdict = VERDICT_REJECT}};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    assert_int_equal(skeleton_judge(facts, by, &listing, &verdict, &err), 0);
    *faults = listing.fault_count;
    return verdict;
}

static void what_is_made_is_whole(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    size_t faults = 1;

    (void)state;
    make(&messages, &terms);
    take(&facts, &messages, UINT32_MAX);
    struct verdict_on_skeleton verdict = judge(&facts, &terms, &faults);
    assert_int_equal(faults, 0);
    assert_false(verdict.broken);
    assert_false(verdict.endpoints_wrong);
    assert_true(verdict.refusing);
    assert_int_equal(verdict.narrow, endpoints_usual(&terms));
}

static void where_nobody_is_rejected_it_is_whole_without_that(void **state)
{
    (void)state;
    for (enum verdict verdict = VERDICT_DROP; verdict <= VERDICT_PASS; verdict += 2) {
        cleanup(netlink_messages) struct netlink_messages messages = {0};
        cleanup(nft_facts) struct nft_facts facts = {0};
        cleanup(listing) struct listing listing = {.others = {.verdict = verdict}};
        struct verdict_on_skeleton found = {0};
        struct error err = {0};

        skeleton_make(&messages, &terms, &(struct shape){.others = listing.others});
        take(&facts, &messages, UINT32_MAX);
        assert_int_equal(skeleton_judge(&facts, &terms, &listing, &found, &err), 0);
        assert_int_equal(listing.fault_count, 0);
        assert_false(found.broken);
        assert_false(found.refusing);
    }
}

/* As when the first pod that is rejected comes later. */
static void what_comes_later_is_no_fault(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = {.verdict = VERDICT_DROP}};
    struct verdict_on_skeleton found = {0};
    struct error err = {0};

    (void)state;
    skeleton_make(&messages, &terms, &(struct shape){.others = listing.others});
    skeleton_add_refusal(&messages);
    take(&facts, &messages, UINT32_MAX);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &found, &err), 0);
    assert_int_equal(listing.fault_count, 0);
    assert_false(found.broken);
    assert_true(found.refusing);
}

static void the_verdict_for_others_is_read_from_its_rule(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct others read = {.verdict = VERDICT_PASS};

    (void)state;
    make(&messages, &terms);
    netlink_messages_each(message, &messages) skeleton_take_others(message, &read);
    assert_memory_equal(&read, &others, sizeof(read));
}

static void whatever_is_missing_is_missed(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    (void)state;
    make(&messages, &terms);
    /* the table; two sets and what is in them; the map; three chains and their rules */
    assert_int_equal(messages.count, 1 + 2 + 2 + 1 + 3 + 4 + 2 + 2);
    for (unsigned skip = 0; skip < messages.count; skip++) {
        cleanup(nft_facts) struct nft_facts facts = {0};
        size_t faults = 0;

        take(&facts, &messages, skip);
        struct verdict_on_skeleton verdict = judge(&facts, &terms, &faults);
        assert_true(faults > 0);
        assert_int_equal(verdict.broken + verdict.rules_wrong + verdict.endpoints_wrong, 1);
    }
}

/* Whose table is empty is told what to look for, and not all that this could have held. */
static void what_is_missing_with_its_place_is_not_told(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    struct error err = {0};
    size_t faults = 0;
    unsigned number = 0;

    (void)state;
    make(&messages, &terms);
    netlink_messages_each(message, &messages)
    {
        if (number++ == 0)
            assert_int_equal(nft_facts_take(&facts, message, &err), 0);
    }
    struct verdict_on_skeleton verdict = judge(&facts, &terms, &faults);
    assert_int_equal(faults, 5); /* two sets, the map, two chains */
    assert_true(verdict.broken);
    assert_true(verdict.endpoints_wrong);
}

static void what_is_there_twice_is_noticed(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    struct error err = {0};
    size_t faults = 0;

    (void)state;
    make(&messages, &terms);
    take(&facts, &messages, UINT32_MAX);
    netlink_messages_each(message, &messages)
    {
        if (nft_reply_type(message) == NFT_MSG_NEWRULE)
            assert_int_equal(nft_facts_take(&facts, message, &err), 0);
    }
    assert_true(judge(&facts, &terms, &faults).rules_wrong);
    assert_int_equal(faults, 4 + 2 + 2);
}

static void other_endpoints_are_no_damage(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    struct terms fewer = {.endpoints = endpoints, .endpoint_count = 3};
    const struct terms unknown = {0};
    size_t faults = 0;

    (void)state;
    make(&messages, &terms);
    take(&facts, &messages, UINT32_MAX);
    struct verdict_on_skeleton verdict = judge(&facts, &fewer, &faults);
    assert_false(verdict.broken);
    assert_false(verdict.endpoints_wrong);
    assert_int_equal(faults, 0);
    fewer.exactly = true;
    verdict = judge(&facts, &fewer, &faults);
    assert_false(verdict.broken);
    assert_true(verdict.endpoints_wrong);
    assert_int_equal(faults, 0);
    verdict = judge(&facts, &unknown, &faults);
    assert_false(verdict.endpoints_wrong);
    assert_int_equal(faults, 0);
}

/* An element of the set of IPv4 endpoints, as somebody might put it there. */
static void put_edge(struct nft_facts *facts, const uint8_t address[4], uint32_t flags)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    struct nlmsghdr *message = nft_message_start(&messages, NFT_MSG_NEWSETELEM, 0);
    struct nlattr *list = NULL;
    struct nlattr *element = NULL;
    struct nlattr *key = NULL;
    struct error err = {0};

    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, "endpoints4");
    list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    if (address != NULL) {
        key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
        mnl_attr_put(message, NFTA_DATA_VALUE, 4, address);
        mnl_attr_nest_end(message, key);
    }
    mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(flags));
    mnl_attr_nest_end(message, element);
    mnl_attr_nest_end(message, list);
    assert_int_equal(nft_facts_take(facts, message, &err), 0);
}

/* The one fault that there is after edges (NULL: an element for all others) have come, "" for none. */
static void expect_edges(const uint8_t first[4], const uint8_t end[4], const char *fault)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = others};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    make(&messages, &terms);
    take(&facts, &messages, UINT32_MAX);
    put_edge(&facts, first, 0);
    if (end != NULL)
        put_edge(&facts, end, NFT_SET_ELEM_INTERVAL_END);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
    assert_int_equal(listing.fault_count, fault[0] != '\0');
    assert_string_equal(listing.fault_count > 0 ? listing.faults[0] : "", fault);
    assert_int_equal(verdict.endpoints_wrong, listing.fault_count > 0);
    assert_int_equal(listing.surplus_count, listing.fault_count == 0);
}

static void what_is_no_endpoint_is_a_fault(void **state)
{
    (void)state;
    expect_edges((uint8_t[]){11, 0, 0, 0}, (uint8_t[]){11, 0, 0, 4}, "");
    expect_edges((uint8_t[]){11, 0, 0, 1}, (uint8_t[]){11, 0, 0, 4},
                 "11.0.0.1 in set endpoints4 should not be there");
    expect_edges((uint8_t[]){11, 0, 0, 0}, (uint8_t[]){11, 0, 0, 3},
                 "11.0.0.0 in set endpoints4 should not be there");
    expect_edges(NULL, NULL, "* in set endpoints4 should not be there");
    /* It has no end before the next one begins. */
    expect_edges((uint8_t[]){11, 0, 0, 0}, NULL, "11.0.0.0 in set endpoints4 should not be there");
}

static void a_missing_endpoint_is_named(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = others};
    const struct terms fewer = {.endpoints = endpoints + 1, .endpoint_count = 3};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    (void)state;
    make(&messages, &fewer);
    take(&facts, &messages, UINT32_MAX);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
    assert_true(verdict.endpoints_wrong);
    assert_int_equal(listing.fault_count, 1);
    assert_string_equal(listing.faults[0], "10.0.0.0/8 in set endpoints4 is missing");
}

static int narrow_again(void **state)
{
    (void)state;
    narrow = FAMILY_IPV6;
    return 0;
}

static void what_no_rule_asks_for_is_named(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = others};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    (void)state;
    narrow = FAMILY_IPV4 | FAMILY_IPV6;
    make(&messages, &terms);
    take(&facts, &messages, UINT32_MAX);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
    assert_int_equal(verdict.narrow, narrow);
    assert_true(verdict.rules_wrong);
    assert_false(verdict.endpoints_wrong);
    assert_int_equal(listing.fault_count, 2);
    assert_string_equal(listing.faults[0], "the rules of chain forward do not ask for 10.0.0.0/8");
    assert_string_equal(listing.faults[1],
                        "the rules of chain forward do not ask for 255.255.255.255");
}

static void rules_that_ask_for_everything_are_no_fault(void **state)
{
    static const struct terms usual = {.endpoints = endpoints + 3, .endpoint_count = 1};
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    size_t faults = 1;

    (void)state;
    narrow = 0;
    make(&messages, &usual);
    take(&facts, &messages, UINT32_MAX);
    struct verdict_on_skeleton verdict = judge(&facts, &usual, &faults);
    assert_int_equal(faults, 0);
    assert_int_equal(verdict.narrow, 0);
    assert_false(verdict.rules_wrong);
}

static void every_byte_of_a_rule_counts(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};

    (void)state;
    make(&messages, &terms);
    netlink_messages_each(message, &messages)
    {
        struct attributes attributes;
        size_t noticed = 0;

        if (nft_reply_type(message) != NFT_MSG_NEWRULE)
            continue;
        nft_reply_attributes(message, &attributes);
        const struct nlattr *rule = attributes.at[NFTA_RULE_EXPRESSIONS];
        uint8_t *bytes = mnl_attr_get_payload(rule);
        for (size_t i = 0; i < mnl_attr_get_payload_len(rule); i++) {
            cleanup(nft_facts) struct nft_facts facts = {0};
            size_t faults = 0;

            bytes[i] ^= 1;
            take(&facts, &messages, UINT32_MAX);
            bytes[i] ^= 1;
            noticed += judge(&facts, &terms, &faults).rules_wrong;
        }
        /* All but padding, and flags and unused bits in the heads of attributes. */
        assert_true(noticed > mnl_attr_get_payload_len(rule) / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_whole),
        cmocka_unit_test(where_nobody_is_rejected_it_is_whole_without_that),
        cmocka_unit_test(what_comes_later_is_no_fault),
        cmocka_unit_test(the_verdict_for_others_is_read_from_its_rule),
        cmocka_unit_test(whatever_is_missing_is_missed),
        cmocka_unit_test(what_is_missing_with_its_place_is_not_told),
        cmocka_unit_test(what_is_there_twice_is_noticed),
        cmocka_unit_test(other_endpoints_are_no_damage),
        cmocka_unit_test(what_is_no_endpoint_is_a_fault),
        cmocka_unit_test(a_missing_endpoint_is_named),
        cmocka_unit_test_teardown(what_no_rule_asks_for_is_named, narrow_again),
        cmocka_unit_test_teardown(rules_that_ask_for_everything_are_no_fault, narrow_again),
        cmocka_unit_test(every_byte_of_a_rule_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
