#include "kernel/nftables/counters.h"

#include "kernel/nftables/skeleton.h"

#include <errno.h>

/*
 * What a kernel takes does not show it, as an older one takes what it does not know; what it refuses
 * does. Its version would not: distributions' kernels have had parts of newer ones.
 */
int nft_counters_trial(struct nft_messages *trial, bool table_stands, struct error *err)
{
    if (table_stands && skeleton_delete(trial, NFT_TABLE, err) < 0)
        return -1;
    return skeleton_make_refusable(trial, err);
}

int nft_counters_try(struct nft_socket *socket, const struct nft_messages *trial, struct error *err)
{
    struct error refusal = {0};

    if (nft_rehearse(socket, trial, &refusal) == 0)
        return error_set(err, ERROR_KERNEL,
                         "nf_tables of this kernel has no counters in maps (it is older than "
                         "Linux 5.7): use the iptables backend");
    if (socket->refusal == EINVAL || socket->refusal == EOPNOTSUPP)
        return 0;
    *err = refusal;
    return -1;
}

int nft_counters_check(struct nft_socket *socket, bool table_stands, struct error *err)
{
    cleanup(nft_messages) struct nft_messages trial = {0};

    if (nft_counters_trial(&trial, table_stands, err) < 0)
        return -1;
    return nft_counters_try(socket, &trial, err);
}
