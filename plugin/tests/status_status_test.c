/*
 * The printers against expected files, plugin/tests/data/status/.
 */
#include "node/status/status.h"

#include "guard/endpoint.h"
#include "guard/json.h"
#include "node/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BOTH (FAMILY_IPV4 | FAMILY_IPV6)

static char nothing[] = "";

static struct status_guard web_guards[] = {
    {{"eni0a1b2c3d4e5", DIRECTION_IN, VERDICT_DROP}, "nftables", BOTH, 12, 720},
    {{"vlan.eth.37", DIRECTION_OUT, VERDICT_DROP}, "nftables", BOTH, 0, 0},
};
static struct status_guard exempt_guards[] = {
    /* more than a double can count */
    {{"enib2c3d4e5f60", DIRECTION_IN, VERDICT_COUNT}, "iptables", FAMILY_IPV4, 9007199254740993, 1},
};
static struct status_guard leftover_guards[] = {
    {{"eni\"quoted\\", DIRECTION_IN, VERDICT_DROP}, "nftables", BOTH, 3, 180},
};
static struct status_guard missing_guards[] = {
    {{"enid4e5f6071829", DIRECTION_IN, VERDICT_DROP}, NULL, 0, 0, 0},
};

static struct status_row rows[] = {
    {(char[]){"default"}, (char[]){"web-0"}, (char[]){"aws-cni"},
     (char[]){"4f3c0b1a2d3e4f5061728394a5b6c7d8"}, (char[]){"eth0"}, STATUS_STATE_GUARDED, nothing,
     web_guards, 2},
    {(char[]){"kube-system"}, (char[]){"ebs-csi-node-x7k2p"}, (char[]){"aws-cni"},
     (char[]){"a5b6c7d8e9f0"}, (char[]){"eth0"}, STATUS_STATE_GUARDED, nothing, exempt_guards, 1},
    {nothing, nothing, (char[]){"aws-cni"}, (char[]){"c7d8"}, (char[]){"eth0"},
     STATUS_STATE_LEFTOVER, (char[]){"pod and interface are gone"}, leftover_guards, 1},
    {(char[]){"default"}, (char[]){"old-1"}, (char[]){"aws-cni"}, (char[]){"d8e9f0a1b2c3d4e5"},
     (char[]){"eth0"}, STATUS_STATE_UNGUARDED, (char[]){"no guard"}, missing_guards, 1},
    {(char[]){"default"}, (char[]){"unplanned"}, (char[]){"aws-cni"}, (char[]){"e9f0"},
     (char[]){"eth0"}, STATUS_STATE_UNGUARDED, (char[]){"nothing to guard"}, NULL, 0},
};

static struct note notes[] = {
    {NOTE_PROBLEM, (char[]){"nftables: chain forward has no rule"}},
};

static const struct status full = {
    .network = (char[]){"aws-cni"},
    .rows = rows,
    .row_count = 5,
    .problems = {notes, 1},
    .complete = true,
};

static const struct status empty = {.network = nothing, .complete = true};

/* What stands in a file, with the version put in; to be freed. */
static char *with_version(const char *text)
{
    static const char mark[] = "@VERSION@";
    const char *place = strstr(text, mark);
    char *made = NULL;

    if (!place)
        return strdup(text);
    assert_true(asprintf(&made, "%.*s" IMDS_GUARD_VERSION "%s", (int)(place - text), text,
                         place + sizeof(mark) - 1) > 0);
    return made;
}

static void expect_file(const char *text, const char *name)
{
    cleanup(free_text) char *found = NULL;
    cleanup(free_text) char *expected = NULL;
    struct error err = {0};
    char path[4096];
    size_t length;

    snprintf(path, sizeof(path), TEST_DATA "/status/%s", name);
    assert_int_equal(file_read(AT_FDCWD, path, FILE_LINK_REFUSE, &expected, &length, &err), 0);
    found = with_version(expected);
    assert_string_equal(text, found);
}

enum printer { TABLE, COLOR, JSON, PROMETHEUS };

static char *print(const struct status *status, enum printer printer)
{
    struct error err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (printer == JSON)
        assert_int_equal(status_print_json(status, out, &err), 0);
    else if (printer == PROMETHEUS)
        status_print_prometheus(status, out);
    else
        status_print_table(status, printer == COLOR, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void every_printer_prints_what_is_expected(void **state)
{
    static const struct {
        const struct status *status;
        enum printer printer;
        const char *file;
    } cases[] = {
        {&full, TABLE, "full.txt"},         {&full, COLOR, "full-color.txt"},
        {&full, JSON, "full.json"},         {&full, PROMETHEUS, "full.prom"},
        {&empty, TABLE, "empty.txt"},       {&empty, JSON, "empty.json"},
        {&empty, PROMETHEUS, "empty.prom"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(free_text) char *text = print(cases[i].status, cases[i].printer);

        expect_file(text, cases[i].file);
    }
}

static void json_is_json_and_keeps_every_digit(void **state)
{
    cleanup(free_text) char *text = print(&full, JSON);
    cleanup(json) cJSON *tree = cJSON_Parse(text);

    (void)state;
    assert_non_null(tree);
    assert_non_null(strstr(text, "9007199254740993"));
}

static void exit_codes_tell_the_worst(void **state)
{
    struct status status = {.rows = rows, .row_count = 3, .complete = true};

    (void)state;
    assert_int_equal(status_exit_code(&status), STATUS_ALL_GUARDED);
    status.complete = false;
    assert_int_equal(status_exit_code(&status), STATUS_UNKNOWN);
    status.row_count = 4;
    assert_int_equal(status_exit_code(&status), STATUS_UNGUARDED);
    assert_int_equal(status_exit_code(&empty), STATUS_ALL_GUARDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_printer_prints_what_is_expected),
        cmocka_unit_test(json_is_json_and_keeps_every_digit),
        cmocka_unit_test(exit_codes_tell_the_worst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
