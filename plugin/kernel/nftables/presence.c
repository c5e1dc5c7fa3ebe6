#include "kernel/nftables/presence.h"

#include "kernel/nftables/messages.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/retry.h"

#include <linux/netfilter/nf_tables.h>

static int take_table(const struct nlmsghdr *message, void *context, struct error *err)
{
    bool *present = context;

    (void)err;
    *present = *present || nft_reply_type(message) == NFT_MSG_NEWTABLE;
    return 0;
}

static int look_once(struct nft_socket *socket, void *context, struct error *err)
{
    cleanup(nft_messages) struct nft_messages messages = {0};

    if (!nft_messages_add_name_in(&messages, NFT_FORMER_TABLE, NFT_MSG_GETTABLE, 0, 0, NULL) ||
        !nft_messages_add_name(&messages, NFT_MSG_GETTABLE, 0, 0, NULL))
        return error_no_memory(err);
    return nft_ask(socket, &messages, take_table, context, err);
}

bool nft_is_present(void)
{
    const struct terms no_terms = {0};
    struct error unused;
    bool present = false;
    bool absent = false;

    return nft_keep_trying(look_once, &present, &no_terms, &absent, &unused) == 0 && present;
}
