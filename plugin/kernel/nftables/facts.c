#include "kernel/nftables/facts.h"

#include "guard/array.h"
#include "kernel/nftables/reply.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append to `how`; what does not fit is cut. Bytes for rules: every ADD reads some dozens. */
static void add_bytes(struct nft_fact *fact, const void *bytes, size_t length)
{
    size_t room = sizeof(fact->how) - 1 - fact->length;

    length = length < room ? length : room;
    memcpy(fact->how + fact->length, bytes, length);
    fact->length += length;
}

__attribute__((format(printf, 2, 3))) static void add_text(struct nft_fact *fact,
                                                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fact->how + fact->length, sizeof(fact->how) - fact->length, format, args);
    va_end(args);
    fact->length += strlen(fact->how + fact->length);
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

static void describe_table(const struct attributes *table, struct nft_fact *out)
{
    uint32_t flags = 0;

    attribute_be32(table, NFTA_TABLE_FLAGS, &flags);
    add_text(out, flags & NFT_TABLE_F_DORMANT ? "dormant" : "active");
    if (flags & ~(uint32_t)NFT_TABLE_F_DORMANT)
        add_text(out, " with flags %#x", flags);
}

static void describe_chain(const struct attributes *chain, struct nft_fact *out)
{
    static const char *const hooks[] = {
        [NF_INET_PRE_ROUTING] = "prerouting",   [NF_INET_LOCAL_IN] = "input",
        [NF_INET_FORWARD] = "forward",          [NF_INET_LOCAL_OUT] = "output",
        [NF_INET_POST_ROUTING] = "postrouting",
    };
    struct attributes hook;
    uint32_t number = UINT32_MAX;
    uint32_t priority = 0;
    uint32_t policy = NF_ACCEPT;

    attributes_nested(chain->at[NFTA_CHAIN_HOOK], &hook);
    if (!attribute_be32(&hook, NFTA_HOOK_HOOKNUM, &number)) {
        add_text(out, "at no hook");
        return;
    }
    attribute_be32(&hook, NFTA_HOOK_PRIORITY, &priority);
    attribute_be32(chain, NFTA_CHAIN_POLICY, &policy);
    add_text(out, "type %s hook %s priority %d policy %s",
             or_nothing(attribute_text(chain, NFTA_CHAIN_TYPE)),
             number < sizeof(hooks) / sizeof(*hooks) ? hooks[number] : "unknown", (int)priority,
             policy == NF_ACCEPT ? "accept" : "drop");
}

static void describe_set(const struct attributes *set, struct nft_fact *out)
{
    struct attributes about;
    struct attributes expression;
    uint32_t flags = 0;
    uint32_t key_type = 0;
    uint32_t key_length = 0;
    uint32_t data_type = 0;
    uint32_t size = 0;
    uint64_t timeout = 0;

    attribute_be32(set, NFTA_SET_FLAGS, &flags);
    attribute_be32(set, NFTA_SET_KEY_TYPE, &key_type);
    attribute_be32(set, NFTA_SET_KEY_LEN, &key_length);
    attributes_nested(set->at[NFTA_SET_DESC], &about);
    attribute_be32(&about, NFTA_SET_DESC_SIZE, &size);
    attributes_nested(set->at[NFTA_SET_EXPR], &expression);
    add_text(out, "flags %#x key type %u of %u bytes", flags, key_type, key_length);
    if (attribute_be32(set, NFTA_SET_DATA_TYPE, &data_type))
        add_text(out, " data type %#x", data_type);
    if (size != 0)
        add_text(out, " size %u", size);
    attribute_be64(set, NFTA_SET_TIMEOUT, &timeout);
    if (timeout != 0)
        add_text(out, " timeout %" PRIu64, timeout);
    if (set->at[NFTA_SET_EXPR] != NULL)
        add_text(out, " %s", or_nothing(attribute_text(&expression, NFTA_EXPR_NAME)));
    if (set->at[NFTA_SET_EXPRESSIONS] != NULL)
        add_text(out, " several expressions");
}

/*
 * Attributes up to `last` count. Above stand what only other uses of the expression have (csum of
 * payload, which needs a source register), and what a later kernel may add. The last `values` of them have
 * a head of their own, in which flags may differ.
 */
