#include "kernel/nftables/skeleton.h"

#include "kernel/ipvs.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/endpoints.h"
#include "kernel/nftables/rule.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#define FORWARD "forward"
#define JUDGE   "judge"

static const char *const chains[] = {FORWARD, JUDGE, NFT_REFUSAL, NFT_POSTROUTING};

#define EACH(item, table)                                                                          \
    const __typeof__(*(table)) *item = (table);                                                    \
    item < (table) + sizeof(table) / sizeof(*(table));                                             \
    item++

static void cleanup_table(struct nftnl_table **table)
{
    if (*table != NULL)
        nftnl_table_free(*table);
}

static void cleanup_chain(struct nftnl_chain **chain)
{
    if (*chain != NULL)
        nftnl_chain_free(*chain);
}

int skeleton_ask(struct nft_messages *messages, struct error *err)
{
    bool added =
        nft_messages_add_name_in(messages, NFT_FORMER_TABLE, NFT_MSG_GETTABLE, 0, 0, NULL) &&
        nft_messages_add_name(messages, NFT_MSG_GETTABLE, 0, 0, NULL) &&
        nft_messages_add_name(messages, NFT_MSG_GETSET, 0, NFTA_SET_NAME, NFT_MAP);

    for (EACH(chain, chains))
        added =
            added && nft_messages_add_name(messages, NFT_MSG_GETCHAIN, 0, NFTA_CHAIN_NAME, *chain);
    for (EACH(set, endpoint_sets))
        added =
            added && nft_messages_add_name(messages, NFT_MSG_GETSET, 0, NFTA_SET_NAME, set->name);
    added = added && nft_messages_add_name(messages, NFT_MSG_GETRULE, NLM_F_DUMP, 0, NULL);
    return added ? 0 : error_no_memory(err);
}

void skeleton_take_others(const struct nlmsghdr *message, struct others *out)
{
    struct others found;

    if (rule_read_others(message, JUDGE, NFT_REFUSAL, &found) && found.verdict <= out->verdict)
        *out = found;
}

/* table inet imds_guard */
static int make_table(struct nft_messages *messages, struct error *err)
{
    cleanup(table) struct nftnl_table *table = nftnl_table_alloc();
    struct nlmsghdr *message =
        nft_messages_start(messages, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);

    if (table == NULL || message == NULL)
        return error_no_memory(err);
    nftnl_table_set_str(table, NFTNL_TABLE_NAME, NFT_TABLE);
    nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, 0);
    nftnl_table_nlmsg_build_payload(message, table);
    nft_messages_end(messages, message);
    return 0;
}

/* chain judge */
static int make_chain(struct nft_messages *messages, const char *name, struct error *err)
{
    return nft_messages_add_name(messages, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
                                 NFTA_CHAIN_NAME, name)
               ? 0
               : error_no_memory(err);
}

/* chain forward { type filter hook forward priority mangle + 1; policy accept; } */
static int make_base_chain(struct nft_messages *messages, const char *name, uint32_t hook,
                           struct error *err)
{
    cleanup(chain) struct nftnl_chain *chain = nftnl_chain_alloc();
    struct nlmsghdr *message = nft_messages_start(messages, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

    if (chain == NULL || message == NULL)
        return error_no_memory(err);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NFT_TABLE);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
    nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, NFT_PRIORITY);
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    nftnl_chain_nlmsg_build_payload(message, chain);
    nft_messages_end(messages, message);
    return 0;
}

/* All chains that there should be; a base chain may be there already. */
static int make_chains(struct nft_messages *messages, bool ipvs, struct error *err)
{
    if (make_base_chain(messages, FORWARD, NF_INET_FORWARD, err) < 0)
        return -1;
    return ipvs ? make_base_chain(messages, NFT_POSTROUTING, NF_INET_POST_ROUTING, err) : 0;
}

/* Where packets may be rejected, POSTROUTING is not, and the kernel takes no rule that tries. */
static int write_refusal(struct nft_messages *messages, struct error *err)
{
    return ipvs_is_loaded() ? rule_to_drop(messages, NFT_REFUSAL, err)
                            : rules_to_refuse(messages, NFT_REFUSAL, err);
}

