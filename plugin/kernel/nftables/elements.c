#include "kernel/nftables/elements.h"

#include "kernel/nftables/reply.h"
#include "kernel/nftables/set.h"

#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

/* nft(8)'s number, which it needs to print names of interfaces; the kernel only keeps it. */
enum { TYPE_IFNAME = 41 };

/*
 * What is left of its time-out to a guard that is to go: one unit of time of a kernel with 250 in a second.
 * One with 100 makes nothing of it, and takes the time-out instead. What is set on the interface
 * meanwhile has to wait (retry.h), and waits longer.
 */
#define LEFT_MS 4

/* An element takes at most 400 bytes of a message (NFT_MESSAGE_MAX). */
#define ELEMENTS_PER_MESSAGE 9

/* map guards { type ifname : verdict; flags timeout; <expression>; } */
static int make_map(struct nft_messages *messages, const char *expression, struct error *err)
{
    cleanup(nft_set) struct nftnl_set *map = nft_set_named(NFT_MAP);
    struct nftnl_expr *each = nftnl_expr_alloc(expression);
    struct nlmsghdr *message =
        nft_messages_start(messages, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);

    if (map != NULL && each != NULL)
        nftnl_set_add_expr(map, each); /* now the map's */
    else if (each != NULL)
        nftnl_expr_free(each);
    if (map == NULL || each == NULL || message == NULL || !nft_set_byte_order(map, NFT_HOST_ENDIAN))
        return error_no_memory(err);
    nftnl_set_set_u32(map, NFTNL_SET_ID, 1U + FAMILY_IPV6); /* after the families */
    nftnl_set_set_u32(map, NFTNL_SET_FLAGS, NFT_SET_MAP | NFT_SET_TIMEOUT);
    nftnl_set_set_u32(map, NFTNL_SET_KEY_TYPE, TYPE_IFNAME);
    nftnl_set_set_u32(map, NFTNL_SET_KEY_LEN, INTERFACE_NAME_SIZE);
    nftnl_set_set_u32(map, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
    nftnl_set_set_u32(map, NFTNL_SET_DATA_LEN, 0);
    nftnl_set_nlmsg_build_payload(message, map);
    nft_messages_end(messages, message);
    return 0;
}

int elements_make(struct nft_messages *messages, struct error *err)
{
    return make_map(messages, "counter", err);
}

int elements_make_refusable(struct nft_messages *messages, struct error *err)
{
    return make_map(messages, "immediate", err);
}

int elements_ask(struct nft_messages *messages, const char interface[static INTERFACE_NAME_SIZE],
                 struct error *err)
{
    struct nlmsghdr *message = nft_messages_start(messages, NFT_MSG_GETSETELEM, 0);
    struct nlattr *list = NULL;
    struct nlattr *element = NULL;
    struct nlattr *key = NULL;

    if (message == NULL)
        return error_no_memory(err);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, NFT_MAP);
    list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
    mnl_attr_put(message, NFTA_DATA_VALUE, INTERFACE_NAME_SIZE, interface);
    mnl_attr_nest_end(message, key);
    mnl_attr_nest_end(message, element);
    mnl_attr_nest_end(message, list);
    nft_messages_end(messages, message);
    return 0;
}

int elements_ask_all(struct nft_messages *messages, const char *table, const char *map,
                     struct error *err)
{
    return nft_messages_add_name_in(messages, table, NFT_MSG_GETSETELEM, NLM_F_DUMP,
                                    NFTA_SET_ELEM_LIST_SET, map)
               ? 0
               : error_no_memory(err);
}

/* --- from elements to guards ------------------------------------------------------------------ */

/* In the kernel's unit of time it may have become less, but not nothing. */
static bool is_going(const struct nft_element *element)
{
    return element->timeout > 0 && element->timeout <= NFT_GOING_MS;
}

static bool read_guard(const struct nft_element *element, struct held *out)
{
    struct held held = {.guard.verdict = VERDICT_PASS,
                        .families = FAMILY_IPV4 | FAMILY_IPV6,
                        .packets = element->packets,
                        .bytes = element->bytes};

    if (element->key == NULL || element->key_length != INTERFACE_NAME_SIZE ||
        element->key[INTERFACE_NAME_SIZE - 1] != '\0' || element->flags != 0 || is_going(element))
        return false;
    memcpy(held.guard.interface, element->key, INTERFACE_NAME_SIZE);
    if (!name_is_interface(held.guard.interface))
        return false;
    if (element->has_verdict)
        held.guard.verdict = nft_verdict_meaning(&element->verdict, NFT_REFUSAL);
    if (element->comment != NULL)
        snprintf(held.tag, sizeof(held.tag), "%s", element->comment);
    *out = held;
    return true;
}

static bool is_map(const struct nft_elements *elements, const char *table, const char *map)
{
    return strcmp(elements->table, table) == 0 && strcmp(elements->set, map) == 0;
}

