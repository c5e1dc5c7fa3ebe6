/* A set of tags, and what is in it. */
#include "guard_text.h"

#include "guard/tags.h"

static void what_is_in_the_set_is_found(void **state)
{
    const char *items[] = {"b/2/eth0", "a/1/eth0", "c/3/eth0", "a/1/eth"};
    struct tags tags = {.items = items, .count = 4};
    (void)state;

    tags_sort(&tags);
    assert_true(tags_have(&tags, "a/1/eth"));
    assert_true(tags_have(&tags, "a/1/eth0"));
    assert_true(tags_have(&tags, "b/2/eth0"));
    assert_true(tags_have(&tags, "c/3/eth0"));
}

static void another_text_is_not(void **state)
{
    const char *items[] = {"c/3/eth0", "a/1/eth0"};
    struct tags tags = {.items = items, .count = 2};
    (void)state;

    tags_sort(&tags);
    assert_false(tags_have(&tags, "a/1/eth"));
    assert_false(tags_have(&tags, "a/1/eth00"));
    assert_false(tags_have(&tags, "b/2/eth0"));
    assert_false(tags_have(&tags, ""));
}

static void an_empty_set_has_nothing(void **state)
{
    struct tags tags = {.items = NULL, .count = 0};
    (void)state;

    tags_sort(&tags);
    assert_false(tags_have(&tags, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_set_is_found),
        cmocka_unit_test(another_text_is_not),
        cmocka_unit_test(an_empty_set_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
