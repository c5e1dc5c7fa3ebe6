#include "kernel/nftables/counters.h"

#include "kernel/nftables/elements.h"
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

int nft_counters_ask(struct nft_messages *question, struct error *err)
{
    return nft_messages_add_name(question, NFT_MSG_GETSET, 0, NFTA_SET_NAME, NFT_MAP)
               ? 0
               : error_no_memory(err);
}

int nft_counters_look(struct nft_socket *socket, const struct nft_messages *question,
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
    cleanup(nft_messages) struct nft_messages trial = {0};
    struct error refusal = {0};

    if ((table_stands && skeleton_delete(&trial, NFT_TABLE, err) < 0) ||
        skeleton_make_refusable(&trial, err) < 0)
        return -1;
    if (nft_rehearse(socket, &trial, &refusal) == 0)
        return refuse(err);
    if (socket->refusal == EINVAL || socket->refusal == EOPNOTSUPP)
        return 0;
    *err = refusal;
    return -1;
}
