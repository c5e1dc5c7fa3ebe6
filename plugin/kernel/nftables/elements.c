#include "kernel/nftables/elements.h"

#include "kernel/nftables/reply.h"

#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

/* nft(8)'s numbers, which it needs to print names of interfaces; the kernel only keeps them. */
enum { TYPE_IFNAME = 41, HOST_ENDIAN = 1 };

/*
 * What is left of its time-out to a guard that is to go: one unit of time of a kernel with 250 in a second.
 * One with 100 makes nothing of it, and takes the time-out instead. What is set on the interface
 * meanwhile has to wait (apply.c), and waits longer.
 */
#define LEFT_MS 4

/* An element takes at most 400 bytes of a message (NETLINK_MESSAGE_MAX). */
#define ELEMENTS_PER_MESSAGE 2

void elements_make(struct netlink_messages *messages, const char *expression)
{
    static const uint32_t byte_order = HOST_ENDIAN;
    struct nlmsghdr *message =
        nft_message_start(messages, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);

    mnl_attr_put_strz(message, NFTA_SET_TABLE, NFT_TABLE);
    mnl_attr_put_strz(message, NFTA_SET_NAME, NFT_MAP);
    nft_put_u32(message, NFTA_SET_FLAGS, NFT_SET_MAP | NFT_SET_TIMEOUT);
    nft_put_u32(message, NFTA_SET_KEY_TYPE, TYPE_IFNAME);
    nft_put_u32(message, NFTA_SET_KEY_LEN, INTERFACE_NAME_SIZE);
    nft_put_u32(message, NFTA_SET_ID, 1);
    nft_put_note(message, NFTA_SET_USERDATA, NFT_NOTE_BYTE_ORDER, &byte_order, sizeof(byte_order));
    nft_put_u32(message, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
    nft_put_u32(message, NFTA_SET_DATA_LEN, 0);
    nft_expression_end(message, nft_expression_start(message, NFTA_SET_EXPR, expression));
    netlink_message_end(messages, message);
}

void elements_ask(struct netlink_messages *messages, const char *interface)
{
    struct nlmsghdr *message = nft_message_start(messages, NFT_MSG_GETSETELEM, 0);
    struct nlattr *list = nft_elements_start(message, NFT_MAP);
    char key[INTERFACE_NAME_SIZE] = {0};

    memcpy(key, interface, strnlen(interface, sizeof(key) - 1));
    mnl_attr_nest_end(message, nft_element_start(message, key, sizeof(key)));
    mnl_attr_nest_end(message, list);
    netlink_message_end(messages, message);
}

/* --- from elements to guards ------------------------------------------------------------------ */

static bool read_guard(const struct nft_element *element, struct held *out)
{
    struct held held = {.guard.verdict = VERDICT_PASS,
                        .families = FAMILY_IPV4 | FAMILY_IPV6,
                        .packets = element->packets,
                        .bytes = element->bytes};

    if (element->key == NULL || element->key_length != INTERFACE_NAME_SIZE ||
        element->key[INTERFACE_NAME_SIZE - 1] != '\0' || element->flags != 0)
        return false;
    memcpy(held.guard.interface, element->key, INTERFACE_NAME_SIZE);
    if (!name_is_interface(held.guard.interface))
        return false;
    if (element->has_verdict)
        held.guard.verdict = nft_verdict_meaning(&element->verdict);
    if (element->comment != NULL)
        snprintf(held.tag, sizeof(held.tag), "%s", element->comment);
    *out = held;
    return true;
}

static bool is_map(const struct nft_elements *elements, const char *table, const char *map)
{
    return strcmp(elements->table, table) == 0 && strcmp(elements->set, map) == 0;
}

int elements_take(const struct nlmsghdr *message, struct listing *listing, struct listing *going,
                  struct error *err)
{
    struct nft_elements elements;
    struct nft_element element;
    const struct nlattr *cursor = NULL;
    struct held held;

    if (!nft_reply_elements(message, &elements) ||
        !(is_map(&elements, NFT_TABLE, NFT_MAP) ||
          is_map(&elements, NFT_FORMER_TABLE, NFT_FORMER_MAP)))
        return 0;
    while (nft_reply_next_element(&elements, &cursor, &element)) {
        /* In the kernel's unit of time it may have become less, but not nothing. */
        const bool goes = element.timeout > 0 && element.timeout <= NFT_GOING_MS;

        if (read_guard(&element, &held))
            listing_add(goes ? going : listing, &held);
    }
    return listing_complete(listing, err) < 0 ? -1 : listing_complete(going, err);
}

/* --- from guards to elements ------------------------------------------------------------------ */

/* Beside the key; NULL: nothing. */
typedef void element_part(struct nlmsghdr *message, const struct held *held);

/* "eni1a2b" counter comment "..." : drop. The map gives each new element a counter; one that has counted
 * already says so itself. */
static void put_guard(struct nlmsghdr *message, const struct held *held)
{
    nft_put_verdict(message, NFTA_SET_ELEM_DATA, nft_verdict_of(held->guard.verdict));
    if (held->tag[0] != '\0')
        nft_put_note(message, NFTA_SET_ELEM_USERDATA, NFT_NOTE_COMMENT, held->tag,
                     (uint8_t)(strlen(held->tag) + 1));
    if (held->packets != 0 || held->bytes != 0) {
        struct nft_expression counter =
            nft_expression_start(message, NFTA_SET_ELEM_EXPR, "counter");

        nft_put_u64(message, NFTA_COUNTER_PACKETS, held->packets);
        nft_put_u64(message, NFTA_COUNTER_BYTES, held->bytes);
        nft_expression_end(message, counter);
    }
}

/* "eni1a2b" timeout 10ms expires 4ms : drop; the kernel takes another verdict for another element. */
static void put_limit(struct nlmsghdr *message, const struct held *held)
{
    nft_put_u64(message, NFTA_SET_ELEM_TIMEOUT, NFT_GOING_MS);
    nft_put_u64(message, NFTA_SET_ELEM_EXPIRATION, LEFT_MS);
    nft_put_verdict(message, NFTA_SET_ELEM_DATA, nft_verdict_of(held->guard.verdict));
}

static void put_all(struct netlink_messages *messages, uint16_t type, uint16_t flags,
                    element_part *part, const struct held *const *held, size_t count)
{
    for (size_t next = 0; next < count;) {
        struct nlmsghdr *message = nft_message_start(messages, type, flags);
        struct nlattr *list = nft_elements_start(message, NFT_MAP);

        for (unsigned i = 0; next < count && i < ELEMENTS_PER_MESSAGE; i++, next++) {
            struct nlattr *element =
                nft_element_start(message, held[next]->guard.interface, INTERFACE_NAME_SIZE);

            if (part != NULL)
                part(message, held[next]);
            mnl_attr_nest_end(message, element);
        }
        mnl_attr_nest_end(message, list);
        netlink_message_end(messages, message);
    }
}

void elements_add(struct netlink_messages *messages, const struct held *const *held, size_t count)
{
    put_all(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, put_guard, held, count);
}

void elements_let_go(struct netlink_messages *messages, const struct held *const *held,
                     size_t count)
{
    put_all(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE, put_limit, held, count);
}

void elements_delete(struct netlink_messages *messages, const struct held *const *held,
                     size_t count)
{
    put_all(messages, NFT_MSG_DELSETELEM, 0, NULL, held, count);
}
