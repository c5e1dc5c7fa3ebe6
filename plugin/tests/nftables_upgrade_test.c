/*
 * What version 0.1.0 left, a table of another name, with two maps: its guards, their numbers and its
 * endpoints come along in one transaction, and once ours is in force another one takes it away.
 */
#include "fake_nftables.h"
#include "kernel/nftables/backend.h"
#include "nftables_world.h"

#define FORMER   "imds-guard"
#define FORMER_A "aws-cni/a/eth0 2 default/a" /* OWNER_A, with a guard on the way out */

static void carry(struct netlink_messages *messages)
{
    assert_int_equal(carry_out_all(messages), 0);
    netlink_messages_free(messages);
}

static void make_former_set(const char *name)
{
    struct netlink_messages messages = {0};

    nft_message_add(&messages, FORMER, NFT_MSG_NEWSET, 0, NFTA_SET_NAME, name);
    carry(&messages);
}

/* An element of one of its sets, of which the caller has more to say before it is carried. */
static struct nlmsghdr *start_former(struct netlink_messages *messages, const char *set,
                                     const void *key, size_t size, struct nlattr *nests[2])
{
    struct nlmsghdr *message = nft_message_start(messages, NFT_MSG_NEWSETELEM, 0);

    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, FORMER);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
    nests[0] = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    nests[1] = nft_element_start(message, key, size);
    return message;
}

static void carry_former(struct netlink_messages *messages, struct nlmsghdr *message,
                         struct nlattr *nests[2])
{
    mnl_attr_nest_end(message, nests[1]);
    mnl_attr_nest_end(message, nests[0]);
    netlink_message_end(messages, message);
    carry(messages);
}

/* "eni1" counter packets 3 bytes 180 comment "..." : drop */
static void former_holds(const char *map, const char *interface, int verdict, const char *tag,
                         uint64_t packets)
{
    struct netlink_messages messages = {0};
    struct nlattr *nests[2];
    struct nft_expression counter;
    char key[INTERFACE_NAME_SIZE] = "";

    snprintf(key, sizeof(key), "%s", interface);
    struct nlmsghdr *message = start_former(&messages, map, key, sizeof(key), nests);
    nft_put_verdict(message, NFTA_SET_ELEM_DATA, (struct nft_verdict){.code = verdict});
    nft_put_note(message, NFTA_SET_ELEM_USERDATA, NFT_NOTE_COMMENT, tag,
                 (uint8_t)(strlen(tag) + 1));
    counter = nft_expression_start(message, NFTA_SET_ELEM_EXPR, "counter");
    nft_put_u64(message, NFTA_COUNTER_PACKETS, packets);
    nft_put_u64(message, NFTA_COUNTER_BYTES, 60 * packets);
    nft_expression_end(message, counter);
    carry_former(&messages, message, nests);
}

