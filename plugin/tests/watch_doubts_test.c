#include "node/watch/doubts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NEVER INT64_MAX

/* As a watch does with what ends; it never gives the room back. */
static void forget(struct doubts *doubts)
{
    doubts_begin(doubts);
    doubts_end(doubts);
    free(doubts->items);
}

static void a_deletion_that_ends_leaves_no_doubt(void **state)
{
    struct doubts doubts = {0};

    (void)state;
    doubts_add(&doubts, "a", 1000);
    assert_int_equal(doubts_next(&doubts, NEVER), 1000 + DOUBT_MS);
    assert_false(doubts_meet(&doubts, "a", 1000 + DOUBT_MS - 1));
    doubts_settle(&doubts, "a");
    doubts_settle(&doubts, "b");
    assert_int_equal(doubts_next(&doubts, NEVER), NEVER);
    forget(&doubts);
}

static void what_lasts_is_acted_upon_and_waited_for_no_more(void **state)
{
    struct doubts doubts = {0};

    (void)state;
    doubts_add(&doubts, "a", 1000);
    doubts_add(&doubts, "a", 4000); /* its time runs from the first */
    doubts_add(&doubts, "b", 4000);
    assert_true(doubts_meet(&doubts, "a", 1000 + DOUBT_MS));
    assert_false(doubts_meet(&doubts, "b", 1000 + DOUBT_MS));
    assert_int_equal(doubts_next(&doubts, NEVER), 4000 + DOUBT_MS);
    /* What could not be mended is still to be told of. */
    assert_true(doubts_meet(&doubts, "a", 1000 + DOUBT_MS + 1));
    forget(&doubts);
}

static void what_no_deletion_explains_is_ripe_at_once(void **state)
{
    struct doubts doubts = {0};

    (void)state;
    doubts_press(&doubts, "a", 1000);
    assert_int_equal(doubts_next(&doubts, NEVER), 1000);
    assert_true(doubts_meet(&doubts, "a", 1000));
    doubts_add(&doubts, "b", 1000);
    doubts_press(&doubts, "b", 2000);
    assert_true(doubts_meet(&doubts, "b", 2000));
    forget(&doubts);
}

static void a_look_at_everything_ends_those_that_it_has_not_met(void **state)
{
    struct doubts doubts = {0};

    (void)state;
    doubts_add(&doubts, "a", 1000);
    doubts_add(&doubts, "b", 2000);
    doubts_add(&doubts, "c", 3000);
    doubts_begin(&doubts);
    doubts_meet(&doubts, "b", 3000);
    doubts_end(&doubts);
    assert_int_equal(doubts.count, 1);
    assert_string_equal(doubts.items[0].file, "b");
    doubts_begin(&doubts);
    doubts_end(&doubts);
    assert_int_equal(doubts.count, 0);
    forget(&doubts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deletion_that_ends_leaves_no_doubt),
        cmocka_unit_test(what_lasts_is_acted_upon_and_waited_for_no_more),
        cmocka_unit_test(what_no_deletion_explains_is_ripe_at_once),
        cmocka_unit_test(a_look_at_everything_ends_those_that_it_has_not_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
