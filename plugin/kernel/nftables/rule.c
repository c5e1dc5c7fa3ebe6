#include "kernel/nftables/rule.h"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

static void cleanup_rule(struct nftnl_rule **rule)
{
    if (*rule != NULL)
        nftnl_rule_free(*rule);
}

/* Adds an expression to the rule. False if out of memory; else *out is the rule's. */
static bool add_expression(struct nftnl_rule *rule, const char *name, struct nftnl_expr **out)
{
    *out = nftnl_expr_alloc(name);
    if (*out != NULL)
        nftnl_rule_add_expr(rule, *out);
    return *out != NULL;
}

/* meta <key> into register 1 */
static bool add_meta(struct nftnl_rule *rule, uint32_t key)
{
    struct nftnl_expr *meta = NULL;

    if (!add_expression(rule, "meta", &meta))
        return false;
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, NFT_REG_1);
    return true;
}

/* meta nfproto ipv4, in an inet table the condition for looking into an IPv4 header */
static bool add_protocol_check(struct nftnl_rule *rule, const struct endpoint_set *endpoints)
{
    struct nftnl_expr *compare = NULL;

    if (!add_meta(rule, NFT_META_NFPROTO) || !add_expression(rule, "cmp", &compare))
        return false;
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
    nftnl_expr_set_u8(compare, NFTNL_EXPR_CMP_DATA, endpoints->protocol);
    return true;
}

/* What is in register 1, looked up in a set; for a map, the verdict found there is carried out. */
static bool add_lookup(struct nftnl_rule *rule, const char *set, bool map)
{
    struct nftnl_expr *lookup = NULL;

    if (!add_expression(rule, "lookup", &lookup))
        return false;
    nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(lookup, NFTNL_EXPR_LOOKUP_SET, set);
    nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_FLAGS, 0);
    if (map)
        nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    return true;
}

/* ip daddr @endpoints4 */
static bool add_destination(struct nftnl_rule *rule, const struct endpoint_set *endpoints)
{
    struct nftnl_expr *payload = NULL;

    if (!add_expression(rule, "payload", &payload))
        return false;
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_OFFSET, endpoints->destination_offset);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_LEN, endpoints->length);
    return add_lookup(rule, endpoints->name, false);
}

/* iifname vmap @in */
static bool add_guards(struct nftnl_rule *rule, uint32_t interface_key, const char *map)
{
    return add_meta(rule, interface_key) && add_lookup(rule, map, true);
}

int rule_make(struct nft_messages *messages, const char *chain,
              const struct endpoint_set *endpoints, uint32_t interface_key, const char *map,
              struct error *err)
{
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();
    struct nlmsghdr *message =
        nft_messages_start(messages, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

    if (rule == NULL || message == NULL || !add_protocol_check(rule, endpoints) ||
        !add_destination(rule, endpoints) || !add_guards(rule, interface_key, map))
        return error_no_memory(err);
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
    nftnl_rule_nlmsg_build_payload(message, rule);
    nft_messages_end(messages, message);
    return 0;
}
