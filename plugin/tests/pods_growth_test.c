/*
 * What a sync compares must grow with the attachments, not with their square: comparisons of guards
 * and of owners are counted, twice as many attachments may need little more than twice as many.
 */
#include "node/pods/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static size_t comparisons;

int __real_guard_compare(const struct guard *a, const struct guard *b);
int __wrap_guard_compare(const struct guard *a, const struct guard *b);
bool __real_tags_have_same_owner(const char *a, const char *b);
bool __wrap_tags_have_same_owner(const char *a, const char *b);
bool __real_tag_is_owned_by(const char *text, const struct owner *owner);
bool __wrap_tag_is_owned_by(const char *text, const struct owner *owner);

int __wrap_guard_compare(const struct guard *a, const struct guard *b)
{
    comparisons++;
    return __real_guard_compare(a, b);
}

bool __wrap_tags_have_same_owner(const char *a, const char *b)
{
    comparisons++;
    return __real_tags_have_same_owner(a, b);
}

bool __wrap_tag_is_owned_by(const char *text, const struct owner *owner)
{
    comparisons++;
    return __real_tag_is_owned_by(text, owner);
}

#define MANY 800

/* `count` pods in their order, each with one interface that it names; a backend that is asked. */
struct node {
    char names[2 * MANY][INTERFACE_NAME_SIZE];
    struct result_interface interfaces[2 * MANY];
    struct guard guards[2 * MANY];
    struct cached_attachment cached[2 * MANY];
    struct surveyed surveyed[2 * MANY];
    const char *tags[2 * MANY];
    struct holding holding;
    struct survey survey;
};

static struct node node;

static void make_pod(size_t i)
{
    struct attachment *attachment = &node.cached[i].attachment;
    struct surveyed *surveyed = &node.surveyed[i];

    snprintf(node.names[i], sizeof(node.names[i]), "eni%05zu", i);
    node.interfaces[i] = (struct result_interface){node.names[i], "", ""};
    attachment->owner = (struct owner){"aws-cni", node.names[i], "eth0"};
    attachment->result = (struct result){&node.interfaces[i], 1};
    strcpy(node.guards[i].interface, node.names[i]);
    surveyed->cached = &node.cached[i];
    surveyed->state = ATTACHMENT_PLANNED;
    surveyed->plan.guards = &node.guards[i];
    surveyed->plan.guard_count = 1;
    tag_write(&attachment->owner, 1, "default", "web", surveyed->plan.tag);
}

static void hold(size_t i)
{
    struct held held = {.guard = node.guards[i], .families = FAMILY_IPV4 | FAMILY_IPV6};

    strcpy(held.tag, node.surveyed[i].plan.tag);
    assert_true(listing_add(&node.holding.listing, &held));
}

/* Comparisons that it takes to see that all is right, or that nothing is there. */
static size_t look_at(size_t pods, bool held)
{
    struct holdings *holdings = &node.survey.holdings;
    struct error err = {0};

    memset(&node, 0, sizeof(node));
    node.holding.backend = &backend_nftables;
    node.holding.listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    node.survey.attachments = node.surveyed;
    node.survey.count = pods;
    for (size_t i = 0; i < pods; i++)
        make_pod(i);
    for (size_t i = 0; held && i < pods; i++)
        hold(i);
    for (size_t i = 0; i < node.holding.listing.held_count; i++)
        node.tags[i] = node.holding.listing.held[i].tag;
    *holdings = (struct holdings){&node.holding, 1, {node.tags, node.holding.listing.held_count}};

    comparisons = 0;
    assert_int_equal(claims_settle(&node.survey, &err), 0);
    for (size_t i = 0; i < pods; i++) {
        const struct plan *plan = &node.surveyed[i].plan;

        assert_int_equal(node.surveyed[i].state, ATTACHMENT_PLANNED);
        assert_int_equal(holdings_have(holdings, &backend_nftables, plan), held);
        assert_int_equal(holdings_standing(holdings, plan->tag, plan->guards),
                         held ? STANDING_RIGHT : STANDING_MISSING);
        assert_false(holdings_dispute(holdings, plan));
    }
    listing_free(&node.holding.listing);
    return comparisons;
}

static void expect_growth_by_two(bool held)
{
    size_t once = look_at(MANY, held);
    size_t twice = look_at(2 * MANY, held);

    /* Something is looked up for each, and all of it is counted. */
    assert_true(once >= MANY);
    if (10 * twice > 25 * once)
        fail_msg("%zu comparisons for %d attachments, %zu for %d", once, MANY, twice, 2 * MANY);
}

static void a_node_where_all_is_right_takes_time_by_its_pods(void **state)
{
    (void)state;
    expect_growth_by_two(true);
}

static void a_node_where_all_is_missing_takes_time_by_its_pods(void **state)
{
    (void)state;
    expect_growth_by_two(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_where_all_is_right_takes_time_by_its_pods),
        cmocka_unit_test(a_node_where_all_is_missing_takes_time_by_its_pods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