bool elements_are_guards(const struct nlmsghdr *message)
{
    struct nft_elements elements;

    return nft_reply_elements(message, &elements) &&
           (is_map(&elements, NFT_TABLE, NFT_MAP) ||
            is_map(&elements, NFT_FORMER_TABLE, NFT_FORMER_MAP));
}

int elements_take(const struct nlmsghdr *message, struct listing *listing, struct error *err)
{
    struct nft_elements elements;
    struct nft_element element;
    const struct nlattr *cursor = NULL;
    struct held held;

    if (!elements_are_guards(message) || !nft_reply_elements(message, &elements))
        return 0;
    while (nft_reply_next_element(&elements, &cursor, &element)) {
        if (read_guard(&element, &held) && !listing_add(listing, &held))
            return error_no_memory(err);
    }
    return 0;
}

/* --- from guards to elements ------------------------------------------------------------------ */

static bool set_tag(struct nftnl_set_elem *element, const char *tag)
{
    struct nftnl_udata_buf *data = NULL;
    bool copied = false;

    if (tag[0] == '\0')
        return true;
    data = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
    if (data == NULL)
        return false;
    /* Always true: the buffer has room for TAG_SIZE and 2 bytes. */
    nftnl_udata_put_strz(data, NFTNL_UDATA_SET_ELEM_COMMENT, tag);
    /* A guard without its tag would be nobody's, and no DEL would ever take it away. */
    copied = nftnl_set_elem_set(element, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(data),
                                nftnl_udata_buf_len(data)) == 0;
    nftnl_udata_buf_free(data);
    return copied;
}

/* The map gives each new element a counter; one that has counted already says so itself. */
static bool set_counter(struct nftnl_set_elem *element, const struct held *held)
{
    struct nftnl_expr *counter = NULL;

    if (held->packets == 0 && held->bytes == 0)
        return true;
    counter = nftnl_expr_alloc("counter");
    if (counter == NULL)
        return false;
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, held->packets);
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, held->bytes);
    nftnl_set_elem_add_expr(element, counter); /* now the element's */
    return true;
}

static bool set_verdict(struct nftnl_set_elem *element, enum verdict verdict)
{
    static const int codes[] = {
        [VERDICT_DROP] = NF_DROP, [VERDICT_REJECT] = NFT_GOTO, [VERDICT_PASS] = NFT_RETURN};

    nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)codes[verdict]);
    return verdict != VERDICT_REJECT ||
           nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, NFT_REFUSAL) == 0;
}

/* Beside the key. */
typedef bool element_part(struct nftnl_set_elem *element, const struct held *held);

/* "eni1a2b" counter comment "..." : drop */
static bool put_guard(struct nftnl_set_elem *element, const struct held *held)
{
    return set_verdict(element, held->guard.verdict) && set_tag(element, held->tag) &&
           set_counter(element, held);
}

/* "eni1a2b" timeout 10ms expires 4ms : drop; the kernel takes another verdict for another element. */
static bool put_limit(struct nftnl_set_elem *element, const struct held *held)
{
    nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, NFT_GOING_MS);
    nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_EXPIRATION, LEFT_MS);
    return set_verdict(element, held->guard.verdict);
}

static bool put_nothing(struct nftnl_set_elem *element, const struct held *held)
{
    (void)element, (void)held;
    return true;
}

static bool put_element(struct nftnl_set *map, const struct held *held, element_part *part)
{
    struct nftnl_set_elem *element = nftnl_set_elem_alloc();

    if (element == NULL)
        return false;
    nftnl_set_elem_add(map, element); /* now the map's */
    nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, held->guard.interface, INTERFACE_NAME_SIZE);
    return part(element, held);
}

static int put_all(struct nft_messages *messages, uint16_t type, uint16_t flags, element_part *part,
                   const struct held *const *held, size_t count, struct error *err)
{
    for (size_t next = 0; next < count;) {
        cleanup(nft_set) struct nftnl_set *map = nft_set_named(NFT_MAP);
        struct nlmsghdr *message = nft_messages_start(messages, type, flags);

        if (map == NULL || message == NULL)
            return error_no_memory(err);
        for (unsigned added = 0; next < count && added < ELEMENTS_PER_MESSAGE; added++, next++)
            if (!put_element(map, held[next], part))
                return error_no_memory(err);
        nftnl_set_elems_nlmsg_build_payload(message, map);
        nft_messages_end(messages, message);
    }
    return 0;
}

int elements_add(struct nft_messages *messages, const struct held *const *held, size_t count,
                 struct error *err)
{
    return put_all(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, put_guard, held, count,
                   err);
}

int elements_let_go(struct nft_messages *messages, const struct held *const *held, size_t count,
                    struct error *err)
{
    return put_all(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE, put_limit, held, count, err);
}

int elements_delete(struct nft_messages *messages, const struct held *const *held, size_t count,
                    struct error *err)
{
    return put_all(messages, NFT_MSG_DELSETELEM, 0, put_nothing, held, count, err);
}
