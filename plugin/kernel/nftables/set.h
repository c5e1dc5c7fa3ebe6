/*
 * What all sets of our table have in common when a message about one is built.
 */
#ifndef IMDS_GUARD_NFTABLES_SET_H
#define IMDS_GUARD_NFTABLES_SET_H

#include "guard/cleanup.h"
#include "kernel/nftables/messages.h"

#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <stdbool.h>
#include <stdint.h>

/* nft(8)'s numbers (enum byteorder), which it needs to print keys; the kernel only keeps them. */
enum { NFT_HOST_ENDIAN = 1, NFT_BIG_ENDIAN = 2 };

/* A set or map of our table, for nftnl_set_free; NULL if out of memory. */
static inline struct nftnl_set *nft_set_named(const char *name)
{
    struct nftnl_set *set = nftnl_set_alloc();

    if (set != NULL) {
        nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
        nftnl_set_set_str(set, NFTNL_SET_NAME, name);
    }
    return set;
}

/* Notes the byte order of the keys in the set's user data. False if out of memory. */
must_use static inline bool nft_set_byte_order(struct nftnl_set *set, uint32_t order)
{
    struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(64);

    if (data == NULL)
        return false;
    nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER, order);
    nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data),
                       nftnl_udata_buf_len(data));
    nftnl_udata_buf_free(data);
    return true;
}

static inline void cleanup_nft_set(struct nftnl_set **set)
{
    if (*set != NULL)
        nftnl_set_free(*set);
}

#endif
