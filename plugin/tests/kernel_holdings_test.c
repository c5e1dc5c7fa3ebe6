/*
 * The one judge: what becomes of a pod's packets, and whether there is anything to write. What it
 * takes for right is not repaired, so every way in which it may not be must be seen.
 */
#include "kernel_holdings.h"

/* How eni1 of x stands, that shall have this verdict. */
static enum standing standing(const struct holdings *holdings, enum verdict wanted)
{
    const struct guard guard = {.interface = "eni1", .verdict = wanted};

    return holdings_standing(holdings, TAG_X, &guard);
}

static void one_backends_guard_is_judged(void **state)
{
    static const struct {
        enum verdict wanted;
        enum verdict others;
        const char *held;
        enum standing standing;
    } cases[] = {
        {VERDICT_DROP, VERDICT_DROP, "eni1=drop:x", STANDING_RIGHT},
        {VERDICT_DROP, VERDICT_PASS, "eni1=drop:x", STANDING_RIGHT},
        {VERDICT_PASS, VERDICT_DROP, "eni1=pass:x", STANDING_RIGHT},
        {VERDICT_REJECT, VERDICT_DROP, "eni1=reject:x", STANDING_RIGHT},
        {VERDICT_DROP, VERDICT_DROP, "", STANDING_MISSING},
        {VERDICT_DROP, VERDICT_DROP, "eni2=drop:x", STANDING_MISSING},
        {VERDICT_DROP, VERDICT_DROP, "eni1=drop:x/4", STANDING_PARTIAL},
        {VERDICT_DROP, VERDICT_DROP, "eni1=drop:y", STANDING_OTHER_OWNER},
        {VERDICT_DROP, VERDICT_DROP, "eni1=drop:-", STANDING_OTHER_OWNER},
        {VERDICT_PASS, VERDICT_PASS, "", STANDING_MISSING},
        {VERDICT_DROP, VERDICT_PASS, "", STANDING_OPEN},
        {VERDICT_DROP, VERDICT_PASS, "eni1=drop:x/6", STANDING_OPEN},
        {VERDICT_DROP, VERDICT_DROP, "eni1=pass:x", STANDING_OPEN},
        {VERDICT_DROP, VERDICT_DROP, "eni1=drop:x eni1=pass:y/4", STANDING_OPEN},
        {VERDICT_PASS, VERDICT_DROP, "", STANDING_TOO_STRICT},
        {VERDICT_PASS, VERDICT_DROP, "eni1=pass:x/4", STANDING_TOO_STRICT},
        {VERDICT_PASS, VERDICT_PASS, "eni1=drop:x", STANDING_TOO_STRICT},
        {VERDICT_REJECT, VERDICT_DROP, "", STANDING_OTHER_WAY},
        {VERDICT_DROP, VERDICT_DROP, "eni1=reject:x", STANDING_OTHER_WAY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(holdings) struct holdings holdings = empty_holdings();

        holds(&holdings, NFTABLES, cases[i].others, cases[i].held);
        if (standing(&holdings, cases[i].wanted) != cases[i].standing)
            fail_msg("%s for %s, others %s: %d", cases[i].held, verdict_name(cases[i].wanted),
                     verdict_name(cases[i].others), standing(&holdings, cases[i].wanted));
    }
}

static void nothing_at_all_is_open(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_OPEN);
    assert_int_equal(standing(&holdings, VERDICT_PASS), STANDING_MISSING);
    assert_int_equal(holdings_others(&holdings), VERDICT_PASS);
    assert_false(holdings_present(&holdings));
    assert_false(holdings_in_force(&holdings));
}

static void a_skeleton_with_a_fault_denies_nothing(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    holds(&holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    listing_fault(&holdings.items[NFTABLES].listing, "a chain is gone");
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_OPEN);
    assert_int_equal(holdings_others(&holdings), VERDICT_PASS);
    assert_true(holdings_present(&holdings));
    assert_false(holdings_in_force(&holdings));
}

static void of_two_backends_the_stricter_decides(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    holds(&holdings, NFTABLES, VERDICT_PASS, "eni1=pass:x");
    holds(&holdings, IPTABLES, VERDICT_DROP, "");
    assert_int_equal(standing(&holdings, VERDICT_PASS), STANDING_TOO_STRICT);
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_MISSING);
    assert_int_equal(holdings_others(&holdings), VERDICT_DROP);
    assert_true(holdings_in_force(&holdings));
    hold(&holdings.items[IPTABLES].listing, "eni1=pass:x");
    assert_int_equal(standing(&holdings, VERDICT_PASS), STANDING_RIGHT);
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_OPEN);
}

/* Of a backend that could not be read nobody knows whether it denies anything. */
static void what_could_not_be_read_denies_nothing(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    holdings.items[IPTABLES].listing.families = 0;
    holdings.items[IPTABLES].unread = strdup("iptables: no memory");
    holds(&holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_RIGHT);
    listing_free(&holdings.items[NFTABLES].listing);
    holdings.items[NFTABLES].listing.families = BOTH;
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_OPEN);
}

static void a_family_that_the_kernel_lacks_is_not_missed(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        holdings.items[i].listing.families = FAMILY_IPV4;
    holds(&holdings, NFTABLES, VERDICT_PASS, "eni1=drop:x/4");
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_RIGHT);
}

