#include "kernel/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PLANS 1000

static struct guard guards[PLANS][2];
static struct plan plans[PLANS];

/* Plan i guards "eni<i>" in and "vlan.eth.<i>" out, for container c<i>; not in sorted order. */
static int make_plans(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        int number = (i * 7) % PLANS;

        snprintf(guards[i][0].interface, INTERFACE_NAME_SIZE, "eni%d", number);
        guards[i][0].direction = DIRECTION_IN;
        snprintf(guards[i][1].interface, INTERFACE_NAME_SIZE, "vlan.eth.%d", number);
        guards[i][1].direction = DIRECTION_OUT;
        snprintf(plans[i].tag, TAG_SIZE, "aws-cni/c%d/eth0 2 default/web", number);
        plans[i].guards = guards[i];
        plans[i].guard_count = 2;
    }
    return 0;
}

static bool covers(const struct wanted *wanted, const char *interface, enum direction direction,
                   const char *tag)
{
    struct held held = {.guard.direction = direction};

    strcpy(held.guard.interface, interface);
    strcpy(held.tag, tag);
    return wanted_covers(&held, wanted);
}

static void covers_each_interface_whoever_owns_it(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};
    char name[INTERFACE_NAME_SIZE];

    (void)state;
    assert_int_equal(wanted_make(plans, PLANS, &wanted, &err), 0);
    for (int i = 0; i < PLANS; i++) {
        snprintf(name, sizeof(name), "eni%d", i);
        assert_true(covers(&wanted, name, DIRECTION_IN, "other/x/eth0 1 -"));
        assert_false(covers(&wanted, name, DIRECTION_OUT, "other/x/eth0 1 -"));
        snprintf(name, sizeof(name), "vlan.eth.%d", i);
        assert_true(covers(&wanted, name, DIRECTION_OUT, ""));
        assert_false(covers(&wanted, name, DIRECTION_IN, ""));
    }
    assert_false(covers(&wanted, "eni1000", DIRECTION_IN, "other/x/eth0 1 -"));
    assert_false(covers(&wanted, "en", DIRECTION_IN, "other/x/eth0 1 -"));
}

static void covers_each_owner_wherever_it_stands(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};
    char tag[TAG_SIZE];

    (void)state;
    assert_int_equal(wanted_make(plans, PLANS, &wanted, &err), 0);
    for (int i = 0; i < PLANS; i++) {
        snprintf(tag, sizeof(tag), "aws-cni/c%d/eth0 1 -", i);
        assert_true(covers(&wanted, "elsewhere", DIRECTION_IN, tag));
    }
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, "aws-cni/c1000/eth0 1 -"));
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, "aws-cni/c/eth0 1 -"));
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, "aws-cni/c1/eth1 1 -"));
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, "aws/c1/eth0 1 -"));
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, "aws-cni/c1/eth0"));
    assert_false(covers(&wanted, "elsewhere", DIRECTION_IN, ""));
}

static void no_plan_covers_nothing(void **state)
{
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(wanted_make(NULL, 0, &wanted, &err), 0);
    assert_false(covers(&wanted, "eni1", DIRECTION_IN, "aws-cni/c1/eth0 1 -"));
}

static void the_later_of_two_plans_counts(void **state)
{
    struct guard same = {.interface = "eni1", .direction = DIRECTION_IN};
    struct plan two[] = {
        {.tag = "aws-cni/old/eth0 1 -", .guards = &same, .guard_count = 1},
        {.tag = "aws-cni/new/eth0 1 -", .guards = &same, .guard_count = 1},
    };
    cleanup(wanted) struct wanted wanted = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(wanted_make(two, 2, &wanted, &err), 0);
    assert_int_equal(wanted.guard_count, 1);
    assert_string_equal(wanted_find(&wanted, &same)->tag, "aws-cni/new/eth0 1 -");
    assert_true(wanted_owns(&wanted, two[0].tag));
}

static void what_must_not_get_into_a_rule_is_refused(void **state)
{
    struct guard guard = {.interface = "a/b", .direction = DIRECTION_IN};
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

static void tells_whether_any_is_outgoing(void **state)
{
    struct guard in[2] = {{.interface = "vlan1"}, {.interface = "vlan2"}};
    struct plan plan = {.tag = "aws-cni/c1/eth0 2 -", .guards = in, .guard_count = 2};
    cleanup(wanted) struct wanted incoming = {0};
    cleanup(wanted) struct wanted both = {0};
    struct wanted none = {0};
    struct error err = {0};

    (void)state;
    assert_false(wanted_have_outgoing(&none));
    assert_int_equal(wanted_make(&plan, 1, &incoming, &err), 0);
    assert_false(wanted_have_outgoing(&incoming));
    in[0].direction = DIRECTION_OUT;
    assert_int_equal(wanted_make(&plan, 1, &both, &err), 0);
    assert_true(wanted_have_outgoing(&both));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_each_interface_whoever_owns_it),
        cmocka_unit_test(covers_each_owner_wherever_it_stands),
        cmocka_unit_test(no_plan_covers_nothing),
        cmocka_unit_test(the_later_of_two_plans_counts),
        cmocka_unit_test(what_must_not_get_into_a_rule_is_refused),
        cmocka_unit_test(tells_whether_any_is_outgoing),
    };

    return cmocka_run_group_tests(tests, make_plans, NULL);
}
