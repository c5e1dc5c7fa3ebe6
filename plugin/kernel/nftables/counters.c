#include "kernel/nftables/counters.h"

#include "kernel/nftables/skeleton.h"

#include <errno.h>

/*
 * What a kernel takes does not show it, as an older one takes what it does not know; what it refuses
 * does. Its version would not: distributions' kernels have had parts of newer ones.
 */
int nft_counters_check(struct nft_socket *socket, bool table_stands, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};
    struct error refusal = {0};

    if ((table_stands && skeleton_delete(&messages, NFT_TABLE, err) < 0) ||
        skeleton_make_refusable(&messages, err) < 0)
        return -1;
    if (nft_rehearse(socket, &messages, &refusal) == 0)
        return error_set(err, ERROR_KERNEL,
                         "nf_tables of this kernel has no counters in maps (it is older than "
                         "Linux 5.7): use the iptables backend");
    if (socket->refusal == EINVAL || socket->refusal == EOPNOTSUPP)
        return 0;
    *err = refusal;
    return -1;
}
