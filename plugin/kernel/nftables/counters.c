#include "kernel/nftables/counters.h"

#include "kernel/nftables/reply.h"
#include "kernel/nftables/skeleton.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>

static int refuse(struct error *err)
{
    return error_set(err, ERROR_KERNEL,
                     "nf_tables of this kernel has no counters in maps (it is older than "
                     "Linux 5.7): use the iptables backend");
}

static int take_map(const struct nlmsghdr *message, void *context, struct error *err)
{
    bool *counts = context;
    struct attributes map;

    (void)err;
    if (nft_reply_type(message) != NFT_MSG_NEWSET)
        return 0;
    nft_reply_attributes(message, &map);
    *counts = map.at[NFTA_SET_EXPR] != NULL;
    return 0;
}

void nft_counters_ask(struct netlink_messages *question)
{
    nft_message_add(question, NFT_TABLE, NFT_MSG_GETSET, 0, NFTA_SET_NAME, NFT_MAP);
}

int nft_counters_look(struct nft_socket *socket, const struct netlink_messages *question,
                      struct error *err)
{
    struct error ignored;
    bool counts = true;

    if (nft_ask(socket, question, take_map, &counts, &ignored) < 0 || counts)
        return 0;
    return refuse(err);
}

/*
 * What a kernel takes does not show it, as an older one takes what it does not know; what it refuses
 * does. Its version would not: distributions' kernels have had parts of newer ones.
 */
int nft_counters_try(struct nft_socket *socket, bool table_stands, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages trial = {0};
    struct error refusal = {0};

    if (table_stands)
        skeleton_delete(&trial, NFT_TABLE);
    skeleton_make_refusable(&trial);
    if (nft_rehearse(socket, &trial, &refusal) == 0)
        return refuse(err);
    if (socket->netlink.refusal == EINVAL || socket->netlink.refusal == EOPNOTSUPP)
        return 0;
    *err = refusal;
    return -1;
}
