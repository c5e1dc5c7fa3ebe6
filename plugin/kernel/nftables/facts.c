#include "kernel/nftables/facts.h"

#include "kernel/nftables/attributes.h"
#include "kernel/nftables/reply.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends; what does not fit is cut. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* The same for words, numbers and bytes. By hand: a skeleton has hundreds of them, and every ADD reads
 * it. */
static void append_text(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    size_t length = strnlen(more, size - used - 1);

    memcpy(text + used, more, length);
    text[used + length] = '\0';
}

static void append_number(char *text, size_t size, unsigned number)
{
    char digits[16];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    append_text(text, size, &digits[at]);
}

static void append_hex(char *text, size_t size, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = strlen(text);

    for (size_t i = 0; i < length && used + 2 < size; i++) {
        text[used++] = digits[bytes[i] >> 4];
        text[used++] = digits[bytes[i] & 0xf];
    }
    text[used] = '\0';
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

static void describe_table(const struct attributes *table, struct nft_fact *out)
{
    uint32_t flags = 0;

    attribute_u32(table, NFTA_TABLE_FLAGS, &flags);
    append_text(out->how, sizeof(out->how), flags & NFT_TABLE_F_DORMANT ? "dormant" : "active");
    if (flags & ~(uint32_t)NFT_TABLE_F_DORMANT)
        append(out->how, sizeof(out->how), " with flags %#x", flags);
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
    if (!attribute_u32(&hook, NFTA_HOOK_HOOKNUM, &number)) {
        append(out->how, sizeof(out->how), "at no hook");
        return;
    }
    attribute_u32(&hook, NFTA_HOOK_PRIORITY, &priority);
    attribute_u32(chain, NFTA_CHAIN_POLICY, &policy);
    append(out->how, sizeof(out->how), "type %s hook %s priority %d policy %s",
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

    attribute_u32(set, NFTA_SET_FLAGS, &flags);
    attribute_u32(set, NFTA_SET_KEY_TYPE, &key_type);
    attribute_u32(set, NFTA_SET_KEY_LEN, &key_length);
    attributes_nested(set->at[NFTA_SET_DESC], &about);
    attribute_u32(&about, NFTA_SET_DESC_SIZE, &size);
    attributes_nested(set->at[NFTA_SET_EXPR], &expression);
    append(out->how, sizeof(out->how), "flags %#x key type %u of %u bytes", flags, key_type,
           key_length);
    if (attribute_u32(set, NFTA_SET_DATA_TYPE, &data_type))
        append(out->how, sizeof(out->how), " data type %#x", data_type);
    if (size != 0)
        append(out->how, sizeof(out->how), " size %u", size);
    attribute_u64(set, NFTA_SET_TIMEOUT, &timeout);
    if (timeout != 0)
        append(out->how, sizeof(out->how), " timeout %" PRIu64, timeout);
    if (set->at[NFTA_SET_EXPR] != NULL)
        append(out->how, sizeof(out->how), " %s",
               or_nothing(attribute_text(&expression, NFTA_EXPR_NAME)));
    if (set->at[NFTA_SET_EXPRESSIONS] != NULL)
        append(out->how, sizeof(out->how), " several expressions");
}

/*
 * Attributes up to `last` count. Above stand what only other uses of the expression have (csum of
 * payload, which needs a source register), and what a later kernel may add.
 */
static unsigned last_attribute(const char *expression)
{
    static const struct {
        const char *name;
        unsigned last;
    } known[] = {
        {"counter", 0}, /* what it has counted says nothing */
        {"meta", NFTA_META_SREG},
        {"cmp", NFTA_CMP_DATA},
        {"payload", NFTA_PAYLOAD_SREG},
        {"lookup", NFTA_LOOKUP_FLAGS},
        {"immediate", NFTA_IMMEDIATE_DREG},
        {"fib", NFTA_FIB_FLAGS},
        {"reject", NFTA_REJECT_ICMP_CODE},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i].name, expression) == 0)
            return known[i].last;
    return ATTRIBUTE_TYPES - 1;
}

static void describe_expression(const struct nlattr *item, struct nft_fact *out)
{
    struct attributes expression;
    struct attributes data;
    const char *name = NULL;
    struct nft_verdict verdict;

    attributes_nested(item, &expression);
    name = or_nothing(attribute_text(&expression, NFTA_EXPR_NAME));
    attributes_nested(expression.at[NFTA_EXPR_DATA], &data);
    append_text(out->how, sizeof(out->how), "[");
    append_text(out->how, sizeof(out->how), name);
    for (unsigned type = 1; type <= last_attribute(name); type++) {
        const struct nlattr *attribute = data.at[type];
        struct attributes value;

        if (strcmp(name, "cmp") == 0 && type == NFTA_CMP_DATA) {
            attributes_nested(attribute, &value);
            attribute = value.at[NFTA_DATA_VALUE];
        }
        if (attribute == NULL)
            continue;
        append_text(out->how, sizeof(out->how), " ");
        append_number(out->how, sizeof(out->how), type);
        append_text(out->how, sizeof(out->how), ":");
        append_hex(out->how, sizeof(out->how), mnl_attr_get_payload(attribute),
                   mnl_attr_get_payload_len(attribute));
    }
    if (nft_reply_immediate(item, &verdict))
        append(out->how, sizeof(out->how), " %d %s", (int)verdict.code, or_nothing(verdict.chain));
    append_text(out->how, sizeof(out->how), "]");
}

