#include "guard/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void bytes_stand_for_themselves(void **state)
{
    (void)state;
    assert_true(glob_matches("", ""));
    assert_true(glob_matches("kube-system", "kube-system"));
    assert_false(glob_matches("kube-system", "kube-systems"));
    assert_false(glob_matches("kube-system", "kube-syste"));
    assert_false(glob_matches("kube", "KUBE"));
    assert_false(glob_matches("", "a"));
    assert_false(glob_matches("a", ""));
    assert_true(glob_matches("\xc3\xa4", "\xc3\xa4"));
}

static void a_star_takes_any_bytes_or_none(void **state)
{
    (void)state;
    assert_true(glob_matches("*", ""));
    assert_true(glob_matches("**", ""));
    assert_true(glob_matches("*", ".a/b*c"));
    assert_true(glob_matches("kube-*", "kube-"));
    assert_true(glob_matches("kube-*", "kube-system"));
    assert_false(glob_matches("kube-*", "kube"));
    assert_false(glob_matches("kube-*", "a-kube-system"));
    assert_true(glob_matches("*-system", "kube-system"));
    assert_false(glob_matches("*-system", "kube-system-x"));
    assert_true(glob_matches("a*b*c", "a-b-b-c-c"));
    assert_false(glob_matches("a*b*c", "a-c-b"));
    assert_true(glob_matches("*ab", "aab"));
    assert_true(glob_matches("*aab*", "aaab"));
    assert_true(glob_matches("a**z", "az"));
}

static void a_question_mark_takes_one_byte(void **state)
{
    (void)state;
    assert_true(glob_matches("csi-?", "csi-1"));
    assert_false(glob_matches("csi-?", "csi-"));
    assert_false(glob_matches("csi-?", "csi-12"));
    assert_true(glob_matches("?", "/"));
    assert_true(glob_matches("*?", "abc"));
    assert_false(glob_matches("?*", ""));
    assert_false(glob_matches("?", "\xc3\xa4"));
}

static void a_backslash_makes_bytes_plain(void **state)
{
    (void)state;
    assert_true(glob_matches("a\\*", "a*"));
    assert_false(glob_matches("a\\*", "ab"));
    assert_false(glob_matches("a\\*", "a\\b"));
    assert_true(glob_matches("\\?", "?"));
    assert_false(glob_matches("\\?", "x"));
    assert_true(glob_matches("\\\\", "\\"));
    assert_true(glob_matches("\\a", "a"));
    assert_true(glob_matches("*\\*", "a*"));
    assert_false(glob_matches("*\\*", "a"));
    assert_true(glob_matches("a\\", "a\\"));
    assert_false(glob_matches("a\\", "a"));
}

static void brackets_are_plain(void **state)
{
    (void)state;
    assert_true(glob_matches("[ab]", "[ab]"));
    assert_false(glob_matches("[ab]", "a"));
    assert_false(glob_matches("[!a]", "b"));
    assert_true(glob_matches("[*]", "[x]"));
}

/* What the definition says, with no care for time: the matcher must say the same of every glob and
 * text of up to five of these bytes. */
static bool by_definition(const char *glob, const char *text)
{
    if (glob[0] == '\0')
        return text[0] == '\0';
    if (glob[0] == '*')
        return by_definition(glob + 1, text) || (text[0] != '\0' && by_definition(glob, text + 1));
    if (text[0] == '\0')
        return false;
    if (glob[0] == '\\' && glob[1] != '\0')
        return glob[1] == text[0] && by_definition(glob + 2, text + 1);
    return (glob[0] == '?' || glob[0] == text[0]) && by_definition(glob + 1, text + 1);
}

static void spell(unsigned number, const char *alphabet, char *out)
{
    size_t base = strlen(alphabet) + 1;

    for (; number > 0; number /= (unsigned)base)
        if (number % base > 0)
            *out++ = alphabet[number % base - 1];
    *out = '\0';
}

static void all_short_globs_keep_to_the_definition(void **state)
{
    char glob[8], text[8];

    (void)state;
    for (unsigned i = 0; i < 6 * 6 * 6 * 6 * 6; i++) {
        spell(i, "ab*?\\", glob);
        for (unsigned j = 0; j < 4 * 4 * 4 * 4; j++) {
            spell(j, "ab*", text);
            if (glob_matches(glob, text) != by_definition(glob, text))
                fail_msg("glob %s, text %s", glob, text);
        }
    }
}

/* Takes matchers that try every * again longer than anybody lives. */
static void long_texts_take_no_time(void **state)
{
    const size_t length = 1000000;
    char *text = calloc(length + 1, 1);
    char glob[254] = "";
    clock_t start = clock();

    (void)state;
    assert_non_null(text);
    memset(text, 'a', length);
    for (size_t i = 0; i + 1 < sizeof(glob); i++)
        glob[i] = i % 2 ? 'a' : '*';
    glob[sizeof(glob) - 2] = 'b';
    assert_false(glob_matches(glob, text));
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stand_for_themselves),
        cmocka_unit_test(a_star_takes_any_bytes_or_none),
        cmocka_unit_test(a_question_mark_takes_one_byte),
        cmocka_unit_test(a_backslash_makes_bytes_plain),
        cmocka_unit_test(brackets_are_plain),
        cmocka_unit_test(all_short_globs_keep_to_the_definition),
        cmocka_unit_test(long_texts_take_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
