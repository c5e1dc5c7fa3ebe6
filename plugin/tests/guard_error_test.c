#include "guard_text.h"

static void set_replaces_everything(void **state)
{
    struct error err = {.code = ERROR_IO, .msg = "old", .details = "old"};

    (void)state;
    assert_int_equal(error_set(&err, ERROR_KERNEL, "%s %d", "new", 7), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_string_equal(err.msg, "new 7");
    assert_string_equal(err.details, "");
}

static void context_comes_first(void **state)
{
    struct error err = {.code = ERROR_IO, .msg = "cause", .details = "kept"};

    (void)state;
    assert_int_equal(error_context(&err, "place %d", 3), -1);
    assert_string_equal(err.msg, "place 3: cause");
    assert_string_equal(err.details, "kept");
    assert_int_equal(err.code, ERROR_IO);
}

static void details_are_strung_together(void **state)
{
    struct error err = {.code = ERROR_IO};

    (void)state;
    assert_int_equal(error_details(&err, "one"), -1);
    assert_int_equal(error_details(&err, "two"), -1);
    assert_string_equal(err.details, "one; two");
}

static void what_is_too_long_is_cut(void **state)
{
    struct error err = {.code = ERROR_NONE};

    (void)state;
    error_set(&err, ERROR_IO, "%0600d", 1);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    error_context(&err, "place");
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_int_equal(strncmp(err.msg, "place: 000", 10), 0);
    for (int i = 0; i < 2 * (int)sizeof(err.details); i++)
        error_details(&err, "x");
    assert_int_equal(strlen(err.details), sizeof(err.details) - 1);
}

/* Cut within a character, or given bytes of a name from outside, it still is UTF-8. */
static void text_is_always_utf8(void **state)
{
    struct error err = {.code = ERROR_NONE};

    (void)state;
    error_set(&err, ERROR_IO, "%0510d\xC3\xA4", 0);
    assert_int_equal(err.msg[510], '?');
    error_set(&err, ERROR_IO, "a\xFFz \xC3\xA4");
    assert_string_equal(err.msg, "a?z \xC3\xA4");
    error_context(&err, "\x80");
    assert_string_equal(err.msg, "?: a?z \xC3\xA4");
    error_details(&err, "\xC3\xA4 \xF5");
    assert_string_equal(err.details, "\xC3\xA4 ?");
}

static void no_memory_is_an_io_error(void **state)
{
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(error_no_memory(&err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.msg, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces_everything),     cmocka_unit_test(context_comes_first),
        cmocka_unit_test(details_are_strung_together), cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(text_is_always_utf8),         cmocka_unit_test(no_memory_is_an_io_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