static void former_keeps_from(const uint8_t address[static 4])
{
    for (int end = 0; end < 2; end++) {
        struct netlink_messages messages = {0};
        struct nlattr *nests[2];
        uint8_t at[4] = {address[0], address[1], address[2], (uint8_t)(address[3] + end)};
        struct nlmsghdr *message = start_former(&messages, "endpoints4", at, sizeof(at), nests);

        if (end)
            nft_put_u32(message, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        carry_former(&messages, message, nests);
    }
}

/* Two pods, one of them exempt and the other a branch ENI's; an endpoint beyond the usual one. */
static void make_former(void)
{
    static const uint8_t imds[] = {169, 254, 169, 254};
    static const uint8_t more[] = {169, 254, 170, 2};
    struct netlink_messages table = {0};

    nft_message_add(&table, FORMER, NFT_MSG_NEWTABLE, 0, 0, NULL);
    carry(&table);
    make_former_set("in");
    make_former_set("out");
    make_former_set("endpoints4");
    make_former_set("endpoints6");
    former_keeps_from(imds);
    former_keeps_from(more);
    former_holds("in", "eni1", NF_DROP, FORMER_A, 3);
    former_holds("in", "eni2", (uint32_t)NFT_RETURN, OWNER_B, 0);
    former_holds("out", "vlan.eth.1", NF_DROP, FORMER_A, 9);
    former_holds("in", "eni9", NF_DROP, "somebody's", 1);
    nftables.committed = 0;
}

static int set_up(void **state)
{
    (void)state;
    nftables_reset();
    make_former();
    return 0;
}

static void assert_held(const char *interface, const char *tag, enum verdict verdict,
                        uint64_t packets)
{
    struct held held = held_on(interface);

    assert_string_equal(held.tag, tag);
    assert_int_equal(held.guard.verdict, verdict);
    assert_int_equal(held.packets, packets);
    assert_int_equal(held.bytes, 60 * packets);
}

/* Whether 169.254.170.2 stands beyond the usual endpoints. */
static bool keeps_from_more(void)
{
    cleanup(listing) struct listing listing = list();

    return listing.surplus_count == 1 && listing.surplus[0].address[3] == 2 &&
           listing.surplus[0].prefix == 32;
}

static void assert_taken_over(unsigned transactions)
{
    cleanup(listing) struct listing listing = list();

    assert_int_equal(nftables.committed, transactions);
    assert_true(nftables.bound);
    assert_false(listing.former);
    assert_false(stands(FORMER, NULL));
    assert_whole();
}

static void it_is_listed(void **state)
{
    cleanup(listing) struct listing listing = list();

    (void)state;
    assert_true(listing.present);
    assert_true(listing.former);
    assert_int_equal(listing.fault_count, 0);
    assert_int_equal(listing.others.verdict, VERDICT_PASS);
    assert_int_equal(listing.held_count, 3);
    assert_held("eni1", FORMER_A, VERDICT_DROP, 3);
    assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
    assert_true(keeps_from_more());
}

static void an_add_takes_all_over(void **state)
{
    (void)state;
    apply("aws-cni/c/eth0 1 default/c", "eni3", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    assert_taken_over(2);
    assert_held("eni1", FORMER_A, VERDICT_DROP, 3);
    assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
    assert_held("eni3", "aws-cni/c/eth0 1 default/c", VERDICT_DROP, 0);
    cleanup(listing) struct listing listing = list();
    assert_int_equal(listing.held_count, 3); /* what had no tag, and what went out, has gone */
    assert_others(VERDICT_DROP, 0);
    assert_true(keeps_from_more());
}

/* Its tag says "2 default/a": one guard more, of the map that has gone. */
static void an_add_of_a_pod_that_it_guards_does(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    assert_taken_over(2);
    assert_held("eni1", OWNER_A, VERDICT_DROP, 3);
    assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
}

static void sync_takes_it_over_exactly(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_REJECT, terms_of_sync(VERDICT_REJECT));
    assert_taken_over(2);
    assert_held("eni1", OWNER_A, VERDICT_REJECT, 3);
    assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
    assert_others(VERDICT_REJECT, 0);
    assert_false(keeps_from_more());
}

/* A binary of that version has made one more pod, and its table, beside ours. */
static void prepare_both(void)
{
    nftables_reset();
    apply(OWNER_A, "eni1", VERDICT_PASS, terms_of_add(VERDICT_DROP));
    others_send(4);
    make_former();
}

static void beside_ours_it_fills_the_gaps(void **state)
{
    (void)state;
    prepare_both();
    cleanup(listing) struct listing listing = list();
    assert_true(listing.former);
    assert_int_equal(listing.fault_count, 0);
    assert_int_equal(listing.held_count, 3);
    assert_held("eni1", OWNER_A, VERDICT_PASS, 0);
    assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
    assert_true(keeps_from_more());
}

static void any_add_ends_it(void **state)
{
    (void)state;
    for (int exactly = 0; exactly < 2; exactly++) {
        prepare_both();
        apply(OWNER_A, "eni1", VERDICT_PASS,
              exactly ? terms_of_sync(VERDICT_DROP) : terms_of_add(VERDICT_DROP));
        assert_taken_over(1);
        assert_held("eni1", OWNER_A, VERDICT_PASS, 0);
        assert_held("eni2", OWNER_B, VERDICT_PASS, 0);
        assert_others(VERDICT_DROP, 4);
        assert_int_equal(keeps_from_more(), !exactly);
    }
}

static void one_more_pod(void)
{
    former_holds("in", "eni3", NF_DROP, "aws-cni/c/eth0 1 default/c", 0);
    nftables.committed++;
}

/* What the other binary does meanwhile is not lost. */
static void what_it_gets_meanwhile_comes_along(void **state)
{
    (void)state;
    nftables.meanwhile = one_more_pod;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    assert_held("eni3", "aws-cni/c/eth0 1 default/c", VERDICT_DROP, 0);
    assert_false(stands(FORMER, NULL));
    assert_whole();
}

static void everything_is_both_tables(void **state)
{
    const struct selection everything = {.everything = true};
    const struct terms terms = terms_of_add(VERDICT_DROP);
    struct error err = {0};
    size_t removed = 77;

    (void)state;
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(nftables.length, 0);
    prepare_both();
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(nftables.length, 0);
}

/* A kernel that has that table can have ours. */
static void it_counts_as_present(void **state)
{
    const struct terms terms = terms_of_add(VERDICT_DROP);
    struct error err = {0};

    (void)state;
    assert_int_equal(backend_nftables.probe(&terms, &err), 0);
    assert_true(nft_is_present());
    assert_int_equal(nftables.committed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_listed, set_up),
        cmocka_unit_test_setup(an_add_takes_all_over, set_up),
        cmocka_unit_test_setup(an_add_of_a_pod_that_it_guards_does, set_up),
        cmocka_unit_test_setup(sync_takes_it_over_exactly, set_up),
        cmocka_unit_test_setup(beside_ours_it_fills_the_gaps, set_up),
        cmocka_unit_test_setup(any_add_ends_it, set_up),
        cmocka_unit_test_setup(what_it_gets_meanwhile_comes_along, set_up),
        cmocka_unit_test_setup(everything_is_both_tables, set_up),
        cmocka_unit_test_setup(it_counts_as_present, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
