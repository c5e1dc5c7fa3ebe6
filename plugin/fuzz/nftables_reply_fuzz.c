/*
 * What nf_tables says. Input: a datagram, of one or many messages.
 */
#include "fuzz.h"

#include "kernel/netlink/attributes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/facts.h"
#include "kernel/nftables/monitor.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/rule.h"

#include <linux/netfilter/nf_tables.h>

/* Reads all of the bytes, and so lets AddressSanitizer see them. */
static size_t sum(const uint8_t *bytes, size_t length)
{
    size_t total = 0;

    for (size_t i = 0; i < length; i++)
        total += bytes[i];
    return total;
}

static void read_elements(const struct nlmsghdr *message, const struct nft_elements *elements)
{
    const struct nlattr *cursor = NULL;
    const struct nlattr *last = NULL;
    struct nft_element element;

    must(nft_reply_type(message) == NFT_MSG_NEWSETELEM);
    must(strlen(elements->table) + strlen(elements->set) < message->nlmsg_len);
    while (nft_reply_next_element(elements, &cursor, &element)) {
        must(cursor > last); /* or it would never end */
        last = cursor;
        must(element.key || element.key_length == 0);
        must(sum(element.key, element.key_length) <= element.key_length * UINT8_MAX);
        if (element.comment)
            must(strlen(element.comment) < UINT8_MAX);
    }
}

/* Whoever is said to be denied, is so by a rule of this chain, and not by half a one. */
static void read_others(const struct nlmsghdr *message)
{
    static const struct others untouched = {.verdict = VERDICT_DROP, .packets = 7, .bytes = 8};
    struct others others = untouched;
    struct attributes rule;

    if (!rule_read_others(message, "judge", &others)) {
        must(memcmp(&others, &untouched, sizeof(others)) == 0);
        return;
    }
    nft_reply_attributes(message, &rule);
    must(nft_reply_type(message) == NFT_MSG_NEWRULE);
    must(attribute_is(&rule, NFTA_RULE_CHAIN, "judge"));
    must(others.verdict <= VERDICT_PASS);
}

/* Guards are of interfaces that can be, each with a tag that has an end. */
static void read_guards(const struct nlmsghdr *message)
{
    cleanup(listing) struct listing listing = {0};
    cleanup(listing) struct listing going = {0};
    struct error err;

    must(elements_take(message, &listing, &going, &err) == 0);
    for (size_t i = 0; i < listing.held_count; i++) {
        must(name_is_interface(listing.held[i].guard.interface));
        must(listing.held[i].guard.verdict <= VERDICT_PASS);
        must(memchr(listing.held[i].tag, '\0', TAG_SIZE));
    }
}

static void read_skeleton(const struct nlmsghdr *message)
{
    cleanup(nft_facts) struct nft_facts facts = {0};
    struct error err;

    must(nft_facts_take(&facts, message, &err) == 0);
    for (size_t i = 0; i < facts.count; i++) {
        const struct endpoint *endpoint = &facts.facts[i].endpoint;

        must(nft_facts_find(&facts, facts.facts[i].what, facts.facts[i].number) == &facts.facts[i]);
        must(endpoint->prefix <= 128);
        must(endpoint->prefix == 0 || endpoint_contains(endpoint, endpoint));
    }
}

static void read_message(const struct nlmsghdr *message)
{
    const char *text = NULL;
    int error = 0;
    struct nft_elements elements;
    struct attributes attributes;
    uint32_t generation = 0;

    if (message_is_ack(message, &error, &text)) {
        must(error >= 0);
        must(!text || strlen(text) < message->nlmsg_len);
    }
    if (nft_reply_generation(message, &generation))
        must(nft_reply_type(message) == NFT_MSG_NEWGEN);
    if (nft_reply_elements(message, &elements))
        read_elements(message, &elements);
    nft_reply_attributes(message, &attributes);
    for (unsigned type = 0; type < ATTRIBUTE_TYPES; type++)
        if (attribute_text(&attributes, type))
            must(strlen(attribute_text(&attributes, type)) < message->nlmsg_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup(free_memory) void *bytes = fuzz_rest(fuzz_span(data, size));
    const struct nlmsghdr *message = bytes;
    bool announced = nft_news_after(NFT_NEWS_NONE, bytes, size) != NFT_NEWS_NONE;
    int left = (int)size;

    if (announced)
        must(size > sizeof(*message));
    for (; message_is_whole(message, left); message = mnl_nlmsg_next(message, &left)) {
        read_message(message);
        read_others(message);
        read_guards(message);
        read_skeleton(message);
    }
    return 0;
}
