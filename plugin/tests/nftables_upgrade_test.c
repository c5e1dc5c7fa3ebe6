/*
 * What version 0.1.0 left, a table of another name, with two maps: its guards, their numbers and its
 * endpoints come along in one transaction, and once ours is in force another one takes it away.
 */
#include "fake_nftables.h"
#include "kernel/nftables/presence.h"
#include "nftables_world.h"

#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>

#define FORMER   "imds-guard"
#define FORMER_A "aws-cni/a/eth0 2 default/a" /* OWNER_A, with a guard on the way out */

static void carry(struct nft_messages *messages)
{
    assert_int_equal(carry_out_all(messages), 0);
    nft_messages_free(messages);
}

static void make_former_set(const char *name)
{
    struct nft_messages messages = {0};

    assert_true(
        nft_messages_add_name_in(&messages, FORMER, NFT_MSG_NEWSET, 0, NFTA_SET_NAME, name));
    carry(&messages);
}

/* An element of one of its sets, of which the test has no more to say. */
static void put_former(const char *name, struct nftnl_set_elem *element)
{
    struct nft_messages messages = {0};
    struct nftnl_set *set = nftnl_set_alloc();
    struct nlmsghdr *message = nft_messages_start(&messages, NFT_MSG_NEWSETELEM, 0);

    nftnl_set_set_str(set, NFTNL_SET_TABLE, FORMER);
    nftnl_set_set_str(set, NFTNL_SET_NAME, name);
    nftnl_set_elem_add(set, element);
    nftnl_set_elems_nlmsg_build_payload(message, set);
    nft_messages_end(&messages, message);
    nftnl_set_free(set);
    carry(&messages);
}

/* "eni1" counter packets 3 bytes 180 comment "..." : drop */
static void former_holds(const char *map, const char *interface, uint32_t verdict, const char *tag,
                         uint64_t packets)
{
    struct nftnl_set_elem *element = nftnl_set_elem_alloc();
    struct nftnl_expr *counter = nftnl_expr_alloc("counter");
    struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
    char key[INTERFACE_NAME_SIZE] = "";

    snprintf(key, sizeof(key), "%s", interface);
    nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, sizeof(key));
    nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, verdict);
    nftnl_udata_put_strz(data, NFTNL_UDATA_SET_ELEM_COMMENT, tag);
    nftnl_set_elem_set(element, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(data),
                       nftnl_udata_buf_len(data));
    nftnl_udata_buf_free(data);
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, packets);
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, 60 * packets);
    nftnl_set_elem_add_expr(element, counter);
    put_former(map, element);
}

static void former_keeps_from(const uint8_t address[static 4])
{
    for (int end = 0; end < 2; end++) {
        struct nftnl_set_elem *edge = nftnl_set_elem_alloc();
        uint8_t at[4] = {address[0], address[1], address[2], (uint8_t)(address[3] + end)};

        nftnl_set_elem_set(edge, NFTNL_SET_ELEM_KEY, at, sizeof(at));
        if (end)
            nftnl_set_elem_set_u32(edge, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        put_former("endpoints4", edge);
    }
}

/* Two pods, one of them exempt and the other a branch ENI's; an endpoint beyond the usual one. */
static void make_former(void)
{
    static const uint8_t imds[] = {169, 254, 169, 254};
    static const uint8_t more[] = {169, 254, 170, 2};
    struct nft_messages table = {0};

    assert_true(nft_messages_add_name_in(&table, FORMER, NFT_MSG_NEWTABLE, 0, 0, NULL));
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
