/*
 * What the tests of the nftables backend have in common: a pod's plan, how it is made to hold, and
 * what packets do to counters. Include fake_nftables.h, too: it takes the kernel's place.
 */
#ifndef IMDS_GUARD_TESTS_NFTABLES_WORLD_H
#define IMDS_GUARD_TESTS_NFTABLES_WORLD_H

#include "fake_nftables.h"

#include "kernel/backend.h"

#include <endian.h>

#define OWNER_A "aws-cni/a/eth0 1 default/a"
#define OWNER_B "aws-cni/b/eth0 1 default/b"

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};

/* As one pod's ADD has them, and as sync has them, who knows all. */
static inline struct terms terms_of_add(enum verdict others)
{
    return (struct terms){.endpoints = endpoints, .endpoint_count = 2, .others = others};
}

static inline struct terms terms_of_sync(enum verdict others)
{
    struct terms terms = terms_of_add(others);

    terms.exactly = true;
    return terms;
}

static inline void apply(const char *tag, const char *interface, enum verdict verdict,
                         struct terms terms)
{
    struct guard guard = {.verdict = verdict};
    unsigned open = nftables.open; /* by whom this one comes between */
    struct plan plan = {.guards = &guard, .guard_count = 1};
    struct error err = {0};

    snprintf(guard.interface, sizeof(guard.interface), "%s", interface);
    snprintf(plan.tag, sizeof(plan.tag), "%s", tag);
    if (backend_nftables.apply(&plan, 1, &terms, &err) < 0)
        fail_msg("%s: %s", err.msg, err.details);
    assert_int_equal(nftables.open, open);
}

static inline struct listing list(void)
{
    const struct terms terms = terms_of_add(VERDICT_DROP);
    struct listing listing = {0};
    struct error err = {0};

    assert_int_equal(backend_nftables.list(&terms, &listing, &err), 0);
    return listing;
}

/* What the interface has; fails if that is not one guard. */
static inline struct held held_on(const char *interface)
{
    cleanup(listing) struct listing listing = list();
    size_t count = 0;
    const struct held *held = listing_find(&listing, interface, &count);

    assert_int_equal(count, 1);
    return *held;
}

static inline void assert_whole(void)
{
    cleanup(listing) struct listing listing = list();

    for (size_t i = 0; i < listing.fault_count; i++)
        print_error("%s\n", listing.faults[i]);
    assert_int_equal(listing.fault_count, 0);
    assert_true(listing.present);
}

static inline void assert_others(enum verdict verdict, uint64_t packets)
{
    cleanup(listing) struct listing listing = list();

    assert_int_equal(listing.others.verdict, verdict);
    assert_int_equal(listing.others.packets, packets);
    assert_int_equal(listing.others.bytes, 60 * packets);
}

/* How many messages of a type are there, all tables together. */
static inline unsigned count_of(int type)
{
    unsigned count = 0;

    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len))
        count += nft_reply_type(there_at(at)) == type;
    return count;
}

/* Whether there is a table, or a chain in one. */
static inline bool stands(const char *table, const char *chain)
{
    char what[64];
    char subject[64];

    snprintf(what, sizeof(what), chain != NULL ? "chain %s" : "table inet %s",
             chain != NULL ? chain : table);
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        nft_message_subject(there_at(at), subject, sizeof(subject));
        if (strcmp(subject, what) == 0 && strcmp(table_of(there_at(at)), table) == 0)
            return true;
    }
    return false;
}

/* The expression's number, wherever in the message it is, becomes that of so many packets of 60
 * bytes. */
static inline void set_counter(const struct nlattr *expression, uint64_t packets)
{
    const uint64_t numbers[] = {htobe64(60 * packets), htobe64(packets)};
    struct attributes outer;
    struct attributes inner;

    attributes_nested(expression, &outer);
    if (!attribute_is(&outer, NFTA_EXPR_NAME, "counter"))
        return;
    attributes_nested(outer.at[NFTA_EXPR_DATA], &inner);
    for (unsigned type = NFTA_COUNTER_BYTES; type <= NFTA_COUNTER_PACKETS; type++)
        memcpy(mnl_attr_get_payload(inner.at[type]), &numbers[type - NFTA_COUNTER_BYTES],
               sizeof(*numbers));
}

/* Packets of those who have no guard have come. */
static inline void others_send(uint64_t packets)
{
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct attributes rule;
        const struct nlattr *item = NULL;

        if (nft_reply_type(there_at(at)) != NFT_MSG_NEWRULE)
            continue;
        nft_reply_attributes(there_at(at), &rule);
        while ((item = attribute_next(rule.at[NFTA_RULE_EXPRESSIONS], item)) != NULL)
            set_counter(item, packets);
    }
}

#endif
