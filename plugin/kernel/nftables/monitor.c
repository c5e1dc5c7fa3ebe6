#include "kernel/nftables/monitor.h"

#include "kernel/netlink/netlink.h"
#include "kernel/nftables/messages.h"
#include "kernel/nftables/reply.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* linux/netfilter/nf_tables.h gives the table's name the same number in every message that is about
 * something within a table. */
_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_SET_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_SET_ELEM_LIST_TABLE == (int)NFTA_TABLE_NAME,
               "one attribute number names the table in all messages");

int nft_monitor_open(int *out, struct error *err)
{
    int fd = netlink_subscribe(NETLINK_NETFILTER, 1U << (NFNLGRP_NFTABLES - 1));

    if (fd < 0)
        return error_set(err, ERROR_KERNEL,
                         "the kernel does not announce changes of nf_tables: %m");
    *out = fd;
    return 0;
}

/* Whether it is about the table, or something in it. */
static bool is_about(const struct nlmsghdr *message, const char *table)
{
    struct attributes attributes;

    if (nft_reply_type(message) < 0 || nft_reply_type(message) == NFT_MSG_NEWGEN)
        return false;
    nft_reply_attributes(message, &attributes);
    return attribute_is(&attributes, NFTA_TABLE_NAME, table);
}

enum nft_news nft_news_after(enum nft_news before, const void *bytes, size_t length)
{
    const struct nlmsghdr *message = bytes;
    enum nft_news news = before;
    int left = (int)length;

    for (; message_is_whole(message, left); message = mnl_nlmsg_next(message, &left)) {
        bool ours = is_about(message, NFT_TABLE);
        int type = NFNL_MSG_TYPE(message->nlmsg_type);

        if (ours && type == NFT_MSG_DELTABLE)
            news = NFT_NEWS_TABLE_GONE;
        else if ((ours && type == NFT_MSG_NEWTABLE) ||
                 (news == NFT_NEWS_NONE && (ours || is_about(message, NFT_FORMER_TABLE))))
            news = NFT_NEWS_CHANGED;
    }
    return news;
}

enum nft_news nft_monitor_read(int monitor)
{
    _Alignas(struct nlmsghdr) char buffer[32768]; /* the kernel's NLMSG_GOODSIZE is less */
    enum nft_news news = NFT_NEWS_NONE;

    for (;;) {
        ssize_t length = recv(monitor, buffer, sizeof(buffer), MSG_TRUNC);

        if (length > 0 && length <= (ssize_t)sizeof(buffer))
            news = nft_news_after(news, buffer, (size_t)length);
        else if (length > 0 || (length < 0 && errno == ENOBUFS))
            news = NFT_NEWS_CHANGED;
        else if (length == 0 || errno != EINTR)
            return news;
    }
}
