#include "guard_text.h"

#include "guard/utf8.h"

/* Edges of RFC 3629's table, section 4. */
static void length_follows_the_table(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\x7F", 1},
        {"\x80", 0},
        {"\xBF", 0},
        {"\xC0\x80", 0}, /* overlong NUL */
        {"\xC1\xBF", 0},
        {"\xC2\x80", 2},
        {"\xDF\xBF", 2},
        {"\xDF\xC0", 0},
        {"\xC3", 0},
        {"\xE0\x9F\xBF", 0}, /* overlong */
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xED\xA0\x80", 0}, /* surrogate */
        {"\xEF\xBF\xBF", 3},
        {"\xE2\x82", 0},
        {"\xE2\x82\x28", 0},
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        {"\xF4\x90\x80\x80", 0}, /* past U+10FFFF */
        {"\xF1\x80\x80\x28", 0},
        {"\xF5\x80\x80\x80", 0},
        {"\xFF", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t available = strlen(cases[i].bytes);
        cleanup(free_text) char *exact = malloc(available + 1); /* no NUL to run into */

        memcpy(exact + 1, cases[i].bytes, available);
        assert_int_equal(utf8_length(exact + 1, available), cases[i].length);
    }
}

static void scrub_leaves_characters_alone(void **state)
{
    char mixed[] = "\xC3\xA4\xFF-\xE2\x82\xAC\xE2\x82";
    char empty[] = "";

    (void)state;
    utf8_scrub(mixed);
    assert_string_equal(mixed, "\xC3\xA4?-\xE2\x82\xAC??");
    utf8_scrub(empty);
    assert_string_equal(empty, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_follows_the_table),
        cmocka_unit_test(scrub_leaves_characters_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
