/*
 * From what is there and what should be to what goes and what comes.
 */
#include "kernel/nftables/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OWNER_A "aws-cni/a/eth0 1 default/a"
#define OWNER_B "aws-cni/b/eth0 1 default/b"

static struct held there(const char *interface, enum direction direction, enum verdict verdict,
                         const char *tag)
{
    struct held held = {.guard = {.direction = direction, .verdict = verdict}, .packets = 9};

    snprintf(held.guard.interface, sizeof(held.guard.interface), "%s", interface);
    snprintf(held.tag, sizeof(held.tag), "%s", tag);
    return held;
}

static struct plan plan_of(struct guard *guards, size_t count, const char *tag)
{
    struct plan plan = {.guards = guards, .guard_count = count};

    snprintf(plan.tag, sizeof(plan.tag), "%s", tag);
    return plan;
}

static struct nft_changes change(const struct plan *plans, size_t plan_count, struct held *held,
                                 size_t held_count, bool anew)
{
    struct nft_changes changes = {0};
    struct error err = {0};

    held_sort(held, &held_count);
    assert_int_equal(changes_make(plans, plan_count, held, held_count, anew, &changes, &err), 0);
    return changes;
}

static void what_is_right_stays(void **state)
{
    struct held held[] = {there("eni1", DIRECTION_IN, VERDICT_DROP, OWNER_A),
                          there("eni2", DIRECTION_IN, VERDICT_DROP, OWNER_B)};
    struct guard guard = held[0].guard;
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 2, false);

    (void)state;
    assert_int_equal(changes.gone_count, 0);
    assert_int_equal(changes.fresh_count, 0);
    assert_false(changes.exact);
}

static void verdict_and_tag_are_replaced(void **state)
{
    struct held held[] = {there("eni1", DIRECTION_IN, VERDICT_COUNT, OWNER_A),
                          there("eni1", DIRECTION_OUT, VERDICT_DROP, OWNER_B)};
    struct guard guards[] = {{"eni1", DIRECTION_IN, VERDICT_DROP},
                             {"eni1", DIRECTION_OUT, VERDICT_DROP}};
    struct plan plan = plan_of(guards, 2, OWNER_A);
    cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 2, false);

    (void)state;
    assert_int_equal(changes.gone_count, 2);
    assert_int_equal(changes.fresh_count, 2);
    assert_false(changes.exact);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(changes.fresh[i]->guard.verdict, VERDICT_DROP);
        assert_string_equal(changes.fresh[i]->tag, OWNER_A);
        assert_int_equal(changes.fresh[i]->packets, 0);
    }
}

static void nobody_is_first_where_a_guard_stood(void **state)
{
    struct held held[] = {there("eni1", DIRECTION_IN, VERDICT_DROP, OWNER_A),
                          there("eni2", DIRECTION_IN, VERDICT_DROP, OWNER_A)};
    struct guard guards[] = {{"eni1", DIRECTION_IN, VERDICT_DROP},
                             {"eni3", DIRECTION_IN, VERDICT_DROP}};
    struct plan again = plan_of(guards, 1, OWNER_A);
    struct plan taking_over = plan_of(guards, 1, OWNER_B);
    struct plan elsewhere = plan_of(&guards[1], 1, OWNER_A);
    struct plan new = plan_of(&guards[1], 1, OWNER_B);

    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        cleanup(changes) struct nft_changes a = change(&again, 1, held, 2, anew);
        cleanup(changes) struct nft_changes b = change(&taking_over, 1, held, 2, anew);
        cleanup(changes) struct nft_changes c = change(&elsewhere, 1, held, 2, anew);
        cleanup(changes) struct nft_changes d = change(&new, 1, held, 2, anew);

        assert_false(a.first || b.first || c.first);
        assert_true(d.first);
    }
}

/* Made from a look at a moment when a had the interface: b has come with an ADD since. */
static void what_is_no_rivals_stays(void **state)
{
    struct held held[] = {there("eni1", DIRECTION_IN, VERDICT_COUNT, OWNER_B)};
    struct guard guard = {"eni1", DIRECTION_IN, VERDICT_DROP};
    const char *seen[] = {OWNER_A};
    struct tags rivals = {seen, 1};
    struct plan plan = plan_of(&guard, 1, OWNER_A);

    (void)state;
    plan.rivals = &rivals;
    for (int anew = 0; anew < 2; anew++) {
        cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 1, anew);

        assert_int_equal(changes.gone_count, 0);
        assert_int_equal(changes.fresh_count, (size_t)anew);
        if (anew)
            assert_string_equal(changes.fresh[0]->tag, OWNER_B);
    }
}

