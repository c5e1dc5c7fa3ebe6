#include "kernel/nftables/monitor.h"

#include "kernel/netlink_message.h"
#include "kernel/nftables/messages.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* linux/netfilter/nf_tables.h gives the table's name the same number in every message that is about
 * something within a table. */
_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_SET_TABLE == (int)NFTA_TABLE_NAME &&
                   (int)NFTA_SET_ELEM_LIST_TABLE == (int)NFTA_TABLE_NAME,
               "one attribute number names the table in all messages");

int nft_monitor_open(struct mnl_socket **out, struct error *err)
{
    struct mnl_socket *monitor = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (!monitor)
        return error_set(err, ERROR_KERNEL, "no netlink socket for netfilter: %s", strerror(errno));
    if (mnl_socket_bind(monitor, 1 << (NFNLGRP_NFTABLES - 1), MNL_SOCKET_AUTOPID) < 0) {
        error_set(err, ERROR_KERNEL, "the kernel does not announce changes of nf_tables: %s",
                  strerror(errno));
        mnl_socket_close(monitor);
        return -1;
    }
    *out = monitor;
    return 0;
}

void nft_monitor_close(struct mnl_socket *monitor)
{
    if (monitor)
        mnl_socket_close(monitor);
}

int nft_monitor_fd(const struct mnl_socket *monitor)
{
    return monitor ? mnl_socket_get_fd(monitor) : -1;
}

/* Whether it is about the table, or something in it. */
static bool is_about(const struct nlmsghdr *message, const char *table)
{
    const struct nlattr *attribute;
    size_t size = strlen(table) + 1;

    if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
        NFNL_MSG_TYPE(message->nlmsg_type) == NFT_MSG_NEWGEN ||
        mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
        return false;
    message_for_each_attribute(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME)
            return mnl_attr_get_payload_len(attribute) == size &&
                   memcmp(mnl_attr_get_payload(attribute), table, size) == 0;
    }
    return false;
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

enum nft_news nft_monitor_read(struct mnl_socket *monitor)
{
    _Alignas(struct nlmsghdr) char buffer[32768]; /* the kernel's NLMSG_GOODSIZE is less */
    enum nft_news news = NFT_NEWS_NONE;

    for (;;) {
        ssize_t length = mnl_socket_recvfrom(monitor, buffer, sizeof(buffer));

        if (length > 0)
            news = nft_news_after(news, buffer, (size_t)length);
        else if (length < 0 && (errno == ENOBUFS || errno == ENOSPC))
            news = NFT_NEWS_CHANGED;
        else if (length == 0 || errno != EINTR)
            return news;
    }
}
