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

static struct held there(const char *interface, enum verdict verdict, const char *tag)
{
    struct held held = {.guard.verdict = verdict, .packets = 9, .bytes = 540};

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
                                 size_t held_count, const struct listing *seen, bool anew)
{
    struct nft_changes changes = {0};
    struct error err = {0};

    held_sort(held, &held_count);
    const struct listing listing = {.held = held, .held_count = held_count};
    assert_int_equal(changes_make(plans, plan_count, &listing, seen, anew, &changes, &err), 0);
    return changes;
}

static void what_is_right_stays(void **state)
{
    struct held held[] = {there("eni1", VERDICT_DROP, OWNER_A),
                          there("eni2", VERDICT_DROP, OWNER_B)};
    struct guard guard = held[0].guard;
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 2, NULL, false);

    (void)state;
    assert_int_equal(changes.gone_count, 0);
    assert_int_equal(changes.fresh_count, 0);
    assert_false(changes.exact);
}

static void verdict_and_tag_are_replaced(void **state)
{
    struct held held[] = {there("eni1", VERDICT_PASS, OWNER_A),
                          there("eni2", VERDICT_DROP, OWNER_B),
                          there("eni3", VERDICT_REJECT, "aws-cni/a/eth0 2 -")};
    struct guard guards[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                             {.interface = "eni2", .verdict = VERDICT_DROP},
                             {.interface = "eni3", .verdict = VERDICT_DROP}};
    struct plan plan = plan_of(guards, 3, OWNER_A);

    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 3, NULL, anew);

        assert_int_equal(changes.gone_count, anew ? 0 : 3);
        assert_int_equal(changes.fresh_count, 3);
        assert_false(changes.exact);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(changes.fresh[i]->guard.verdict, VERDICT_DROP);
            assert_string_equal(changes.fresh[i]->tag, OWNER_A);
            /* What was let through, or is another's, says nothing of what this one denies. */
            assert_int_equal(changes.fresh[i]->packets, i == 2 ? 9 : 0);
            assert_int_equal(changes.fresh[i]->bytes, i == 2 ? 540 : 0);
        }
    }
}

/* Made from a look at a moment when nobody, or a, had the interface: b has come with an ADD since. */
static void what_was_not_seen_stays(void **state)
{
    struct held before[] = {there("eni0", VERDICT_DROP, OWNER_B),
                            there("eni1", VERDICT_DROP, OWNER_A)};
    struct held held[] = {there("eni1", VERDICT_PASS, OWNER_B)};
    struct guard guard = {.interface = "eni1", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);

    (void)state;
    for (size_t count = 0; count <= 2; count++) {
        const struct listing seen = {.held = before, .held_count = count};

        for (int anew = 0; anew < 2; anew++) {
            cleanup(nft_changes) struct nft_changes changes =
                change(&plan, 1, held, 1, &seen, anew);

            assert_int_equal(changes.gone_count, 0);
            assert_int_equal(changes.fresh_count, (size_t)anew);
            if (anew)
                assert_string_equal(changes.fresh[0]->tag, OWNER_B);
        }
    }
}

static void what_was_seen_goes_if_nothing_has_changed_since(void **state)
{
    struct held held[] = {there("eni1", VERDICT_DROP, OWNER_B)};
    struct listing seen = {.held = held, .held_count = 1};
    struct guard guard = {.interface = "eni1", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 1, &seen, false);

    (void)state;
    assert_int_equal(changes.gone_count, 1);
    assert_string_equal(changes.fresh[0]->tag, OWNER_A);
    assert_true(changes.exact);
}

/* Nobody's: no ADD has set it. And one's own, whatever was seen. */
static void what_is_nobody_s_goes_seen_or_not(void **state)
{
    static const char *const tags[] = {"", OWNER_A};
    const struct listing nothing = {0};
    struct guard guard = {.interface = "eni1", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct held held = there("eni1", VERDICT_PASS, tags[i]);
        cleanup(nft_changes) struct nft_changes changes =
            change(&plan, 1, &held, 1, &nothing, false);

        assert_int_equal(changes.gone_count, 1);
        assert_int_equal(changes.fresh_count, 1);
        assert_true(changes.exact);
    }
}

