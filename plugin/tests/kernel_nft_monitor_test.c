#include "kernel/nft_monitor.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* An announcement as the kernel makes it: a message of nf_tables whose first attribute is
 * a name. */
static size_t announce(void *bytes, int subsystem, int type, const char *table)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
    struct nfgenmsg *family;

    message->nlmsg_type = (uint16_t)(subsystem << 8 | type);
    family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
    family->nfgen_family = NFPROTO_INET;
    mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
    mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, 0);
    return message->nlmsg_len;
}

static bool sees(int subsystem, int type, const char *table)
{
    _Alignas(struct nlmsghdr) char bytes[256];

    return nft_news_after(NFT_NEWS_NONE, bytes, announce(bytes, subsystem, type, table)) !=
           NFT_NEWS_NONE;
}

static void changes_of_our_table_are_seen(void **state)
{
    (void)state;
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds-guard"));
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELSETELEM, "imds-guard"));
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE, "imds-guard"));
}

static void what_others_do_is_not(void **state)
{
    (void)state;
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "kube-proxy"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds-guard2"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds-guar"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN, "imds-guard"));
    assert_false(sees(NFNL_SUBSYS_CTNETLINK, NFT_MSG_DELTABLE, "imds-guard"));
}

static enum nft_news news_after(enum nft_news before, int type)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, type, "imds-guard");

    return nft_news_after(before, bytes, length);
}

static void a_table_is_gone_until_it_is_made_anew(void **state)
{
    (void)state;
    assert_int_equal(news_after(NFT_NEWS_NONE, NFT_MSG_NEWSETELEM), NFT_NEWS_CHANGED);
    assert_int_equal(news_after(NFT_NEWS_NONE, NFT_MSG_DELCHAIN), NFT_NEWS_CHANGED);
    assert_int_equal(news_after(NFT_NEWS_CHANGED, NFT_MSG_DELTABLE), NFT_NEWS_TABLE_GONE);
    assert_int_equal(news_after(NFT_NEWS_TABLE_GONE, NFT_MSG_DELRULE), NFT_NEWS_TABLE_GONE);
    assert_int_equal(news_after(NFT_NEWS_TABLE_GONE, NFT_MSG_NEWTABLE), NFT_NEWS_CHANGED);
    assert_int_equal(news_after(NFT_NEWS_CHANGED, NFT_MSG_NEWRULE), NFT_NEWS_CHANGED);
}

static void ours_is_found_behind_others(void **state)
{
    _Alignas(struct nlmsghdr) char bytes[512];
    size_t first = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "filter");
    size_t both = first + announce(bytes + MNL_ALIGN(first), NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE,
                                   "imds-guard");

    (void)state;
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, first), NFT_NEWS_NONE);
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, both), NFT_NEWS_TABLE_GONE);
}

static void a_datagram_that_is_cut_off_is_read_no_further(void **state)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds-guard");

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        char *copy = malloc(cut + 1); /* of that size, for the address sanitizer */

        memcpy(copy, bytes, cut);
        assert_int_equal(nft_news_after(NFT_NEWS_NONE, copy, cut), NFT_NEWS_NONE);
        free(copy);
    }
}

static void a_length_beyond_int_ends_a_datagram(void **state)
{
    _Alignas(struct nlmsghdr) char bytes[256] = {0};
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "filter");
    struct nlmsghdr *last = (struct nlmsghdr *)(bytes + MNL_ALIGN(length));

    (void)state;
    last->nlmsg_len = UINT32_MAX; /* rounded up it is 0: the message after it would be itself */
    alarm(10);
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, MNL_ALIGN(length) + sizeof(*last)),
                     NFT_NEWS_NONE);
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_our_table_are_seen),
        cmocka_unit_test(what_others_do_is_not),
        cmocka_unit_test(a_table_is_gone_until_it_is_made_anew),
        cmocka_unit_test(ours_is_found_behind_others),
        cmocka_unit_test(a_datagram_that_is_cut_off_is_read_no_further),
        cmocka_unit_test(a_length_beyond_int_ends_a_datagram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
