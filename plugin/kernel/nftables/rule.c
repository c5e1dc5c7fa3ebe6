#include "kernel/nftables/rule.h"

#include "kernel/nftables/attributes.h"
#include "kernel/nftables/reply.h"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* How the AWS VPC CNI calls the links to branch ENIs, with their VLAN's number behind. */
#define BRANCH_LINKS "vlan.eth."

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

/* goes on if register 1 has this value, or another one: NFT_CMP_EQ, NFT_CMP_NEQ */
static bool add_comparison_by(struct nftnl_rule *rule, uint32_t operator, const void * value,
                              uint32_t length)
{
    struct nftnl_expr *compare = NULL;

    if (!add_expression(rule, "cmp", &compare))
        return false;
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, operator);
    nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, value, length);
    return true;
}

static bool add_comparison(struct nftnl_rule *rule, const void *value, uint32_t length)
{
    return add_comparison_by(rule, NFT_CMP_EQ, value, length);
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

/* drop, return, or (with a chain) goto */
static bool add_verdict(struct nftnl_rule *rule, int code, const char *chain)
{
    struct nftnl_expr *immediate = NULL;

    if (!add_expression(rule, "immediate", &immediate))
        return false;
    nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
    if (chain != NULL)
        nftnl_expr_set_str(immediate, NFTNL_EXPR_IMM_CHAIN, chain);
    return true;
}

/* ip daddr @endpoints4; in an inet table that takes a look at the protocol first. */
static bool add_destination(struct nftnl_rule *rule, const struct endpoint_set *endpoints)
{
    struct nftnl_expr *payload = NULL;

    if (!add_meta(rule, NFT_META_NFPROTO) ||
        !add_comparison(rule, &endpoints->protocol, sizeof(endpoints->protocol)) ||
        !add_expression(rule, "payload", &payload))
        return false;
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_OFFSET, endpoints->destination_offset);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_LEN, endpoints->length);
    return add_lookup(rule, endpoints->name, false);
}

/* iif != 0: goes on if the packet came in through a link. What the node sends came in through none, which
 * has number 0. (Its iiftype would be that of the link that it goes out by.) */
static bool add_forwarded(struct nftnl_rule *rule)
{
    static const uint32_t none = 0;

    return add_meta(rule, NFT_META_IIF) &&
           add_comparison_by(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

static bool add_counter(struct nftnl_rule *rule, const struct others *others)
{
    struct nftnl_expr *counter = NULL;

    if (!add_expression(rule, "counter", &counter))
        return false;
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, others->packets);
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, others->bytes);
    return true;
}

/* fib saddr . iif oif missing: into register 1, whether the node would send to the packet's source by
 * the interface it came in through */
static bool add_way_back(struct nftnl_rule *rule)
{
    struct nftnl_expr *fib = NULL;

    if (!add_expression(rule, "fib", &fib))
        return false;
    nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
    nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF);
    nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_FLAGS,
                       NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT);
    return true;
}

/* `code` counts where the type has one. */
static bool add_rejection(struct nftnl_rule *rule, uint32_t type, uint8_t code)
{
    struct nftnl_expr *reject = NULL;

    if (!add_expression(rule, "reject", &reject))
        return false;
    nftnl_expr_set_u32(reject, NFTNL_EXPR_REJECT_TYPE, type);
    if (type != NFT_REJECT_TCP_RST)
        nftnl_expr_set_u8(reject, NFTNL_EXPR_REJECT_CODE, code);
    return true;
}

