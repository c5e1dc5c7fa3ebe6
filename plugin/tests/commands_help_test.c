/* `help` over a table of the test's own: the commands themselves are other tests' business. */
#include "node/commands/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int asked_for_help;

static int command_fake(int argc, char **argv, FILE *out, FILE *err)
{
    (void)out;
    (void)err;
    assert_int_equal(argc, 2);
    assert_string_equal(argv[0], "fake");
    assert_string_equal(argv[1], "--help");
    assert_null(argv[2]);
    asked_for_help++;
    return EXIT_OK;
}

const struct command commands[] = {
    {"fake", "what fake does", command_fake},
    {"help", "what help does", command_help},
    {NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    return strcmp(name, "fake") == 0 ? &commands[0] : NULL;
}

struct said {
    int code;
    char *out;
    char *err;
};

static struct said say(int (*run)(int, char **, FILE *, FILE *), int argc, char **argv)
{
    struct said said = {0};
    size_t out_length;
    size_t err_length;
    FILE *out = open_memstream(&said.out, &out_length);
    FILE *err = open_memstream(&said.err, &err_length);

    said.code = run(argc, argv, out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return said;
}

static void forget(struct said *said)
{
    free(said->out);
    free(said->err);
}

static void lists_every_command(void **state)
{
    char help[] = "help";
    char option[] = "--help";
    char *ways[][3] = {
        {help, NULL, NULL}, {option, NULL, NULL}, {help, option, NULL}, {help, help, NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct said said = say(command_help, ways[i][1] ? 2 : 1, ways[i]);

        assert_int_equal(said.code, EXIT_OK);
        assert_non_null(strstr(said.out, "  fake       what fake does\n"));
        assert_non_null(strstr(said.out, "  help       what help does\n"));
        assert_string_equal(said.err, "");
        forget(&said);
    }
}

static void asks_a_command_for_its_own_help(void **state)
{
    char *argv[] = {(char[]){"help"}, (char[]){"fake"}, NULL};
    struct said said = say(command_help, 2, argv);

    (void)state;
    assert_int_equal(said.code, EXIT_OK);
    assert_int_equal(asked_for_help, 1);
    forget(&said);
}

static void knows_no_other_command(void **state)
{
    char *argv[] = {(char[]){"help"}, (char[]){"nothing"}, (char[]){"more"}, NULL};

    (void)state;
    for (int argc = 2; argc <= 3; argc++) {
        struct said said = say(command_help, argc, argv);

        assert_int_equal(said.code, EXIT_USAGE);
        assert_string_equal(said.out, "");
        assert_non_null(strstr(said.err, argv[argc - 1]));
        forget(&said);
    }
}

static void prints_the_version(void **state)
{
    char *argv[] = {(char[]){"version"}, (char[]){"extra"}, NULL};
    struct said said = say(command_version, 1, argv);

    (void)state;
    assert_int_equal(said.code, EXIT_OK);
    assert_string_equal(said.out,
                        "imds-guard " IMDS_GUARD_VERSION "\nCNI " IMDS_GUARD_CNI_VERSIONS "\n");
    forget(&said);
    said = say(command_version, 2, argv);
    assert_int_equal(said.code, EXIT_USAGE);
    assert_string_equal(said.out, "");
    assert_non_null(strstr(said.err, "extra"));
    forget(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_every_command),
        cmocka_unit_test(asks_a_command_for_its_own_help),
        cmocka_unit_test(knows_no_other_command),
        cmocka_unit_test(prints_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