static void what_is_a_rivals_goes_if_nothing_has_changed_since(void **state)
{
    struct held held[] = {there("eni1", DIRECTION_IN, VERDICT_DROP, OWNER_B)};
    struct guard guard = {"eni1", DIRECTION_IN, VERDICT_DROP};
    const char *seen[] = {OWNER_B};
    struct tags rivals = {seen, 1};
    struct plan plan = plan_of(&guard, 1, OWNER_A);

    (void)state;
    plan.rivals = &rivals;
    cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 1, false);
    assert_int_equal(changes.gone_count, 1);
    assert_string_equal(changes.fresh[0]->tag, OWNER_A);
    assert_true(changes.exact);
}

static void stale_guards_of_a_plans_owner_go(void **state)
{
    struct held held[] = {there("old", DIRECTION_IN, VERDICT_DROP, OWNER_A),
                          there("b", DIRECTION_IN, VERDICT_DROP, OWNER_B),
                          there("ab", DIRECTION_IN, VERDICT_DROP, "aws-cni/ab/eth0 1 -"),
                          there("x", DIRECTION_IN, VERDICT_DROP, "")};
    struct guard guard = {"new", DIRECTION_IN, VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 4, false);

    (void)state;
    assert_int_equal(changes.gone_count, 1);
    assert_string_equal(changes.gone[0]->guard.interface, "old");
    assert_int_equal(changes.fresh_count, 1);
    assert_true(changes.exact);
}

static void made_anew_the_others_come_along(void **state)
{
    struct held held[] = {there("a", DIRECTION_IN, VERDICT_DROP, OWNER_A),
                          there("b", DIRECTION_IN, VERDICT_COUNT, OWNER_B),
                          there("x", DIRECTION_IN, VERDICT_DROP, "somebody's")};
    struct guard guard = {"a", DIRECTION_IN, VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(changes) struct nft_changes changes = change(&plan, 1, held, 3, true);

    (void)state;
    assert_int_equal(changes.gone_count, 0);
    assert_int_equal(changes.fresh_count, 2);
    assert_string_equal(changes.fresh[0]->guard.interface, "a");
    assert_string_equal(changes.fresh[1]->guard.interface, "b");
    assert_int_equal(changes.fresh[0]->packets, 9);
    assert_int_equal(changes.fresh[1]->packets, 9);
}

static void of_two_plans_for_an_interface_the_later_counts(void **state)
{
    struct guard guard = {"eni1", DIRECTION_IN, VERDICT_DROP};
    struct plan plans[] = {plan_of(&guard, 1, OWNER_A), plan_of(&guard, 1, OWNER_B)};
    cleanup(changes) struct nft_changes changes = change(plans, 2, NULL, 0, false);

    (void)state;
    assert_int_equal(changes.fresh_count, 1);
    assert_string_equal(changes.fresh[0]->tag, OWNER_B);
}

static void what_a_dump_gives_twice_counts_once(void **state)
{
    struct held held[] = {there("b", DIRECTION_OUT, VERDICT_DROP, OWNER_B),
                          there("a", DIRECTION_OUT, VERDICT_DROP, OWNER_A),
                          there("b", DIRECTION_OUT, VERDICT_DROP, OWNER_B),
                          there("b", DIRECTION_IN, VERDICT_DROP, OWNER_B)};
    size_t count = 4;

    (void)state;
    held_sort(held, &count);
    assert_int_equal(count, 3);
    assert_int_equal(held[0].guard.direction, DIRECTION_IN);
    assert_string_equal(held[1].guard.interface, "a");
    assert_string_equal(held[2].guard.interface, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_stays),
        cmocka_unit_test(verdict_and_tag_are_replaced),
        cmocka_unit_test(nobody_is_first_where_a_guard_stood),
        cmocka_unit_test(what_is_no_rivals_stays),
        cmocka_unit_test(what_is_a_rivals_goes_if_nothing_has_changed_since),
        cmocka_unit_test(stale_guards_of_a_plans_owner_go),
        cmocka_unit_test(made_anew_the_others_come_along),
        cmocka_unit_test(of_two_plans_for_an_interface_the_later_counts),
        cmocka_unit_test(what_a_dump_gives_twice_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
