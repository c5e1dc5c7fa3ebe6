#include "kernel/nftables/reply.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

int nft_reply_type(const struct nlmsghdr *message)
{
    if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
        return -1;
    return NFNL_MSG_TYPE(message->nlmsg_type);
}

void nft_reply_attributes(const struct nlmsghdr *message, struct attributes *out)
{
    attributes_read(message, sizeof(struct nfgenmsg), out);
}

bool nft_reply_generation(const struct nlmsghdr *message, uint32_t *out)
{
    struct attributes attributes;

    if (nft_reply_type(message) != NFT_MSG_NEWGEN)
        return false;
    nft_reply_attributes(message, &attributes);
    return attribute_be32(&attributes, NFTA_GEN_ID, out);
}

bool nft_reply_elements(const struct nlmsghdr *message, struct nft_elements *out)
{
    struct attributes attributes;
    const char *table = NULL;
    const char *set = NULL;

    if (nft_reply_type(message) != NFT_MSG_NEWSETELEM)
        return false;
    nft_reply_attributes(message, &attributes);
    table = attribute_text(&attributes, NFTA_SET_ELEM_LIST_TABLE);
    set = attribute_text(&attributes, NFTA_SET_ELEM_LIST_SET);
    if (table == NULL || set == NULL)
        return false;
    *out = (struct nft_elements){table, set, attributes.at[NFTA_SET_ELEM_LIST_ELEMENTS]};
    return true;
}

/* { length, type, text with a NUL } among others like it: what nft(8) shows as `comment`. */
static const char *element_comment(const struct nlattr *user_data)
{
    const uint8_t *at = NULL;
    size_t left = 0;

    if (user_data == NULL)
        return NULL;
    at = mnl_attr_get_payload(user_data);
    left = mnl_attr_get_payload_len(user_data);
    while (left >= 2 && left - 2 >= at[1]) {
        size_t length = at[1];

        if (at[0] == NFT_NOTE_COMMENT)
            return length > 0 && at[1 + length] == '\0' ? (const char *)at + 2 : NULL;
        at += 2 + length;
        left -= 2 + length;
    }
    return NULL;
}

/* The data of an expression of this name. */
static bool read_expression(const struct nlattr *expression, const char *name,
                            struct attributes *data)
{
    struct attributes attributes;

    attributes_nested(expression, &attributes);
    if (!attribute_is(&attributes, NFTA_EXPR_NAME, name))
        return false;
    attributes_nested(attributes.at[NFTA_EXPR_DATA], data);
    return true;
}

bool nft_reply_counter(const struct nlattr *expression, uint64_t *packets, uint64_t *bytes)
{
    struct attributes counter;

    if (!read_expression(expression, "counter", &counter))
        return false;
    attribute_be64(&counter, NFTA_COUNTER_PACKETS, packets);
    attribute_be64(&counter, NFTA_COUNTER_BYTES, bytes);
    return true;
}

static bool read_verdict(const struct nlattr *data, struct nft_verdict *out)
{
    struct attributes attributes;
    struct attributes verdict;
    uint32_t code = 0;

    attributes_nested(data, &attributes);
    attributes_nested(attributes.at[NFTA_DATA_VERDICT], &verdict);
    if (!attribute_be32(&verdict, NFTA_VERDICT_CODE, &code))
        return false;
    *out = (struct nft_verdict){(int32_t)code, attribute_text(&verdict, NFTA_VERDICT_CHAIN)};
    return true;
}

bool nft_reply_immediate(const struct nlattr *expression, struct nft_verdict *out)
{
    struct attributes immediate;

    return read_expression(expression, "immediate", &immediate) &&
           read_verdict(immediate.at[NFTA_IMMEDIATE_DATA], out);
}

struct nft_verdict nft_verdict_of(enum verdict verdict)
{
    static const struct nft_verdict verdicts[] = {[VERDICT_DROP] = {NF_DROP, NULL},
                                                  [VERDICT_REJECT] = {NFT_GOTO, NFT_REFUSAL},
                                                  [VERDICT_PASS] = {NFT_RETURN, NULL}};

    return verdicts[verdict];
}

enum verdict nft_verdict_meaning(const struct nft_verdict *verdict)
{
    if (verdict->code == NF_DROP)
        return VERDICT_DROP;
    return verdict->code == NFT_GOTO && verdict->chain != NULL &&
                   strcmp(verdict->chain, NFT_REFUSAL) == 0
               ? VERDICT_REJECT
               : VERDICT_PASS;
}

bool nft_reply_next_element(const struct nft_elements *elements, const struct nlattr **cursor,
                            struct nft_element *out)
{
    struct attributes attributes;
    struct attributes key;
    const struct nlattr *next = attribute_next(elements->list, *cursor);

    /* The kernel gives every item the type NFTA_LIST_ELEM, nft(8)'s library counts them: it
     * says nothing. */
    if (next == NULL)
        return false;
    *cursor = next;
    *out = (struct nft_element){0};
    attributes_nested(next, &attributes);
    attributes_nested(attributes.at[NFTA_SET_ELEM_KEY], &key);
    if (key.at[NFTA_DATA_VALUE] != NULL) {
        out->key = mnl_attr_get_payload(key.at[NFTA_DATA_VALUE]);
        out->key_length = mnl_attr_get_payload_len(key.at[NFTA_DATA_VALUE]);
    }
    attribute_be32(&attributes, NFTA_SET_ELEM_FLAGS, &out->flags);
    attribute_be64(&attributes, NFTA_SET_ELEM_TIMEOUT, &out->timeout);
    out->has_verdict = read_verdict(attributes.at[NFTA_SET_ELEM_DATA], &out->verdict);
    (void)!nft_reply_counter(attributes.at[NFTA_SET_ELEM_EXPR], &out->packets, &out->bytes);
    out->comment = element_comment(attributes.at[NFTA_SET_ELEM_USERDATA]);
    return true;
}