/* The rules of all chains but `refuse`: what comes to the FORWARD hook, or to the POSTROUTING hook
 * past it, is judged. */
static int write_rules(struct nft_messages *messages, const struct others *others, bool ipvs,
                       struct error *err)
{
    if (rule_by_interface(messages, JUDGE, NFT_MAP, err) < 0 ||
        rule_for_others(messages, JUDGE, others, NFT_REFUSAL, err) < 0)
        return -1;
    for (EACH(set, endpoint_sets))
        if (rule_to_endpoints(messages, FORWARD, set, JUDGE, err) < 0)
            return -1;
    if (!ipvs)
        return 0;
    for (EACH(set, endpoint_sets))
        if (rule_to_endpoints_if_forwarded(messages, NFT_POSTROUTING, set, JUDGE, err) < 0)
            return -1;
    return 0;
}

int skeleton_make(struct nft_messages *messages, const struct terms *terms,
                  const struct others *others, bool refusing, struct error *err)
{
    const bool ipvs = ipvs_is_loaded();

    if (make_table(messages, err) < 0)
        return -1;
    for (EACH(set, endpoint_sets))
        if (endpoints_make(messages, set, terms, err) < 0)
            return -1;
    if (elements_make(messages, err) < 0 || (refusing && skeleton_add_refusal(messages, err) < 0) ||
        make_chain(messages, JUDGE, err) < 0 || make_chains(messages, ipvs, err) < 0)
        return -1;
    return write_rules(messages, others, ipvs, err);
}

static int flush_chain(struct nft_messages *messages, const char *chain, struct error *err)
{
    return nft_messages_add_name(messages, NFT_MSG_DELRULE, 0, NFTA_RULE_CHAIN, chain)
               ? 0
               : error_no_memory(err);
}

int skeleton_renew_rules(struct nft_messages *messages, const struct others *others, bool refusing,
                         struct error *err)
{
    const bool ipvs = ipvs_is_loaded();

    if (make_chains(messages, ipvs, err) < 0 || flush_chain(messages, FORWARD, err) < 0 ||
        flush_chain(messages, JUDGE, err) < 0 ||
        (ipvs && flush_chain(messages, NFT_POSTROUTING, err) < 0))
        return -1;
    if (refusing &&
        (flush_chain(messages, NFT_REFUSAL, err) < 0 || write_refusal(messages, err) < 0))
        return -1;
    return write_rules(messages, others, ipvs, err);
}

int skeleton_add_refusal(struct nft_messages *messages, struct error *err)
{
    return make_chain(messages, NFT_REFUSAL, err) < 0 ? -1 : write_refusal(messages, err);
}

void skeleton_explain_refusing(int refusal, struct error *err)
{
    if (refusal == EOPNOTSUPP || refusal == EINVAL)
        error_context(err,
                      "this kernel cannot reject packets (it is older than Linux 5.19, or has no "
                      "nft_fib or nft_reject): set \"deny\" to \"drop\"");
}

int skeleton_make_refusable(struct nft_messages *messages, struct error *err)
{
    if (make_table(messages, err) < 0)
        return -1;
    return elements_make_refusable(messages, err);
}

int skeleton_renew_endpoints(struct nft_messages *messages, const struct terms *terms,
                             struct error *err)
{
    for (EACH(set, endpoint_sets))
        if (endpoints_renew(messages, set, terms, err) < 0)
            return -1;
    return 0;
}

int skeleton_keep_endpoints(struct nft_messages *messages, const struct terms *terms,
                            struct error *err)
{
    for (EACH(set, endpoint_sets))
        if (endpoints_add(messages, set, terms, err) < 0)
            return -1;
    return 0;
}

int skeleton_delete(struct nft_messages *messages, const char *table, struct error *err)
{
    return nft_messages_add_name_in(messages, table, NFT_MSG_DELTABLE, 0, 0, NULL)
               ? 0
               : error_no_memory(err);
}