struct expression_kind {
    const char *name;
    unsigned last;
    unsigned values;
};

static struct expression_kind kind_of(const char *expression)
{
    static const struct expression_kind known[] = {
        {"counter", 0, 0}, /* what it has counted says nothing */
        {"meta", NFTA_META_SREG, 0},
        {"cmp", NFTA_CMP_DATA, 1},
        {"payload", NFTA_PAYLOAD_SREG, 0},
        {"bitwise", NFTA_BITWISE_XOR, 2}, /* mask and xor */
        {"lookup", NFTA_LOOKUP_FLAGS, 0},
        {"immediate", NFTA_IMMEDIATE_DREG, 0},
        {"fib", NFTA_FIB_FLAGS, 0},
        {"reject", NFTA_REJECT_ICMP_CODE, 0},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i].name, expression) == 0)
            return known[i];
    return (struct expression_kind){expression, ATTRIBUTE_TYPES - 1, 0};
}

/* What a rule compares with: the last address of all, and the mask before it. Values in the message. */
struct comparison {
    const struct nlattr *address;
    const struct nlattr *mask;
};

static void note(struct comparison *compared, unsigned type, const struct nlattr *value)
{
    uint16_t length = value != NULL ? mnl_attr_get_payload_len(value) : 0;

    if (length != 4 && length != 16)
        return;
    if (type == NFTA_CMP_DATA)
        compared->address = value;
    else if (type == NFTA_BITWISE_MASK)
        compared->mask = value;
}

static void describe_expression(const struct nlattr *item, struct nft_fact *out,
                                struct comparison *compared)
{
    struct attributes expression;
    struct attributes data;
    const char *name = NULL;
    struct expression_kind kind;
    struct nft_verdict verdict;

    attributes_nested(item, &expression);
    name = or_nothing(attribute_text(&expression, NFTA_EXPR_NAME));
    kind = kind_of(name);
    attributes_nested(expression.at[NFTA_EXPR_DATA], &data);
    add_bytes(out, name, strlen(name) + 1);
    for (unsigned type = 1; type <= kind.last; type++) {
        const struct nlattr *attribute = data.at[type];
        struct attributes value;

        if (type > kind.last - kind.values) {
            attributes_nested(attribute, &value);
            attribute = value.at[NFTA_DATA_VALUE];
            note(compared, type, attribute);
        }
        if (attribute == NULL)
            continue;
        uint16_t length = mnl_attr_get_payload_len(attribute);
        add_bytes(out, &type, sizeof(type));
        add_bytes(out, &length, sizeof(length));
        add_bytes(out, mnl_attr_get_payload(attribute), length);
    }
    if (strcmp(name, "immediate") == 0 && nft_reply_immediate(item, &verdict)) {
        add_bytes(out, &verdict.code, sizeof(verdict.code));
        add_bytes(out, or_nothing(verdict.chain), strlen(or_nothing(verdict.chain)) + 1);
    }
}

static struct endpoint endpoint_of(const struct comparison *compared)
{
    struct endpoint endpoint = {.prefix = 0};
    const uint8_t *address;
    const uint8_t *mask;
    unsigned length;

    if (compared->address == NULL)
        return endpoint;
    address = mnl_attr_get_payload(compared->address);
    length = mnl_attr_get_payload_len(compared->address);
    endpoint.family = length == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
    endpoint.prefix = 8 * length;
    memcpy(endpoint.address, address, length);
    if (compared->mask == NULL || mnl_attr_get_payload_len(compared->mask) != length)
        return endpoint;
    mask = mnl_attr_get_payload(compared->mask);
    endpoint.prefix = 0;
    while (endpoint.prefix < 8 * length && mask[endpoint.prefix / 8] & 0x80U >> endpoint.prefix % 8)
        endpoint.prefix++;
    for (unsigned i = 0; i < length; i++)
        endpoint.address[i] &= mask[i];
    return endpoint;
}

static void describe_rule(const struct attributes *rule, struct nft_fact *out)
{
    const struct nlattr *item = NULL;
    struct comparison compared = {0};

    out->is_rule = true;
    while ((item = attribute_next(rule->at[NFTA_RULE_EXPRESSIONS], item)) != NULL)
        describe_expression(item, out, &compared);
    out->endpoint = endpoint_of(&compared);
}

