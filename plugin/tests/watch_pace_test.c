#include "node/watch/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A repair that took no time, undone `later` ms after it; the next is made when the pace allows. */
static int64_t repair_after(struct pace *pace, int64_t now, int64_t later)
{
    now += later;
    if (now < pace->not_before)
        now = pace->not_before;
    pace_looked(pace, now, now, true);
    return now;
}

static void a_burst_is_answered_at_once(void **state)
{
    struct pace pace = {0};
    int64_t now = 1000;

    (void)state;
    for (int i = 0; i < PACE_PATIENCE; i++) {
        now = repair_after(&pace, now, 1);
        assert_int_equal(pace.not_before, now);
    }
    assert_false(pace.fight);
}

static void a_fight_is_answered_as_fast_as_repairs_are_forgiven(void **state)
{
    struct pace pace = {0};
    int64_t now = 1000, start;
    int repairs = 0;

    (void)state;
    for (int i = 0; i <= PACE_PATIENCE + 1; i++)
        now = repair_after(&pace, now, 1);
    assert_true(pace.fight);
    for (start = now; now < start + 60 * 1000; repairs++)
        now = repair_after(&pace, now, 1);
    assert_int_equal(repairs, 60 * 1000 / PACE_FORGIVEN);
}

/* Slow enough that no two are moments apart, and yet for ever. */
static void a_slow_fight_is_one_as_well(void **state)
{
    struct pace pace = {0};
    int64_t now = 1000;
    int repairs = 0;

    (void)state;
    for (; !pace.fight && repairs < 635; repairs++)
        now = repair_after(&pace, now, 1100);
    assert_true(pace.fight);
    assert_in_range(repairs, PACE_PATIENCE, 2 * PACE_PATIENCE);
}

static void a_rest_ends_the_fight(void **state)
{
    struct pace pace = {0};
    int64_t now = 1000;

    (void)state;
    for (int i = 0; i < 2 * PACE_PATIENCE; i++)
        now = repair_after(&pace, now, 1);
    pace_looked(&pace, now + PACE_FORGIVEN, now + PACE_FORGIVEN, false);
    assert_true(pace.fight);
    now += (int64_t)PACE_PATIENCE * PACE_FORGIVEN;
    now = repair_after(&pace, now, 0);
    assert_false(pace.fight);
    assert_int_equal(pace.not_before, now);
}

static void who_writes_now_and_then_is_never_made_to_wait(void **state)
{
    struct pace pace = {0};
    int64_t now = 1000;

    (void)state;
    for (int i = 0; i < 10 * PACE_PATIENCE; i++) {
        now = repair_after(&pace, now, PACE_FORGIVEN);
        assert_int_equal(pace.not_before, now);
    }
}

static void a_look_for_nothing_rests_as_long_as_it_took(void **state)
{
    struct pace pace = {0};

    (void)state;
    pace_looked(&pace, 1000, 1030, false);
    assert_int_equal(pace.not_before, 1060 + PACE_LOOK_PAUSE);
}

static void a_look_for_nothing_shortens_no_pause(void **state)
{
    struct pace pace = {.not_before = 6000};

    (void)state;
    pace_looked(&pace, 1001, 1002, false);
    assert_int_equal(pace.not_before, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_answered_at_once),
        cmocka_unit_test(a_fight_is_answered_as_fast_as_repairs_are_forgiven),
        cmocka_unit_test(a_slow_fight_is_one_as_well),
        cmocka_unit_test(a_rest_ends_the_fight),
        cmocka_unit_test(who_writes_now_and_then_is_never_made_to_wait),
        cmocka_unit_test(a_look_for_nothing_rests_as_long_as_it_took),
        cmocka_unit_test(a_look_for_nothing_shortens_no_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