/* Who knows what was held takes stale guards away himself, if they are still stale. */
static void what_is_stale_is_left_to_who_has_seen_it(void **state)
{
    struct held held[] = {there("old", VERDICT_DROP, OWNER_A)};
    const struct listing seen = {.held = held, .held_count = 1};
    struct guard guard = {.interface = "new", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 1, &seen, false);

    (void)state;
    assert_int_equal(changes.gone_count, 0);
    assert_int_equal(changes.fresh_count, 1);
    assert_false(changes.exact);
}

static void stale_guards_of_a_plans_owner_go(void **state)
{
    struct held held[] = {there("old", VERDICT_DROP, OWNER_A), there("b", VERDICT_DROP, OWNER_B),
                          there("ab", VERDICT_DROP, "aws-cni/ab/eth0 1 -"),
                          there("x", VERDICT_DROP, "")};
    struct guard guard = {.interface = "new", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 4, NULL, false);

    (void)state;
    assert_int_equal(changes.gone_count, 1);
    assert_string_equal(changes.gone[0]->guard.interface, "old");
    assert_int_equal(changes.fresh_count, 1);
    assert_true(changes.exact);
}

static void made_anew_the_others_come_along(void **state)
{
    struct held held[] = {there("a", VERDICT_DROP, OWNER_A), there("b", VERDICT_PASS, OWNER_B),
                          there("x", VERDICT_DROP, "somebody's")};
    struct guard guard = {.interface = "a", .verdict = VERDICT_DROP};
    struct plan plan = plan_of(&guard, 1, OWNER_A);
    cleanup(nft_changes) struct nft_changes changes = change(&plan, 1, held, 3, NULL, true);

    (void)state;
    assert_int_equal(changes.gone_count, 0);
    assert_int_equal(changes.fresh_count, 2);
    assert_string_equal(changes.fresh[0]->guard.interface, "a");
    assert_string_equal(changes.fresh[1]->guard.interface, "b");
    assert_int_equal(changes.fresh[0]->packets, 9);
    assert_int_equal(changes.fresh[1]->packets, 9);
}

static void of_two_plans_for_an_interface_one_counts(void **state)
{
    struct guard guards[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                             {.interface = "eni1", .verdict = VERDICT_DROP}};
    struct plan plans[] = {plan_of(&guards[0], 1, OWNER_A), plan_of(&guards[1], 1, OWNER_B)};
    cleanup(nft_changes) struct nft_changes changes = change(plans, 2, NULL, 0, NULL, false);

    (void)state;
    assert_int_equal(changes.fresh_count, 1);
    assert_string_equal(changes.fresh[0]->tag, OWNER_B);
}

static void what_a_dump_gives_twice_counts_once(void **state)
{
    struct held held[] = {there("b", VERDICT_DROP, OWNER_B), there("a", VERDICT_DROP, OWNER_A),
                          there("b", VERDICT_DROP, OWNER_B), there("ab", VERDICT_DROP, OWNER_B)};
    size_t count = 4;

    (void)state;
    held_sort(held, &count);
    assert_int_equal(count, 3);
    assert_string_equal(held[0].guard.interface, "a");
    assert_string_equal(held[1].guard.interface, "ab");
    assert_string_equal(held[2].guard.interface, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_stays),
        cmocka_unit_test(verdict_and_tag_are_replaced),
        cmocka_unit_test(what_was_not_seen_stays),
        cmocka_unit_test(what_was_seen_goes_if_nothing_has_changed_since),
        cmocka_unit_test(what_is_nobody_s_goes_seen_or_not),
        cmocka_unit_test(what_is_stale_is_left_to_who_has_seen_it),
        cmocka_unit_test(stale_guards_of_a_plans_owner_go),
        cmocka_unit_test(made_anew_the_others_come_along),
        cmocka_unit_test(of_two_plans_for_an_interface_one_counts),
        cmocka_unit_test(what_a_dump_gives_twice_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
