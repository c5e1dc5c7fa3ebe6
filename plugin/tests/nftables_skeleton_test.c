/*
 * The skeleton as messages, read back: what we would make is what we take for whole, and no
 * difference goes unnoticed.
 */
#include "kernel/nftables/elements.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/rule.h"
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

/* All of it, with others rejected. */
static const struct others others = {.verdict = VERDICT_REJECT, .packets = 7, .bytes = 420};

static void make(struct netlink_messages *messages, const struct terms *of)
{
    skeleton_make(messages, of, &(struct shape){.others = others, .refusing = true});
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
    assert_false(verdict.rules_wrong);
    assert_true(verdict.refusing);
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
    /* the table; the map; three chains and their rules */
    assert_int_equal(messages.count, 1 + 1 + 3 + 4 + 2 + 4);
    for (unsigned skip = 0; skip < messages.count; skip++) {
        cleanup(nft_facts) struct nft_facts facts = {0};
        size_t faults = 0;

        take(&facts, &messages, skip);
        struct verdict_on_skeleton verdict = judge(&facts, &terms, &faults);
        assert_true(faults > 0);
        assert_int_equal(verdict.broken + verdict.rules_wrong > 0, 1);
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
    assert_int_equal(faults, 3); /* the map, two chains */
    assert_true(verdict.broken);
    assert_true(verdict.rules_wrong);
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
    assert_int_equal(faults, 4 + 2);
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
    assert_false(verdict.rules_wrong);
    assert_int_equal(faults, 0);
    fewer.exactly = true;
    verdict = judge(&facts, &fewer, &faults);
    assert_false(verdict.broken);
    assert_true(verdict.rules_wrong);
    assert_int_equal(faults, 0);
    verdict = judge(&facts, &unknown, &faults);
    assert_false(verdict.rules_wrong);
    assert_int_equal(faults, 0);
}

/* Appends a rule to the chain, and judges. */
static void expect_fault_with(const struct endpoint *endpoint, bool forwarded)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = others};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    make(&messages, &terms);
    rule_to_endpoint(&messages, NFT_FORWARD, endpoint, forwarded, NFT_JUDGE);
    take(&facts, &messages, UINT32_MAX);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
    assert_true(listing.fault_count > 0);
    assert_true(verdict.rules_wrong);
    assert_false(verdict.broken);
    assert_int_equal(listing.surplus_count, 0);
}

/* One that never matches, as nobody has such an address; one of the other hook. */
static void what_asks_for_no_endpoint_is_a_fault(void **state)
{
    (void)state;
    expect_fault_with(&(struct endpoint){FAMILY_IPV4, {11, 0, 0, 1}, 30}, false);
    expect_fault_with(&(struct endpoint){FAMILY_IPV4, {11, 0, 0, 0}, 30}, true);
}

/* Of every length of prefix, with the comparison of its beginning, and without. */
static void every_endpoint_is_read_back(void **state)
{
    (void)state;
    for (unsigned prefix = 1; prefix <= 128; prefix++) {
        struct endpoint six = {FAMILY_IPV6, {0}, prefix};
        struct endpoint four = {FAMILY_IPV4, {0}, prefix <= 32 ? prefix : 32};
        struct endpoint both[] = {four, six};
        const struct terms all = {.endpoints = both, .endpoint_count = 2};
        cleanup(netlink_messages) struct netlink_messages messages = {0};
        cleanup(nft_facts) struct nft_facts facts = {0};
        cleanup(listing) struct listing listing = {.others = others};
        struct verdict_on_skeleton verdict = {0};
        struct error err = {0};

        for (unsigned bit = 0; bit < prefix; bit += 3) {
            both[1].address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
            if (bit < both[0].prefix)
                both[0].address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        make(&messages, &all);
        take(&facts, &messages, UINT32_MAX);
        assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
        assert_false(verdict.broken);
        for (size_t i = 0; i < listing.surplus_count; i++)
            assert_memory_equal(&listing.surplus[i], &both[i + 2 - listing.surplus_count],
                                sizeof(both[0]));
        listing_free(&listing);
        listing.others = others;
        assert_int_equal(skeleton_judge(&facts, &all, &listing, &verdict, &err), 0);
        assert_int_equal(listing.fault_count, 0);
        assert_int_equal(listing.surplus_count, 0);
    }
}

static void no_rule_for_any_endpoint_is_a_fault_whoever_looks(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_facts) struct nft_facts facts = {0};
    const struct terms unknown = {0};
    size_t faults = 0;

    (void)state;
    make(&messages, &unknown);
    take(&facts, &messages, UINT32_MAX);
    assert_true(judge(&facts, &unknown, &faults).rules_wrong);
    assert_int_equal(faults, 1);
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
    assert_true(verdict.rules_wrong);
    assert_int_equal(listing.fault_count, 1);
    assert_string_equal(listing.faults[0], "no rule of chain forward asks for 10.0.0.0/8");
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
        cmocka_unit_test(what_asks_for_no_endpoint_is_a_fault),
        cmocka_unit_test(every_endpoint_is_read_back),
        cmocka_unit_test(no_rule_for_any_endpoint_is_a_fault_whoever_looks),
        cmocka_unit_test(a_missing_endpoint_is_named),
        cmocka_unit_test(every_byte_of_a_rule_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
