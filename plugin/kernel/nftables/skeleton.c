#include "kernel/nftables/skeleton.h"

#include "kernel/ipvs.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/rule.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

void skeleton_ask(struct netlink_messages *messages)
{
    static const char *const chains[] = {NFT_FORWARD, NFT_JUDGE, NFT_REFUSAL, NFT_POSTROUTING};

    nft_message_add(messages, NFT_TABLE, NFT_MSG_GETSET, 0, NFTA_SET_NAME, NFT_MAP);
    for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++)
        nft_message_add(messages, NFT_TABLE, NFT_MSG_GETCHAIN, 0, NFTA_CHAIN_NAME, chains[i]);
    nft_message_add(messages, NFT_TABLE, NFT_MSG_GETRULE, NLM_F_DUMP, 0, NULL);
}

void skeleton_take_others(const struct nlmsghdr *message, struct others *out)
{
    struct others found;

    if (rule_read_others(message, NFT_JUDGE, &found) && found.verdict <= out->verdict)
        *out = found;
}

/* table inet imds_guard */
static void make_table(struct netlink_messages *messages)
{
    struct nlmsghdr *message =
        nft_message_start(messages, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);

    mnl_attr_put_strz(message, NFTA_TABLE_NAME, NFT_TABLE);
    nft_put_u32(message, NFTA_TABLE_FLAGS, 0);
    netlink_message_end(messages, message);
}

/* chain judge */
static void make_chain(struct netlink_messages *messages, const char *name)
{
    nft_message_add(messages, NFT_TABLE, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
                    NFTA_CHAIN_NAME, name);
}

/* chain forward { type filter hook forward priority mangle + 1; policy accept; } */
static void make_base_chain(struct netlink_messages *messages, const char *name, uint32_t number)
{
    struct nlmsghdr *message = nft_message_start(messages, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    struct nlattr *hook = NULL;

    mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, NFT_TABLE);
    mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
    hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
    nft_put_u32(message, NFTA_HOOK_HOOKNUM, number);
    nft_put_u32(message, NFTA_HOOK_PRIORITY, (uint32_t)NFT_PRIORITY);
    mnl_attr_nest_end(message, hook);
    nft_put_u32(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
    mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
    netlink_message_end(messages, message);
}

/* All base chains that there should be; they may be there already. */
static void make_base_chains(struct netlink_messages *messages, bool ipvs)
{
    make_base_chain(messages, NFT_FORWARD, NF_INET_FORWARD);
    if (ipvs)
        make_base_chain(messages, NFT_POSTROUTING, NF_INET_POST_ROUTING);
}

/* Where packets may be rejected, POSTROUTING is not, and the kernel takes no rule that tries. */
static void write_refusal(struct netlink_messages *messages)
{
    (ipvs_is_loaded() ? rule_to_drop : rules_to_refuse)(messages, NFT_REFUSAL);
}

/* The rules of all chains but `refuse`: what comes to the FORWARD hook, or to the POSTROUTING hook
 * past it, is judged. */
static void write_rules(struct netlink_messages *messages, const struct terms *terms,
                        const struct shape *shape, bool ipvs)
{
    rule_by_interface(messages, NFT_JUDGE, NFT_MAP);
    rule_for_others(messages, NFT_JUDGE, &shape->others);
    for (size_t i = 0; i < terms->endpoint_count; i++) {
        rule_to_endpoint(messages, NFT_FORWARD, &terms->endpoints[i], false, NFT_JUDGE);
        if (ipvs)
            rule_to_endpoint(messages, NFT_POSTROUTING, &terms->endpoints[i], true, NFT_JUDGE);
    }
}

void skeleton_make(struct netlink_messages *messages, const struct terms *terms,
                   const struct shape *shape)
{
    const bool ipvs = ipvs_is_loaded();

    make_table(messages);
    elements_make(messages, "counter");
    if (shape->refusing)
        skeleton_add_refusal(messages);
    make_chain(messages, NFT_JUDGE);
    make_base_chains(messages, ipvs);
    write_rules(messages, terms, shape, ipvs);
}

static void flush_chain(struct netlink_messages *messages, const char *chain)
{
    nft_message_add(messages, NFT_TABLE, NFT_MSG_DELRULE, 0, NFTA_RULE_CHAIN, chain);
}

void skeleton_renew_rules(struct netlink_messages *messages, const struct terms *terms,
                          const struct shape *shape)
{
    const bool ipvs = ipvs_is_loaded();

    make_base_chains(messages, ipvs);
    flush_chain(messages, NFT_FORWARD);
    flush_chain(messages, NFT_JUDGE);
    if (ipvs)
        flush_chain(messages, NFT_POSTROUTING);
    if (shape->refusing) {
        flush_chain(messages, NFT_REFUSAL);
        write_refusal(messages);
    }
    write_rules(messages, terms, shape, ipvs);
}

void skeleton_add_refusal(struct netlink_messages *messages)
{
    make_chain(messages, NFT_REFUSAL);
    write_refusal(messages);
}

void skeleton_explain_refusing(int refusal, struct error *err)
{
    if (refusal == EOPNOTSUPP || refusal == EINVAL)
        error_context(err,
                      "this kernel cannot reject packets (it is older than Linux 5.19, or has no "
                      "nft_fib or nft_reject): set \"deny\" to \"drop\"");
}

void skeleton_make_refusable(struct netlink_messages *messages)
{
    make_table(messages);
    elements_make(messages, "immediate");
}

void skeleton_retire(struct netlink_messages *messages)
{
    flush_chain(messages, NFT_JUDGE);
}

void skeleton_delete(struct netlink_messages *messages, const char *table)
{
    nft_message_add(messages, table, NFT_MSG_DELTABLE, 0, 0, NULL);
}
