#include "kernel/nftables/rule.h"

#include "kernel/nftables/reply.h"

#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* How the AWS VPC CNI calls the links to branch ENIs, with their VLAN's number behind. */
#define BRANCH_LINKS "vlan.eth."

/* --- expressions -------------------------------------------------------------------------------- */

/* meta <key> into register 1 */
static void put_meta(struct nlmsghdr *rule, uint32_t key)
{
    struct nft_expression meta = nft_expression_start(rule, NFTA_LIST_ELEM, "meta");

    nft_put_u32(rule, NFTA_META_KEY, key);
    nft_put_u32(rule, NFTA_META_DREG, NFT_REG_1);
    nft_expression_end(rule, meta);
}

/* goes on if register 1 has this value, or another one: NFT_CMP_EQ, NFT_CMP_NEQ */
static void put_comparison(struct nlmsghdr *rule, uint32_t how, const void *value, size_t length)
{
    struct nft_expression compare = nft_expression_start(rule, NFTA_LIST_ELEM, "cmp");

    nft_put_u32(rule, NFTA_CMP_SREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_CMP_OP, how);
    nft_put_value(rule, NFTA_CMP_DATA, value, length);
    nft_expression_end(rule, compare);
}

/* the verdict that a map has for what is in register 1 */
static void put_lookup(struct nlmsghdr *rule, const char *map)
{
    struct nft_expression lookup = nft_expression_start(rule, NFTA_LIST_ELEM, "lookup");

    mnl_attr_put_strz(rule, NFTA_LOOKUP_SET, map);
    nft_put_u32(rule, NFTA_LOOKUP_SREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
    nft_put_u32(rule, NFTA_LOOKUP_FLAGS, 0);
    nft_expression_end(rule, lookup);
}

static void put_verdict(struct nlmsghdr *rule, struct nft_verdict verdict)
{
    struct nft_expression immediate = nft_expression_start(rule, NFTA_LIST_ELEM, "immediate");

    nft_put_u32(rule, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    nft_put_verdict(rule, NFTA_IMMEDIATE_DATA, verdict);
    nft_expression_end(rule, immediate);
}

/* so many bytes of the network header from there on into register 1 */
static void put_header(struct nlmsghdr *rule, uint32_t offset, uint32_t length)
{
    struct nft_expression payload = nft_expression_start(rule, NFTA_LIST_ELEM, "payload");

    nft_put_u32(rule, NFTA_PAYLOAD_DREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
    nft_put_u32(rule, NFTA_PAYLOAD_OFFSET, offset);
    nft_put_u32(rule, NFTA_PAYLOAD_LEN, length);
    nft_expression_end(rule, payload);
}

/* register 1, of so many bytes, without the bits behind the prefix */
static void put_mask(struct nlmsghdr *rule, unsigned prefix, uint32_t length)
{
    static const uint8_t nothing[16];
    struct nft_expression bitwise = nft_expression_start(rule, NFTA_LIST_ELEM, "bitwise");
    uint8_t mask[16] = {0};

    for (unsigned bit = 0; bit < prefix; bit++)
        mask[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
    nft_put_u32(rule, NFTA_BITWISE_SREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_BITWISE_DREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_BITWISE_LEN, length);
    nft_put_value(rule, NFTA_BITWISE_MASK, mask, length);
    nft_put_value(rule, NFTA_BITWISE_XOR, nothing, length);
    nft_expression_end(rule, bitwise);
}

/* Where a header has the destination: RFC 791, RFC 8200. */
struct header {
    uint8_t protocol;
    uint32_t destination;
    uint32_t length; /* of an address */
};

/* @nh,128,32 0xa9fea9fe ip daddr 169.254.169.254: the former also goes on if that is what is there in a
 * packet of the other family, which is looked at behind it: before it this one would cost more. */
static void put_destination(struct nlmsghdr *rule, const struct endpoint *endpoint)
{
    static const struct header headers[] = {
        [FAMILY_IPV4] = {NFPROTO_IPV4, 16, 4}, [FAMILY_IPV6] = {NFPROTO_IPV6, 24, 16}};
    const struct header *header = &headers[endpoint->family];
    /* What the kernel compares in one go. */
    const uint32_t beginning = endpoint->prefix >= 32   ? 4
                               : endpoint->prefix >= 16 ? 2
                                                        : endpoint->prefix / 8;

    if (beginning > 0) {
        put_header(rule, header->destination, beginning);
        put_comparison(rule, NFT_CMP_EQ, endpoint->address, beginning);
    }
    put_meta(rule, NFT_META_NFPROTO);
    put_comparison(rule, NFT_CMP_EQ, &header->protocol, sizeof(header->protocol));
    put_header(rule, header->destination, header->length);
    if (endpoint->prefix < 8 * header->length)
        put_mask(rule, endpoint->prefix, header->length);
    put_comparison(rule, NFT_CMP_EQ, endpoint->address, header->length);
}

/* fib saddr . iif oif missing: goes on unless the node would send to the packet's source by the interface
 * that it came in through */
static void put_no_way_back(struct nlmsghdr *rule)
{
    static const uint32_t missing = 0; /* the whole register, as nft(8) compares it */
    struct nft_expression fib = nft_expression_start(rule, NFTA_LIST_ELEM, "fib");

    nft_put_u32(rule, NFTA_FIB_DREG, NFT_REG_1);
    nft_put_u32(rule, NFTA_FIB_RESULT, NFT_FIB_RESULT_OIF);
    nft_put_u32(rule, NFTA_FIB_FLAGS, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT);
    nft_expression_end(rule, fib);
    put_comparison(rule, NFT_CMP_EQ, &missing, sizeof(missing));
}

/* `code` counts where the type has one. */
static void put_rejection(struct nlmsghdr *rule, uint32_t type, uint8_t code)
{
    struct nft_expression reject = nft_expression_start(rule, NFTA_LIST_ELEM, "reject");

    nft_put_u32(rule, NFTA_REJECT_TYPE, type);
    if (type != NFT_REJECT_TCP_RST)
        mnl_attr_put_u8(rule, NFTA_REJECT_ICMP_CODE, code);
    nft_expression_end(rule, reject);
}

/* --- rules -------------------------------------------------------------------------------------- */

/* A rule that is being appended to a chain. */
struct draft {
    struct nlmsghdr *rule;
    struct nlattr *expressions;
};

static struct draft begin(struct netlink_messages *messages, const char *chain)
{
    struct draft draft = {
        .rule = nft_message_start(messages, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)};

    mnl_attr_put_strz(draft.rule, NFTA_RULE_TABLE, NFT_TABLE);
    mnl_attr_put_strz(draft.rule, NFTA_RULE_CHAIN, chain);
    draft.expressions = mnl_attr_nest_start(draft.rule, NFTA_RULE_EXPRESSIONS);
    return draft;
}

static void append(struct netlink_messages *messages, struct draft draft)
{
    mnl_attr_nest_end(draft.rule, draft.expressions);
    netlink_message_end(messages, draft.rule);
}

void rule_to_endpoint(struct netlink_messages *messages, const char *chain,
                      const struct endpoint *endpoint, bool forwarded, const char *target)
{
    static const uint32_t none = 0;
    struct draft draft = begin(messages, chain);

    put_destination(draft.rule, endpoint);
    /* iif != 0: goes on if the packet came in through a link. What the node sends came in through none, which
     * has number 0. (Its iiftype would be that of the link that it goes out by.) */
    if (forwarded) {
        put_meta(draft.rule, NFT_META_IIF);
        put_comparison(draft.rule, NFT_CMP_NEQ, &none, sizeof(none));
    }
    put_verdict(draft.rule, (struct nft_verdict){NFT_GOTO, target});
    append(messages, draft);
}

void rule_by_interface(struct netlink_messages *messages, const char *chain, const char *map)
{
    struct draft draft = begin(messages, chain);

    put_meta(draft.rule, NFT_META_IIFNAME);
    put_lookup(draft.rule, map);
    append(messages, draft);
}

void rule_for_others(struct netlink_messages *messages, const char *chain,
                     const struct others *others)
{
    struct draft draft = begin(messages, chain);
    struct nft_expression counter = nft_expression_start(draft.rule, NFTA_LIST_ELEM, "counter");

    nft_put_u64(draft.rule, NFTA_COUNTER_BYTES, others->bytes);
    nft_put_u64(draft.rule, NFTA_COUNTER_PACKETS, others->packets);
    nft_expression_end(draft.rule, counter);
    put_verdict(draft.rule, nft_verdict_of(others->verdict));
    append(messages, draft);
}

bool rule_read_others(const struct nlmsghdr *message, const char *chain, struct others *out)
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
        others.verdict = nft_verdict_meaning(&verdict);
    }
    if (counts && ends)
        *out = others;
    return counts && ends;
}

void rule_to_drop(struct netlink_messages *messages, const char *chain)
{
    struct draft draft = begin(messages, chain);

    put_verdict(draft.rule, (struct nft_verdict){NF_DROP, NULL});
    append(messages, draft);
}

void rules_to_refuse(struct netlink_messages *messages, const char *chain)
{
    static const uint8_t tcp = IPPROTO_TCP;
    struct draft draft = begin(messages, chain);

    /* The beginning of a name, as nft(8) has it for a wildcard. */
    put_meta(draft.rule, NFT_META_OIFNAME);
    put_comparison(draft.rule, NFT_CMP_EQ, BRANCH_LINKS, strlen(BRANCH_LINKS));
    put_verdict(draft.rule, (struct nft_verdict){NF_DROP, NULL});
    append(messages, draft);

    draft = begin(messages, chain);
    put_no_way_back(draft.rule);
    put_verdict(draft.rule, (struct nft_verdict){NF_DROP, NULL});
    append(messages, draft);

    draft = begin(messages, chain);
    put_meta(draft.rule, NFT_META_L4PROTO);
    put_comparison(draft.rule, NFT_CMP_EQ, &tcp, sizeof(tcp));
    put_rejection(draft.rule, NFT_REJECT_TCP_RST, 0);
    append(messages, draft);

    draft = begin(messages, chain);
    put_rejection(draft.rule, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
    append(messages, draft);
}
