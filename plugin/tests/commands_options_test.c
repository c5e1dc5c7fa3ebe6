/* What a person types, and what the options make of it. */
#include "node/commands/commands.h"
#include "node/commands/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *dir;
static bool json;
static unsigned interval;
static const struct option_spec specs[] = {
    {"dir", "DIR", "where to look (default /etc)", .text = &dir},
    {"json", NULL, "for programs", .flag = &json},
    {"interval", "SECONDS", "how often (default 60)", .number = &interval},
    {0},
};

static char said[1024];
static char printed[1024];

static int parse(const char *const *words)
{
    char *argv[8] = {(char *)(uintptr_t) "watch"};
    int argc = 1;
    FILE *out = fmemopen(printed, sizeof(printed), "w");
    FILE *err = fmemopen(said, sizeof(said), "w");
    int code;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    dir = "/etc";
    json = false;
    interval = 60;
    memset(said, 0, sizeof(said));
    memset(printed, 0, sizeof(printed));
    code = options_parse(argc, argv, specs, "Looks.\n", out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return code;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(int code, const char *says)
{
    assert_int_equal(code, EXIT_USAGE);
    assert_string_equal(printed, "");
    if (strstr(said, says) == NULL || strstr(said, "see imds-guard watch --help") == NULL)
        fail_msg("\"%s\" does not say \"%s\"", said, says);
}

static void what_is_not_given_stays(void **state)
{
    (void)state;
    assert_int_equal(PARSE(NULL), OPTIONS_RUN);
    assert_string_equal(dir, "/etc");
    assert_false(json);
    assert_int_equal(interval, 60);
}

static void what_is_given_is_taken(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--dir", "/run", "--json", "--interval=86400"), OPTIONS_RUN);
    assert_string_equal(dir, "/run");
    assert_true(json);
    assert_int_equal(interval, 86400);
    assert_int_equal(PARSE("--interval", "1"), OPTIONS_RUN);
    assert_int_equal(interval, 1);
}

static void a_number_of_seconds_is_nothing_else(void **state)
{
    static const char *const wrong[] = {
        "0", "86401", "-1", "+5", " 5", "5s", "", "0x10", "1e3", "18446744073709551617",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_refused(PARSE("--interval", wrong[i]), "not a number of seconds from 1 to 86400");
        assert_int_equal(interval, 60);
    }
}

static void what_makes_no_sense_is_said(void **state)
{
    (void)state;
    assert_refused(PARSE("--interval"), "--interval: needs a value");
    assert_refused(PARSE("--yaml"), "--yaml: no such option");
    assert_refused(PARSE("--json=yes"), "--json=yes: no such option");
    assert_refused(PARSE("--json", "now"), "now: takes no arguments");
}

static void help_is_made_of_the_same_table(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--json", "--help", "--yaml"), EXIT_OK);
    assert_string_equal(said, "");
    assert_string_equal(printed, "usage: imds-guard watch [OPTION...]\n\nLooks.\n\noptions:\n"
                                 "  --dir DIR            where to look (default /etc)\n"
                                 "  --json               for programs\n"
                                 "  --interval SECONDS   how often (default 60)\n"
                                 "  --help               print this\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_stays),
        cmocka_unit_test(what_is_given_is_taken),
        cmocka_unit_test(a_number_of_seconds_is_nothing_else),
        cmocka_unit_test(what_makes_no_sense_is_said),
        cmocka_unit_test(help_is_made_of_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