static void describe_rule(const struct attributes *rule, struct nft_fact *out)
{
    const struct nlattr *item = NULL;

    out->is_rule = true;
    while ((item = attribute_next(rule->at[NFTA_RULE_EXPRESSIONS], item)) != NULL &&
           strlen(out->how) + 1 < sizeof(out->how))
        describe_expression(item, out);
}

static void describe_element(const struct nft_element *element, const char *set,
                             struct nft_fact *out)
{
    char address[INET6_ADDRSTRLEN] = "*";

    out->is_element = true;
    out->is_end = element->flags & NFT_SET_ELEM_INTERVAL_END;
    if (element->key != NULL && element->key_length == 4)
        inet_ntop(AF_INET, element->key, address, sizeof(address));
    else if (element->key != NULL && element->key_length == 16)
        inet_ntop(AF_INET6, element->key, address, sizeof(address));
    append_text(out->what, sizeof(out->what), out->is_end ? "end before " : "");
    append_text(out->what, sizeof(out->what), address);
    append_text(out->what, sizeof(out->what), " in set ");
    append_text(out->what, sizeof(out->what), or_nothing(set));
}

/* nft(8) marks where nothing is, before the first interval: an end that ends none. */
static bool is_leading_end(const struct nft_element *element)
{
    static const uint8_t zero[16] = {0};

    return (element->flags & NFT_SET_ELEM_INTERVAL_END) && element->key != NULL &&
           element->key_length <= sizeof(zero) &&
           memcmp(element->key, zero, element->key_length) == 0;
}

/* Room for one more, which counts once facts->count does. Texts are empty; what is behind their ends is
 * not looked at, and not cleared. NULL if out of memory. */
static struct nft_fact *next_fact(struct nft_facts *facts)
{
    struct nft_fact *fact;

    if (facts->count == facts->capacity) {
        size_t capacity = 2 * facts->capacity + 16;
        struct nft_fact *grown = reallocarray(facts->facts, capacity, sizeof(*grown));

        if (grown == NULL)
            return NULL;
        facts->facts = grown;
        facts->capacity = capacity;
    }
    fact = &facts->facts[facts->count];
    fact->what[0] = fact->how[0] = '\0';
    fact->is_element = fact->is_end = fact->is_rule = false;
    fact->number = 0;
    return fact;
}

static unsigned count_rules(const struct nft_facts *facts, const char *what)
{
    unsigned count = 0;

    for (size_t i = 0; i < facts->count; i++)
        count += facts->facts[i].is_rule && strcmp(facts->facts[i].what, what) == 0;
    return count;
}

static int take_elements(struct nft_facts *facts, const struct nlmsghdr *message, struct error *err)
{
    struct nft_elements elements;
    struct nft_element element;
    const struct nlattr *cursor = NULL;

    if (!nft_reply_elements(message, &elements))
        return 0;
    while (nft_reply_next_element(&elements, &cursor, &element)) {
        struct nft_fact *fact = NULL;

        if (is_leading_end(&element))
            continue;
        fact = next_fact(facts);
        if (fact == NULL)
            return error_no_memory(err);
        describe_element(&element, elements.set, fact);
        facts->count++;
    }
    return 0;
}

int nft_facts_take(struct nft_facts *facts, const struct nlmsghdr *message, struct error *err)
{
    int type = nft_reply_type(message);
    struct attributes attributes;
    struct nft_fact *fact = NULL;

    if (type == NFT_MSG_NEWSETELEM)
        return take_elements(facts, message, err);
    if (type != NFT_MSG_NEWTABLE && type != NFT_MSG_NEWCHAIN && type != NFT_MSG_NEWSET &&
        type != NFT_MSG_NEWRULE)
        return 0;
    fact = next_fact(facts);
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
    else
        describe_rule(&attributes, fact);
    if (fact->is_rule)
        fact->number = count_rules(facts, fact->what);
    facts->count++;
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

    out[0] = '\0';
    if (type < 0 || type >= (int)(sizeof(subjects) / sizeof(*subjects)) ||
        subjects[type].kind == NULL)
        return;
    nft_reply_attributes(message, &attributes);
    append_text(out, size, subjects[type].kind);
    append_text(out, size, " ");
    append_text(out, size, or_nothing(attribute_text(&attributes, subjects[type].name)));
}

void nft_facts_free(struct nft_facts *facts)
{
    free(facts->facts);
    *facts = (struct nft_facts){0};
}
