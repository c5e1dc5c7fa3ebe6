#include "kernel/nftables/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds_guard"));
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELSETELEM, "imds_guard"));
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE, "imds_guard"));
}

/* A binary of version 0.1.0 has made it: time to take it over. */
static void so_are_those_of_the_former_one(void **state)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds-guard");

    (void)state;
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE, "imds-guard"));
    assert_true(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM, "imds-guard"));
    /* That it goes is what should be, and that it comes brings ours not back. */
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, length), NFT_NEWS_CHANGED);
    length = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE, "imds-guard");
    assert_int_equal(nft_news_after(NFT_NEWS_TABLE_GONE, bytes, length), NFT_NEWS_TABLE_GONE);
}

static void what_others_do_is_not(void **state)
{
    (void)state;
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "kube-proxy"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds_guard2"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds_guar"));
    assert_false(sees(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN, "imds_guard"));
    assert_false(sees(NFNL_SUBSYS_CTNETLINK, NFT_MSG_DELTABLE, "imds_guard"));
}

static enum nft_news news_after(enum nft_news before, int type)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, type, "imds_guard");

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
                                   "imds_guard");

    (void)state;
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, first), NFT_NEWS_NONE);
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, both), NFT_NEWS_TABLE_GONE);
}

static void a_datagram_that_is_cut_off_is_read_no_further(void **state)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    size_t length = announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, "imds_guard");

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
    alarm(300);
    assert_int_equal(nft_news_after(NFT_NEWS_NONE, bytes, MNL_ALIGN(length) + sizeof(*last)),
                     NFT_NEWS_NONE);
    alarm(0);
}

/* --- the socket ------------------------------------------------------------------------------- */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);

/* What one reading gives: an announcement about the table, or an error, or nothing at all. */
struct reading {
    const char *table;
    int error;
};

static struct {
    const struct reading *readings;
    int open_error, bind_error;
    int fd;
} kernel;

int __wrap_socket(int domain, int type, int protocol)
{
    assert_int_equal(domain, AF_NETLINK);
    assert_int_equal(protocol, NETLINK_NETFILTER);
    assert_int_equal(type, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK);
    errno = kernel.open_error;
    return kernel.open_error != 0 ? -1 : (kernel.fd = dup(STDERR_FILENO));
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    const struct sockaddr_nl *ours = (const struct sockaddr_nl *)address;

    assert_int_equal(fd, kernel.fd);
    assert_int_equal(length, sizeof(*ours));
    assert_int_equal(ours->nl_groups, 1 << (NFNLGRP_NFTABLES - 1));
    errno = kernel.bind_error;
    return kernel.bind_error != 0 ? -1 : 0;
}

/* More than fits: EMSGSIZE. */
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
    const struct reading *reading = kernel.readings++;

    assert_int_equal(fd, kernel.fd);
    assert_int_equal(flags, MSG_TRUNC);
    if (reading->table != NULL)
        return (ssize_t)announce(bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE, reading->table);
    if (reading->error == EMSGSIZE)
        return (ssize_t)size + 1;
    errno = reading->error;
    return reading->error != 0 ? -1 : 0;
}

static enum nft_news read_all(const struct reading *readings)
{
    enum nft_news news;
    struct error err;
    int monitor = -1;

    memset(&kernel, 0, sizeof(kernel));
    kernel.readings = readings;
    assert_int_equal(nft_monitor_open(&monitor, &err), 0);
    assert_int_equal(monitor, kernel.fd);
    news = nft_monitor_read(monitor);
    close(monitor);
    return news;
}

#define NEWS(...) read_all((const struct reading[]){__VA_ARGS__})

static void takes_all_that_waits(void **state)
{
    (void)state;
    assert_int_equal(NEWS({NULL, EAGAIN}), NFT_NEWS_NONE);
    assert_int_equal(NEWS({"filter", 0}, {NULL, EINTR}, {"nat", 0}, {NULL, EAGAIN}), NFT_NEWS_NONE);
    assert_int_equal(NEWS({"imds_guard", 0}, {"nat", 0}, {NULL, EAGAIN}), NFT_NEWS_CHANGED);
    assert_int_equal(NEWS({NULL, EINTR}, {"imds_guard", 0}, {NULL, 0}), NFT_NEWS_CHANGED);
}

static void what_was_lost_may_have_been_a_change(void **state)
{
    (void)state;
    assert_int_equal(NEWS({NULL, ENOBUFS}, {NULL, EAGAIN}), NFT_NEWS_CHANGED);
    assert_int_equal(NEWS({NULL, EMSGSIZE}, {"filter", 0}, {NULL, EAGAIN}), NFT_NEWS_CHANGED);
}

static void says_why_nothing_is_announced(void **state)
{
    struct error err;
    int monitor = 77;

    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.open_error = EPROTONOSUPPORT;
    assert_int_equal(nft_monitor_open(&monitor, &err), -1);
    assert_non_null(strstr(err.msg, "Protocol not supported"));
    kernel.open_error = 0;
    kernel.bind_error = EPERM;
    assert_int_equal(nft_monitor_open(&monitor, &err), -1);
    assert_non_null(strstr(err.msg, "Operation not permitted"));
    assert_int_equal(monitor, 77);
    assert_int_equal(fcntl(kernel.fd, F_GETFD), -1); /* closed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_our_table_are_seen),
        cmocka_unit_test(so_are_those_of_the_former_one),
        cmocka_unit_test(what_others_do_is_not),
        cmocka_unit_test(a_table_is_gone_until_it_is_made_anew),
        cmocka_unit_test(ours_is_found_behind_others),
        cmocka_unit_test(a_datagram_that_is_cut_off_is_read_no_further),
        cmocka_unit_test(a_length_beyond_int_ends_a_datagram),
        cmocka_unit_test(takes_all_that_waits),
        cmocka_unit_test(what_was_lost_may_have_been_a_change),
        cmocka_unit_test(says_why_nothing_is_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
