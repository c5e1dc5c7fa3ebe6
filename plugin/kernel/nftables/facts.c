#include "kernel/nftables/facts.h"

#include "guard/array.h"
#include "kernel/nftables/reply.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* Appends to `how`; what does not fit is cut. */
static void add_bytes(struct nft_fact *fact, const void *bytes, size_t length)
{
    size_t room = sizeof(fact->how) - fact->length;

    length = length < room ? length : room;
    memcpy(fact->how + fact->length, bytes, length);
    fact->length += length;
}

/* The value of one of so many, if there is one. */
static void add_value(struct nft_fact *fact, unsigned number, const struct nlattr *attribute)
{
    uint16_t length;

    if (attribute == NULL)
        return;
    length = mnl_attr_get_payload_len(attribute);
    add_bytes(fact, &number, sizeof(number));
    add_bytes(fact, &length, sizeof(length));
    add_bytes(fact, mnl_attr_get_payload(attribute), length);
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

/* What counts of a table, a chain, or a set, if it is there. */
static void describe_object(int type, const struct attributes *object, struct nft_fact *out)
{
    static const struct {
        int message;
        unsigned nest; /* what it is in; 0: nothing */
        unsigned type;
    } counted[] = {
        {NFT_MSG_NEWTABLE, 0, NFTA_TABLE_FLAGS},
        {NFT_MSG_NEWCHAIN, NFTA_CHAIN_HOOK, NFTA_HOOK_HOOKNUM},
        {NFT_MSG_NEWCHAIN, NFTA_CHAIN_HOOK, NFTA_HOOK_PRIORITY},
        {NFT_MSG_NEWCHAIN, 0, NFTA_CHAIN_POLICY},
        {NFT_MSG_NEWCHAIN, 0, NFTA_CHAIN_TYPE},
        {NFT_MSG_NEWSET, 0, NFTA_SET_FLAGS},
        {NFT_MSG_NEWSET, 0, NFTA_SET_KEY_TYPE},
        {NFT_MSG_NEWSET, 0, NFTA_SET_KEY_LEN},
        {NFT_MSG_NEWSET, 0, NFTA_SET_DATA_TYPE},
        {NFT_MSG_NEWSET, NFTA_SET_DESC, NFTA_SET_DESC_SIZE},
        {NFT_MSG_NEWSET, 0, NFTA_SET_TIMEOUT},
        {NFT_MSG_NEWSET, NFTA_SET_EXPR, NFTA_EXPR_NAME},
        {NFT_MSG_NEWSET, 0, NFTA_SET_EXPRESSIONS},
    };

    for (unsigned i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
        const struct attributes *in = object;
        struct attributes nested;

        if (counted[i].message != type)
            continue;
        if (counted[i].nest != 0) {
            attributes_nested(object->at[counted[i].nest], &nested);
            in = &nested;
        }
        add_value(out, i, in->at[counted[i].type]);
    }
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
        add_value(out, type, attribute);
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
    struct comparison compared = {0};
    const struct nlattr *item = NULL;

    if (type != NFT_MSG_NEWTABLE && type != NFT_MSG_NEWCHAIN && type != NFT_MSG_NEWSET &&
        type != NFT_MSG_NEWRULE)
        return 0;
    fact = array_add(&facts->facts, &facts->count);
    if (fact == NULL)
        return error_no_memory(err);
    nft_reply_attributes(message, &attributes);
    nft_message_subject(message, fact->what, sizeof(fact->what));
    if (type == NFT_MSG_NEWRULE) {
        fact->number = count_rules(facts, fact->what);
        fact->is_rule = true;
        while ((item = attribute_next(attributes.at[NFTA_RULE_EXPRESSIONS], item)) != NULL)
            describe_expression(item, fact, &compared);
        fact->endpoint = endpoint_of(&compared);
    } else {
        describe_object(type, &attributes, fact);
    }
    return 0;
}

const struct nft_fact *nft_facts_find(const struct nft_facts *facts, const char *what,
                                      unsigned number)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->facts[i].number == number && strcmp(facts->facts[i].what, what) == 0)
            return &facts->facts[i];
    return NULL;
}

void nft_message_subject(const struct nlmsghdr *message, char *out, size_t size)
{
    /* In the order of enum nf_tables_msg_types, which has three types for each: new, get, delete. */
    static const struct {
        const char *kind;
        unsigned name;
    } subjects[] = {{"table inet ", NFTA_TABLE_NAME},
                    {"chain ", NFTA_CHAIN_NAME},
                    {"rule of chain ", NFTA_RULE_CHAIN},
                    {"set ", NFTA_SET_NAME},
                    {"elements of set ", NFTA_SET_ELEM_LIST_SET},
                    {"rules of table inet ", NFTA_RULE_TABLE}};
    enum { OBJECTS = 5, ALL_RULES = 5 };
    int type = nft_reply_type(message);
    int which = type == NFT_MSG_GETRULE ? ALL_RULES : type / 3;
    struct attributes attributes;
    const char *name = NULL;
    size_t used = 0;
    size_t length = 0;

    out[0] = '\0';
    if (type < 0 || type >= 3 * OBJECTS)
        return;
    nft_reply_attributes(message, &attributes);
    name = or_nothing(attribute_text(&attributes, subjects[which].name));
    /* Not with snprintf(3), which takes its time: every ADD reads some dozens. */
    used = strlen(subjects[which].kind);
    length = strnlen(name, size - used - 1);
    memcpy(out, subjects[which].kind, used);
    memcpy(out + used, name, length);
    out[used + length] = '\0';
}

void nft_facts_free(struct nft_facts *facts)
{
    free(facts->facts);
    *facts = (struct nft_facts){0};
}
