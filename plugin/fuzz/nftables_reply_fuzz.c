/*
 * What nf_tables says. Input: a datagram, of one or many messages.
 */
#include "fuzz.h"

#include "kernel/netlink_message.h"
#include "kernel/nftables/monitor.h"
#include "kernel/nftables/reply.h"

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

static void read_message(const struct nlmsghdr *message)
{
    struct nft_ack ack;
    struct nft_elements elements;
    struct attributes attributes;
    uint32_t generation = 0;

    if (nft_reply_ack(message, &ack)) {
        must(ack.error >= 0);
        must(!ack.text || strlen(ack.text) < message->nlmsg_len);
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
    for (; message_is_whole(message, left); message = mnl_nlmsg_next(message, &left))
        read_message(message);
    return 0;
}