static void the_worst_guard_is_the_plans(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();
    struct guard guards[] = {{.interface = "eni1"}, {.interface = "eni2"}};
    const struct plan plan = {.tag = TAG_X, .guards = guards, .guard_count = 2};

    (void)state;
    holds(&holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x eni2=pass:x");
    assert_int_equal(holdings_plan_standing(&holdings, &plan), STANDING_OPEN);
    guards[1].verdict = VERDICT_PASS;
    assert_int_equal(holdings_plan_standing(&holdings, &plan), STANDING_RIGHT);
}

static void what_is_told_is_told_of_all_but_what_is_right(void **state)
{
    (void)state;
    for (enum standing i = STANDING_OPEN; i < STANDING_RIGHT; i++)
        assert_non_null(standing_text(i));
    assert_null(standing_text(STANDING_RIGHT));
    assert_false(standing_is_in_force(STANDING_OPEN));
    assert_false(standing_is_in_force(STANDING_TOO_STRICT));
    assert_false(standing_is_in_force(STANDING_OTHER_WAY));
    assert_true(standing_is_in_force(STANDING_MISSING));
    assert_true(standing_is_in_force(STANDING_RIGHT));
}

/* Whether there is nothing to write in nftables for x, that wants eni1 and eni2 dropped. */
static bool have(const struct holdings *holdings)
{
    struct guard guards[] = {{.interface = "eni1"}, {.interface = "eni2"}};
    const struct plan plan = {.tag = TAG_X, .guards = guards, .guard_count = 2};

    return holdings_have(holdings, &backend_nftables, &plan);
}

static void only_what_stands_exactly_so_is_had(void **state)
{
    static const struct {
        const char *held;
        bool had;
    } cases[] = {
        {"eni1=drop:x eni2=drop:x", true},
        {"eni1=drop:x eni2=drop:x eni3=drop:y", true},
        {"eni1=drop:x", false},
        {"eni1=drop:x eni2=pass:x", false},
        {"eni1=drop:x eni2=drop:x/4", false},
        {"eni1=drop:x eni2=drop:y", false},
        {"eni1=drop:x eni2=drop:x eni2=drop:y", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(holdings) struct holdings holdings = empty_holdings();
        cleanup(holdings) struct holdings elsewhere = empty_holdings();

        holds(&holdings, NFTABLES, VERDICT_DROP, cases[i].held);
        holds(&elsewhere, IPTABLES, VERDICT_DROP, cases[i].held);
        if (have(&holdings) != cases[i].had)
            fail_msg("%s", cases[i].held);
        assert_false(have(&elsewhere));
    }
}

static void the_owners_but_with_another_tag_is_not_had(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    holds(&holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x eni2=drop:x");
    strcpy(holdings.items[NFTABLES].listing.held[1].tag, "aws-cni/x/eth0 2 default/web-0");
    assert_false(have(&holdings));
    assert_int_equal(standing(&holdings, VERDICT_DROP), STANDING_RIGHT);
}

static bool have_terms(const struct holdings *holdings, enum verdict others)
{
    const struct terms terms = {.others = others};

    return holdings_have_terms(holdings, &backend_nftables, &terms);
}

static void terms_are_had_where_they_stand_and_nothing_else_does(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();
    struct listing *listing = &holdings.items[NFTABLES].listing;

    (void)state;
    assert_false(have_terms(&holdings, VERDICT_DROP));
    assert_false(have_terms(&holdings, VERDICT_PASS));
    holds(&holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    assert_true(have_terms(&holdings, VERDICT_DROP));
    assert_false(have_terms(&holdings, VERDICT_PASS));
    assert_false(have_terms(&holdings, VERDICT_REJECT));
    listing->surplus = calloc(1, sizeof(*listing->surplus));
    listing->surplus_count = 1;
    assert_false(have_terms(&holdings, VERDICT_DROP));
    listing->surplus_count = 0;
    listing_fault(listing, "a chain is gone");
    assert_false(have_terms(&holdings, VERDICT_DROP));
}

static void terms_are_not_had_beside_another_backends(void **state)
{
    cleanup(holdings) struct holdings holdings = empty_holdings();

    (void)state;
    holds(&holdings, NFTABLES, VERDICT_DROP, "");
    assert_true(have_terms(&holdings, VERDICT_DROP));
    holds(&holdings, IPTABLES, VERDICT_DROP, "");
    assert_false(have_terms(&holdings, VERDICT_DROP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_backends_guard_is_judged),
        cmocka_unit_test(nothing_at_all_is_open),
        cmocka_unit_test(a_skeleton_with_a_fault_denies_nothing),
        cmocka_unit_test(of_two_backends_the_stricter_decides),
        cmocka_unit_test(what_could_not_be_read_denies_nothing),
        cmocka_unit_test(a_family_that_the_kernel_lacks_is_not_missed),
        cmocka_unit_test(the_worst_guard_is_the_plans),
        cmocka_unit_test(what_is_told_is_told_of_all_but_what_is_right),
        cmocka_unit_test(only_what_stands_exactly_so_is_had),
        cmocka_unit_test(the_owners_but_with_another_tag_is_not_had),
        cmocka_unit_test(terms_are_had_where_they_stand_and_nothing_else_does),
        cmocka_unit_test(terms_are_not_had_beside_another_backends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