/* Appends the rule to the chain; `complete` is false if an expression could not be had. */
static int append(struct nft_messages *messages, const char *chain, struct nftnl_rule *rule,
                  bool complete, struct error *err)
{
    struct nlmsghdr *message =
        nft_messages_start(messages, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

    if (message == NULL || !complete)
        return error_no_memory(err);
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
    nftnl_rule_nlmsg_build_payload(message, rule);
    nft_messages_end(messages, message);
    return 0;
}

int rule_to_endpoints(struct nft_messages *messages, const char *chain,
                      const struct endpoint_set *endpoints, const char *target, struct error *err)
{
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

    return append(messages, chain, rule,
                  rule != NULL && add_destination(rule, endpoints) &&
                      add_verdict(rule, NFT_GOTO, target),
                  err);
}

int rule_to_endpoints_if_forwarded(struct nft_messages *messages, const char *chain,
                                   const struct endpoint_set *endpoints, const char *target,
                                   struct error *err)
{
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

    return append(messages, chain, rule,
                  rule != NULL && add_destination(rule, endpoints) && add_forwarded(rule) &&
                      add_verdict(rule, NFT_GOTO, target),
                  err);
}

int rule_by_interface(struct nft_messages *messages, const char *chain, const char *map,
                      struct error *err)
{
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

    return append(messages, chain, rule,
                  rule != NULL && add_meta(rule, NFT_META_IIFNAME) && add_lookup(rule, map, true),
                  err);
}

int rule_for_others(struct nft_messages *messages, const char *chain, const struct others *others,
                    const char *refusal, struct error *err)
{
    static const int codes[] = {
        [VERDICT_DROP] = NF_DROP, [VERDICT_REJECT] = NFT_GOTO, [VERDICT_PASS] = NFT_RETURN};
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

    return append(messages, chain, rule,
                  rule != NULL && add_counter(rule, others) &&
                      add_verdict(rule, codes[others->verdict],
                                  others->verdict == VERDICT_REJECT ? refusal : NULL),
                  err);
}

bool rule_read_others(const struct nlmsghdr *message, const char *chain, const char *refusal,
                      struct others *out)
{
    struct attributes rule;
    struct others others = {.verdict = VERDICT_PASS};
    const struct nlattr *item = NULL;
    bool counts = false;
    bool ends = false;

    if (nft_reply_type(message) != NFT_MSG_NEWRULE)
        return false;
    nft_reply_attributes(message, &rule);
    if (!attribute_is(&rule, NFTA_RULE_TABLE, NFT_TABLE) ||
        !attribute_is(&rule, NFTA_RULE_CHAIN, chain))
        return false;
    while ((item = attribute_next(rule.at[NFTA_RULE_EXPRESSIONS], item)) != NULL) {
        struct nft_verdict verdict;

        counts = nft_reply_counter(item, &others.packets, &others.bytes) || counts;
        if (!nft_reply_immediate(item, &verdict))
            continue;
        ends = true;
        others.verdict = nft_verdict_meaning(&verdict, refusal);
    }
    if (counts && ends)
        *out = others;
    return counts && ends;
}

/* oifname "vlan.eth.*" drop: the beginning of a name, as nft(8) has it for a wildcard. */
static bool add_branch_drop(struct nftnl_rule *rule)
{
    return add_meta(rule, NFT_META_OIFNAME) &&
           add_comparison(rule, BRANCH_LINKS, strlen(BRANCH_LINKS)) &&
           add_verdict(rule, NF_DROP, NULL);
}

static bool add_unreachable_drop(struct nftnl_rule *rule)
{
    static const uint32_t missing = 0; /* the whole register, as nft(8) compares it */

    return add_way_back(rule) && add_comparison(rule, &missing, sizeof(missing)) &&
           add_verdict(rule, NF_DROP, NULL);
}

static bool add_reset(struct nftnl_rule *rule)
{
    static const uint8_t tcp = IPPROTO_TCP;

    return add_meta(rule, NFT_META_L4PROTO) && add_comparison(rule, &tcp, sizeof(tcp)) &&
           add_rejection(rule, NFT_REJECT_TCP_RST, 0);
}

static bool add_prohibition(struct nftnl_rule *rule)
{
    return add_rejection(rule, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

int rule_to_drop(struct nft_messages *messages, const char *chain, struct error *err)
{
    cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

    return append(messages, chain, rule, rule != NULL && add_verdict(rule, NF_DROP, NULL), err);
}

int rules_to_refuse(struct nft_messages *messages, const char *chain, struct error *err)
{
    static bool (*const fill[])(struct nftnl_rule *) = {add_branch_drop, add_unreachable_drop,
                                                        add_reset, add_prohibition};

    for (size_t i = 0; i < sizeof(fill) / sizeof(*fill); i++) {
        cleanup(rule) struct nftnl_rule *rule = nftnl_rule_alloc();

        if (append(messages, chain, rule, rule != NULL && fill[i](rule), err) < 0)
            return -1;
    }
    return 0;
}
