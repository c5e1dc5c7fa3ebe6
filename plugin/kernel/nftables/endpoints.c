#include "kernel/nftables/endpoints.h"

#include "kernel/nftables/set.h"

#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* nft(8)'s numbers, which it needs to print addresses; the kernel only keeps them. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8 };

const struct endpoint_set endpoint_sets[ENDPOINT_SETS] = {
    {"endpoints4", FAMILY_IPV4, NFPROTO_IPV4, 16, 4, TYPE_IPV4},
    {"endpoints6", FAMILY_IPV6, NFPROTO_IPV6, 24, 16, TYPE_IPV6},
};

int endpoints_ask(struct nft_messages *messages, const char *table, const struct endpoint_set *set,
                  struct error *err)
{
    return nft_messages_add_name_in(messages, table, NFT_MSG_GETSETELEM, NLM_F_DUMP,
                                    NFTA_SET_ELEM_LIST_SET, set->name)
               ? 0
               : error_no_memory(err);
}

/* set endpoints4 { type ipv4_addr; flags interval; } */
static int make_set(struct nft_messages *messages, const struct endpoint_set *about,
                    struct error *err)
{
    cleanup(nft_set) struct nftnl_set *set = nft_set_named(about->name);
    struct nlmsghdr *message = nft_messages_start(messages, NFT_MSG_NEWSET, NLM_F_CREATE);

    if (set == NULL || message == NULL || !nft_set_byte_order(set, NFT_BIG_ENDIAN))
        return error_no_memory(err);
    nftnl_set_set_u32(set, NFTNL_SET_ID, about->family);
    nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_INTERVAL);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, about->type);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, about->length);
    nftnl_set_nlmsg_build_payload(message, set);
    nft_messages_end(messages, message);
    return 0;
}

static bool add_edge(struct nftnl_set *set, const uint8_t *address, uint32_t length, uint32_t flags)
{
    struct nftnl_set_elem *edge = nftnl_set_elem_alloc();

    if (edge == NULL)
        return false;
    nftnl_set_elem_set(edge, NFTNL_SET_ELEM_KEY, address, length);
    if (flags != 0)
        nftnl_set_elem_set_u32(edge, NFTNL_SET_ELEM_FLAGS, flags);
    nftnl_set_elem_add(set, edge); /* now the set's */
    return true;
}

/* The first address after the endpoint's last one; false if there is none. */
static bool address_after(const struct endpoint *endpoint, uint32_t length, uint8_t out[static 16])
{
    memcpy(out, endpoint->address, 16);
    for (unsigned bit = endpoint->prefix; bit < 8 * length; bit++)
        out[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
    for (uint32_t i = length; i-- > 0;)
        if (++out[i] != 0)
            return true;
    return false;
}

/* An interval is kept as its first address and the first one behind it. */
static bool add_interval(struct nftnl_set *set, const struct endpoint *endpoint, uint32_t length)
{
    uint8_t end[16];

    if (!add_edge(set, endpoint->address, length, 0))
        return false;
    return !address_after(endpoint, length, end) ||
           add_edge(set, end, length, NFT_SET_ELEM_INTERVAL_END);
}

/* A message stays below NFT_MESSAGE_MAX: an edge of IPv6 takes 36 bytes, and an endpoint two. */
#define ENDPOINTS_PER_MESSAGE 48

/* elements = { 169.254.169.254, 10.0.0.0/8 } */
int endpoints_add(struct nft_messages *messages, const struct endpoint_set *about,
                  const struct terms *terms, struct error *err)
{
    size_t next = 0;

    while (next < terms->endpoint_count) {
        cleanup(nft_set) struct nftnl_set *set = nft_set_named(about->name);
        struct nlmsghdr *message = NULL;
        unsigned added = 0;

        for (; set != NULL && next < terms->endpoint_count && added < ENDPOINTS_PER_MESSAGE;
             next++) {
            if (terms->endpoints[next].family != about->family)
                continue;
            if (!add_interval(set, &terms->endpoints[next], about->length))
                return error_no_memory(err);
            added++;
        }
        if (set != NULL && added == 0)
            return 0;
        message = nft_messages_start(messages, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
        if (set == NULL || message == NULL)
            return error_no_memory(err);
        nftnl_set_elems_nlmsg_build_payload(message, set);
        nft_messages_end(messages, message);
    }
    return 0;
}

int endpoints_make(struct nft_messages *messages, const struct endpoint_set *set,
                   const struct terms *terms, struct error *err)
{
    if (make_set(messages, set, err) < 0)
        return -1;
    return endpoints_add(messages, set, terms, err);
}

int endpoints_renew(struct nft_messages *messages, const struct endpoint_set *set,
                    const struct terms *terms, struct error *err)
{
    if (!nft_messages_add_name(messages, NFT_MSG_DELSETELEM, 0, NFTA_SET_ELEM_LIST_SET, set->name))
        return error_no_memory(err);
    return endpoints_add(messages, set, terms, err);
}
