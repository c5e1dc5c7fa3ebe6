#include "kernel/nftables/messages.h"

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* Fresh memory is zero, so that no padding between attributes tells what was there before. */
static bool make_room(struct nft_messages *messages)
{
    size_t capacity = 2 * messages->capacity + 2 * NFT_MESSAGE_MAX;
    char *bytes = calloc(1, capacity);

    if (bytes == NULL)
        return false;
    if (messages->length > 0)
        memcpy(bytes, messages->bytes, messages->length);
    free(messages->bytes);
    messages->bytes = bytes;
    messages->capacity = capacity;
    return true;
}

struct nlmsghdr *nft_messages_start(struct nft_messages *messages, uint16_t type, uint16_t flags)
{
    if (messages->capacity - messages->length < NFT_MESSAGE_MAX && !make_room(messages))
        return NULL;
    return nftnl_nlmsg_build_hdr(messages->bytes + messages->length, type, NFPROTO_INET, flags, 0);
}

void nft_messages_end(struct nft_messages *messages, const struct nlmsghdr *message)
{
    messages->length += MNL_ALIGN(message->nlmsg_len);
    messages->count++;
}

bool nft_messages_add_name(struct nft_messages *messages, uint16_t type, uint16_t flags,
                           uint16_t attribute, const char *name)
{
    return nft_messages_add_name_in(messages, NFT_TABLE, type, flags, attribute, name);
}

bool nft_messages_add_name_in(struct nft_messages *messages, const char *table, uint16_t type,
                              uint16_t flags, uint16_t attribute, const char *name)
{
    struct nlmsghdr *message = nft_messages_start(messages, type, flags);

    if (message == NULL)
        return false;
    /* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_SET_TABLE, ...: the table is 1 everywhere. */
    mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
    if (attribute != 0)
        mnl_attr_put_strz(message, attribute, name);
    nft_messages_end(messages, message);
    return true;
}

void nft_messages_free(struct nft_messages *messages)
{
    free(messages->bytes);
    *messages = (struct nft_messages){0};
}
