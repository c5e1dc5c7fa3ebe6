#include "kernel/nftables/messages.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

struct nlmsghdr *nft_message_start(struct netlink_messages *messages, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *message =
        netlink_message_start(messages, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

    header->nfgen_family = NFPROTO_INET;
    return message;
}

void nft_message_add(struct netlink_messages *messages, const char *table, uint16_t type,
                     uint16_t flags, uint16_t attribute, const char *name)
{
    struct nlmsghdr *message = nft_message_start(messages, type, flags);

    /* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_SET_TABLE, ...: the table is 1 everywhere. */
    mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
    if (attribute != 0)
        mnl_attr_put_strz(message, attribute, name);
    netlink_message_end(messages, message);
}

void nft_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
    mnl_attr_put_u32(message, type, htobe32(value));
}

void nft_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t value)
{
    mnl_attr_put_u64(message, type, htobe64(value));
}

void nft_put_value(struct nlmsghdr *message, uint16_t type, const void *bytes, size_t length)
{
    struct nlattr *data = mnl_attr_nest_start(message, type);

    mnl_attr_put(message, NFTA_DATA_VALUE, length, bytes);
    mnl_attr_nest_end(message, data);
}

void nft_put_note(struct nlmsghdr *message, uint16_t type, uint8_t kind, const void *bytes,
                  uint8_t length)
{
    uint8_t note[2 + UINT8_MAX] = {kind, length};

    memcpy(note + 2, bytes, length);
    mnl_attr_put(message, type, 2U + length, note);
}

void nft_put_verdict(struct nlmsghdr *message, uint16_t type, struct nft_verdict verdict)
{
    struct nlattr *data = mnl_attr_nest_start(message, type);
    struct nlattr *inner = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

    nft_put_u32(message, NFTA_VERDICT_CODE, (uint32_t)verdict.code);
    if (verdict.chain != NULL)
        mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, verdict.chain);
    mnl_attr_nest_end(message, inner);
    mnl_attr_nest_end(message, data);
}

struct nft_expression nft_expression_start(struct nlmsghdr *message, uint16_t type,
                                           const char *name)
{
    struct nft_expression expression = {.whole = mnl_attr_nest_start(message, type)};

    mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
    expression.data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
    return expression;
}

void nft_expression_end(struct nlmsghdr *message, struct nft_expression expression)
{
    mnl_attr_nest_end(message, expression.data);
    mnl_attr_nest_end(message, expression.whole);
}

struct nlattr *nft_elements_start(struct nlmsghdr *message, const char *set)
{
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
    return mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
}

struct nlattr *nft_element_start(struct nlmsghdr *message, const void *key, size_t length)
{
    struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

    nft_put_value(message, NFTA_SET_ELEM_KEY, key, length);
    return element;
}