bool nft_fact_is(const struct nft_fact *fact, const struct nft_fact *other)
{
    return fact->length == other->length && memcmp(fact->how, other->how, fact->length) == 0;
}

/* From the end: rules of a chain come one after the other. */
static unsigned count_rules(const struct nft_facts *facts, const char *what)
{
    for (size_t i = facts->count; i-- > 0;)
        if (facts->facts[i].is_rule && strcmp(facts->facts[i].what, what) == 0)
            return facts->facts[i].number + 1;
    return 0;
}

int nft_facts_take(struct nft_facts *facts, const struct nlmsghdr *message, struct error *err)
{
    int type = nft_reply_type(message);
    struct attributes attributes;
    struct nft_fact *fact = NULL;

    if (type != NFT_MSG_NEWTABLE && type != NFT_MSG_NEWCHAIN && type != NFT_MSG_NEWSET &&
        type != NFT_MSG_NEWRULE)
        return 0;
    fact = array_add(&facts->facts, &facts->count);
    if (fact == NULL)
        return error_no_memory(err);
    nft_reply_attributes(message, &attributes);
    nft_message_subject(message, fact->what, sizeof(fact->what));
    if (type == NFT_MSG_NEWTABLE)
        describe_table(&attributes, fact);
    else if (type == NFT_MSG_NEWCHAIN)
        describe_chain(&attributes, fact);
    else if (type == NFT_MSG_NEWSET)
        describe_set(&attributes, fact);
    else {
        fact->number = count_rules(facts, fact->what);
        describe_rule(&attributes, fact);
    }
    return 0;
}

bool nft_facts_have(const struct nft_facts *facts, const char *what)
{
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->facts[i].what, what) == 0)
            return true;
    return false;
}

void nft_message_subject(const struct nlmsghdr *message, char *out, size_t size)
{
    static const struct {
        const char *kind;
        unsigned name;
    } subjects[] = {
        [NFT_MSG_NEWTABLE] = {"table inet", NFTA_TABLE_NAME},
        [NFT_MSG_GETTABLE] = {"table inet", NFTA_TABLE_NAME},
        [NFT_MSG_DELTABLE] = {"table inet", NFTA_TABLE_NAME},
        [NFT_MSG_NEWCHAIN] = {"chain", NFTA_CHAIN_NAME},
        [NFT_MSG_GETCHAIN] = {"chain", NFTA_CHAIN_NAME},
        [NFT_MSG_NEWRULE] = {"rule of chain", NFTA_RULE_CHAIN},
        [NFT_MSG_GETRULE] = {"rules of table inet", NFTA_RULE_TABLE},
        [NFT_MSG_DELRULE] = {"rule of chain", NFTA_RULE_CHAIN},
        [NFT_MSG_NEWSET] = {"set", NFTA_SET_NAME},
        [NFT_MSG_GETSET] = {"set", NFTA_SET_NAME},
        [NFT_MSG_NEWSETELEM] = {"elements of set", NFTA_SET_ELEM_LIST_SET},
        [NFT_MSG_GETSETELEM] = {"elements of set", NFTA_SET_ELEM_LIST_SET},
        [NFT_MSG_DELSETELEM] = {"elements of set", NFTA_SET_ELEM_LIST_SET},
    };
    int type = nft_reply_type(message);
    struct attributes attributes;
    const char *name = NULL;
    size_t kind_length = 0;
    size_t name_length = 0;

    out[0] = '\0';
    if (type < 0 || type >= (int)(sizeof(subjects) / sizeof(*subjects)) ||
        subjects[type].kind == NULL)
        return;
    nft_reply_attributes(message, &attributes);
    name = or_nothing(attribute_text(&attributes, subjects[type].name));
    /* By hand, as above. */
    kind_length = strlen(subjects[type].kind);
    name_length = strnlen(name, size - kind_length - 2);
    memcpy(out, subjects[type].kind, kind_length);
    out[kind_length] = ' ';
    memcpy(out + kind_length + 1, name, name_length);
    out[kind_length + 1 + name_length] = '\0';
}

void nft_facts_free(struct nft_facts *facts)
{
    free(facts->facts);
    *facts = (struct nft_facts){0};
}
