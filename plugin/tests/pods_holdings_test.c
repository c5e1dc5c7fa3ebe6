/*
 * Whether a plan stands exactly as it should: then sync writes nothing, so every way in which it may
 * not must be seen.
 */
#include "node/pods/holdings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OURS   "aws-cni/x/eth0 2 default/web-0"
#define THEIRS "aws-cni/y/eth0 1 default/web-0"
#define BOTH   (FAMILY_IPV4 | FAMILY_IPV6)

static struct guard wanted[] = {
    {.interface = "eni1", .direction = DIRECTION_IN, .verdict = VERDICT_DROP},
    {.interface = "eni2", .direction = DIRECTION_IN, .verdict = VERDICT_DROP},
};

static const struct plan plan = {.tag = OURS, .guards = wanted, .guard_count = 2};

/* What the chosen backend and the other one hold. */
struct node {
    struct holding holdings[2];
    const char *tags[8];
};

static void hold(struct holding *holding, const char *interface, const char *tag)
{
    struct held held = {.families = BOTH};

    strcpy(held.guard.interface, interface);
    strcpy(held.tag, tag);
    assert_true(listing_add(&holding->listing, &held));
}

static struct node make_node(void)
{
    struct node node = {.holdings = {{.backend = &backend_nftables, .listing.families = BOTH},
                                     {.backend = &backend_iptables, .listing.families = BOTH}}};

    hold(&node.holdings[0], "eni1", OURS);
    hold(&node.holdings[0], "eni2", OURS);
    return node;
}

static struct holdings holdings_of(struct node *node)
{
    struct holdings holdings = {node->holdings, 2, {node->tags, 0}};

    for (size_t i = 0; i < 2; i++) {
        struct listing *listing = &node->holdings[i].listing;

        if (listing->held_count > 0)
            qsort(listing->held, listing->held_count, sizeof(*listing->held), held_compare);
        for (size_t j = 0; j < listing->held_count; j++)
            holdings.tags.items[holdings.tags.count++] = listing->held[j].tag;
    }
    tags_sort(&holdings.tags);
    return holdings;
}

/* And lets it go. */
static void expect(struct node node, bool has, enum standing of_the_first)
{
    const struct holdings holdings = holdings_of(&node);

    assert_int_equal(holdings_have(&holdings, &backend_nftables, &plan), has);
    assert_int_equal(holdings_standing(&holdings, plan.tag, &wanted[0]), of_the_first);
    for (size_t i = 0; i < 2; i++)
        listing_free(&node.holdings[i].listing);
}

static void what_stands_exactly_so_is_had(void **state)
{
    struct node node = make_node();

    (void)state;
    hold(&node.holdings[0], "eni3", THEIRS);
    expect(node, true, STANDING_RIGHT);
}

static void what_is_missing_or_wrong_is_not(void **state)
{
    struct node node = make_node();

    (void)state;
    node.holdings[0].listing.held_count = 1;
    expect(node, false, STANDING_RIGHT);

    node = make_node();
    node.holdings[0].listing.held[0].guard.verdict = VERDICT_COUNT;
    expect(node, false, STANDING_TOO_LAX);

    node = make_node();
    node.holdings[0].listing.held[0].families = FAMILY_IPV4;
    expect(node, false, STANDING_PARTIAL);

    node = make_node();
    strcpy(node.holdings[0].listing.held[0].tag, THEIRS);
    expect(node, false, STANDING_OTHER_OWNER);

    /* The owner's, but its tag says something else. */
    node = make_node();
    strcpy(node.holdings[0].listing.held[0].tag, "aws-cni/x/eth0 1 default/web-0");
    expect(node, false, STANDING_RIGHT);

    node = make_node();
    assert_true(listing_fault(&node.holdings[0].listing, "a chain is gone"));
    expect(node, false, STANDING_FAULTY);
}

static void more_than_the_plan_is_not(void **state)
{
    struct node node = make_node();

    (void)state;
    hold(&node.holdings[0], "eni3", OURS);
    expect(node, false, STANDING_RIGHT);

    node = make_node();
    hold(&node.holdings[0], "eni1", THEIRS);
    expect(node, false, STANDING_RIGHT);
}

static void what_the_other_backend_holds_of_it_is_not(void **state)
{
    struct node node = make_node();

    (void)state;
    hold(&node.holdings[1], "eni1", THEIRS);
    expect(node, false, STANDING_RIGHT);

    node = make_node();
    hold(&node.holdings[1], "eni3", OURS);
    expect(node, false, STANDING_RIGHT);

    node = make_node();
    hold(&node.holdings[1], "eni3", THEIRS);
    expect(node, true, STANDING_RIGHT);
}

static void a_guard_of_another_owner_disputes(void **state)
{
    struct node node = make_node();
    struct holdings holdings = holdings_of(&node);

    (void)state;
    assert_false(holdings_dispute(&holdings, &plan));
    hold(&node.holdings[1], "eni2", "");
    holdings = holdings_of(&node);
    assert_false(holdings_dispute(&holdings, &plan)); /* nobody's */
    hold(&node.holdings[1], "eni2", THEIRS);
    holdings = holdings_of(&node);
    assert_true(holdings_dispute(&holdings, &plan));
    expect(node, false, STANDING_RIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_exactly_so_is_had),
        cmocka_unit_test(what_is_missing_or_wrong_is_not),
        cmocka_unit_test(more_than_the_plan_is_not),
        cmocka_unit_test(what_the_other_backend_holds_of_it_is_not),
        cmocka_unit_test(a_guard_of_another_owner_disputes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
