/* Whose guard counts on an interface, and finding it among thousands. */
#include "kernel/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PLANS 1000

static struct guard guards[PLANS][2];
static struct plan plans[PLANS];

/* Plan i guards "eni<i>" and "veth<i>", for container c<i>; not in sorted order. */
static int make_plans(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        int number = (i * 7) % PLANS;

        snprintf(guards[i][0].interface, INTERFACE_NAME_SIZE, "eni%d", number);
        snprintf(guards[i][1].interface, INTERFACE_NAME_SIZE, "veth%d", number);
        snprintf(plans[i].tag, TAG_SIZE, "aws-cni/c%d/eth0 2 default/web", number);
        plans[i].guards = guards[i];
        plans[i].guard_count = 2;
    }
    return 0;
}

static void each_interface_is_found(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(wanted_make(plans, PLANS, &wanted, &err), 0);
    assert_int_equal(wanted.guard_count, 2 * PLANS);
    for (int i = 0; i < PLANS; i++)
        for (int j = 0; j < 2; j++) {
            const struct wanted_guard *found = wanted_find(&wanted, guards[i][j].interface);

            assert_ptr_equal(found->guard, &guards[i][j]);
            assert_string_equal(found->tag, plans[i].tag);
        }
    assert_null(wanted_find(&wanted, "eni1000"));
    assert_null(wanted_find(&wanted, "en"));
    assert_null(wanted_find(&wanted, ""));
}

static void each_owner_is_found(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};
    char tag[TAG_SIZE];

    (void)state;
    assert_int_equal(wanted_make(plans, PLANS, &wanted, &err), 0);
    for (int i = 0; i < PLANS; i++) {
        snprintf(tag, sizeof(tag), "aws-cni/c%d/eth0 1 -", i);
        assert_true(wanted_owns(&wanted, tag));
    }
    assert_false(wanted_owns(&wanted, "aws-cni/c1000/eth0 1 -"));
    assert_false(wanted_owns(&wanted, "aws-cni/c/eth0 1 -"));
    assert_false(wanted_owns(&wanted, "aws-cni/c1/eth1 1 -"));
    assert_false(wanted_owns(&wanted, "aws/c1/eth0 1 -"));
    assert_false(wanted_owns(&wanted, "aws-cni/c1/eth0"));
    assert_false(wanted_owns(&wanted, ""));
}

static void nothing_wanted_has_nothing(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(wanted_make(NULL, 0, &wanted, &err), 0);
    assert_null(wanted_find(&wanted, "eni1"));
    assert_false(wanted_owns(&wanted, "aws-cni/c1/eth0 1 -"));
}

static void of_claims_the_proven_then_the_stricter_then_the_later_counts(void **state)
{
    static const struct {
        struct guard older, newer;
        bool newer_counts;
    } cases[] = {
        {{"eni1", VERDICT_DROP, false, 0}, {"eni1", VERDICT_DROP, false, 0}, true},
        {{"eni1", VERDICT_PASS, false, 0}, {"eni1", VERDICT_PASS, false, 0}, true},
        {{"eni1", VERDICT_DROP, true, 0}, {"eni1", VERDICT_DROP, true, 0}, true},
        {{"eni1", VERDICT_DROP, false, 0}, {"eni1", VERDICT_PASS, false, 0}, false},
        {{"eni1", VERDICT_REJECT, false, 0}, {"eni1", VERDICT_PASS, false, 0}, false},
        {{"eni1", VERDICT_PASS, false, 0}, {"eni1", VERDICT_DROP, false, 0}, true},
        {{"eni1", VERDICT_PASS, false, 0}, {"eni1", VERDICT_REJECT, false, 0}, true},
        {{"eni1", VERDICT_DROP, true, 0}, {"eni1", VERDICT_PASS, true, 0}, false},
        {{"eni1", VERDICT_DROP, false, 0}, {"eni1", VERDICT_PASS, true, 0}, true},
        {{"eni1", VERDICT_PASS, true, 0}, {"eni1", VERDICT_DROP, false, 0}, false},
        {{"eni1", VERDICT_DROP, true, 0}, {"eni1", VERDICT_DROP, false, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard pair[] = {cases[i].older, cases[i].newer};
        const struct plan two[] = {
            {.tag = "aws-cni/zzz/eth0 1 -", .guards = &pair[0], .guard_count = 1},
            {.tag = "aws-cni/aaa/eth0 1 -", .guards = &pair[1], .guard_count = 1},
        };
        cleanup(wanted) struct wanted wanted = {0};
        struct error err = {0};

        assert_int_equal(wanted_make(two, 2, &wanted, &err), 0);
        assert_int_equal(wanted.guard_count, 1);
        assert_ptr_equal(wanted_find(&wanted, "eni1")->guard, &pair[cases[i].newer_counts]);
        assert_true(wanted_owns(&wanted, two[0].tag));
        assert_true(wanted_owns(&wanted, two[1].tag));
    }
}

static void hold(struct listing *listing, const char *interface, const char *tag)
{
    struct held held = {.families = FAMILY_IPV4};

    strcpy(held.guard.interface, interface);
    strcpy(held.tag, tag);
    listing_add(listing, &held);
}

/* y's ADD has come between the look at the guards and the writing. */
static void what_was_not_seen_is_not_taken_over(void **state)
{
    struct guard guard = {.interface = "eni1"};
    const struct wanted_guard wanted = {.guard = &guard, .tag = "aws-cni/x/eth0 1 default/web"};
    cleanup(listing) struct listing seen = {0};
    const struct listing nothing = {0};

    (void)state;
    assert_true(wanted_takes_over(&wanted, "aws-cni/y/eth0 1 -", NULL));
    assert_false(wanted_takes_over(&wanted, "aws-cni/y/eth0 1 -", &nothing));
    assert_true(wanted_takes_over(&wanted, "aws-cni/x/eth0 9 -", &nothing));
    assert_true(wanted_takes_over(&wanted, "", &nothing));
    hold(&seen, "eni0", "aws-cni/y/eth0 1 -");
    assert_false(wanted_takes_over(&wanted, "aws-cni/y/eth0 1 -", &seen));
    hold(&seen, "eni1", "aws-cni/y/eth0 1 -");
    assert_true(wanted_takes_over(&wanted, "aws-cni/y/eth0 1 -", &seen));
    assert_false(wanted_takes_over(&wanted, "aws-cni/z/eth0 1 -", &seen));
}

static void what_must_not_get_into_a_rule_is_refused(void **state)
{
    struct guard guard = {.interface = "a/b"};
    struct plan plan = {.tag = "aws-cni/c/eth0 1 -", .guards = &guard, .guard_count = 1};
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(wanted_make(&plan, 1, &wanted, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_non_null(strstr(err.msg, "a/b"));
    strcpy(guard.interface, "eni1");
    strcpy(plan.tag, "no tag");
    assert_int_equal(wanted_make(&plan, 1, &wanted, &err), -1);
    assert_non_null(strstr(err.msg, "no tag"));
    assert_null(wanted.guards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_interface_is_found),
        cmocka_unit_test(each_owner_is_found),
        cmocka_unit_test(nothing_wanted_has_nothing),
        cmocka_unit_test(of_claims_the_proven_then_the_stricter_then_the_later_counts),
        cmocka_unit_test(what_was_not_seen_is_not_taken_over),
        cmocka_unit_test(what_must_not_get_into_a_rule_is_refused),
    };

    return cmocka_run_group_tests(tests, make_plans, NULL);
}
