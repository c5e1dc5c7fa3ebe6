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
    {{"eni0a1b2c3d4e5", VERDICT_DROP, true, 0}, "nftables", BOTH, 12, 720, 1769860800},
    {{"veth5d2f8a1c", VERDICT_DROP, true, 0}, "nftables", BOTH, 0, 0, 0},
};
static struct status_guard exempt_guards[] = {
    /* more than a double can count */
    {{"enib2c3d4e5f60", VERDICT_PASS, false, 0}, "iptables", FAMILY_IPV4, 9007199254740993, 1, 0},
};
static struct status_guard leftover_guards[] = {
    {{"eni\"quoted\\", VERDICT_REJECT, false, 0}, "nftables", BOTH, 3, 180, 0},
};
static struct status_guard missing_guards[] = {
    {{"enid4e5f6071829", VERDICT_DROP, true, 0}, NULL, 0, 0, 0, 0},
};
static struct status_guard half_guards[] = {
    {{"enie5f60718293a", VERDICT_DROP, true, 0}, "iptables", FAMILY_IPV6, 1, 60, 0},
};
static struct status_guard open_guards[] = {
    {{"enif60718293a4b", VERDICT_PASS, true, 0}, "nftables", BOTH, 7, 420, 0},
};

#define POD(namespace, pod, container, state, reason, guards, count)                               \
    {                                                                                              \
        (char[]){namespace}, (char[]){pod}, (char[]){"aws-cni"}, (char[]){container},              \
            (char[]){"eth0"}, state, (char[]){reason}, guards, count,                              \
            (state) == STATUS_STATE_UNGUARDED                                                      \
    }

static struct status_row rows[] = {
    POD("default", "web-0", "4f3c0b1a2d3e4f5061728394a5b6c7d8", STATUS_STATE_GUARDED, "",
        web_guards, 2),
    POD("kube-system", "ebs-csi-node-x7k2p", "a5b6c7d8e9f0", STATUS_STATE_GUARDED, "",
        exempt_guards, 1),
    POD("default", "torn-down", "b6c7", STATUS_STATE_DETACHED, "it has no interface any more", NULL,
        0),
    POD("", "", "c7d8", STATUS_STATE_LEFTOVER, "pod and interface are gone", leftover_guards, 1),
    POD("default", "old-1", "d8e9f0a1b2c3d4e5", STATUS_STATE_UNGUARDED, "no guard of its own",
        missing_guards, 1),
    POD("default", "old-2", "d8ea", STATUS_STATE_UNGUARDED, "none in one family", half_guards, 1),
    POD("default", "strict", "e9f0", STATUS_STATE_WRONG, "denied that should pass", missing_guards,
        1),
    POD("default", "unplanned", "f0a1", STATUS_STATE_OPEN, "nothing to guard", NULL, 0),
    POD("default", "lax", "f1b2", STATUS_STATE_OPEN, "packets pass", open_guards, 1),
};

#define HARMLESS 6 /* of the rows */
#define ALL      9

static struct note notes[] = {
    {NOTE_PROBLEM, (char[]){"nftables: chain forward has no rule"}, NULL, NULL},
};

static struct fence_uplink uplinks[] = {
    {2, "eth0", true, 1, true, true, 42, 3},
    {5, "vlan.eth.1", true, 2, false, false, 0, 0},
    {9, "tun0", true, 0, false, false, 0, 0},
};
static struct fence_incoming incoming[] = {
    {0, "", false, VERDICT_DROP, 7, 0},
    {17, "eni0a1b2c3d4e5", true, VERDICT_DROP, 35, 0},
    {18, "enib2c3d4e5f60", true, VERDICT_PASS, 0, 3},
    {99, "", true, VERDICT_DROP, 0, 0},
};

static const struct status full = {
    .network = (char[]){"aws-cni"},
    .rows = rows,
    .row_count = ALL,
    .others = {{"nftables", true, {VERDICT_DROP, 5, 300}, 1769860861},
               {"iptables", false, {VERDICT_PASS, 9007199254740995, 2}, 0}},
    .others_count = 2,
    .others_verdict = VERDICT_DROP,
    .fence = {.reason = (char[]){"it is not first on tun0"},
              .listing = {.uplinks = uplinks,
                          .uplink_count = 3,
                          .incoming = incoming,
                          .incoming_count = 4,
                          .stands = true}},
    .problems = {notes, 1},
    .complete = true,
};

static const struct status empty = {
    .network = nothing, .others_verdict = VERDICT_PASS, .others_wrong = true, .complete = true};

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
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (printer == JSON)
        status_print_json(status, out);
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
    assert_non_null(strstr(text, "9007199254741000")); /* of others, in both backends */
}

/* Of a copy, whose rows go with what is kept: only their texts are borrowed. */
static struct status copy_of(const struct status *status)
{
    struct status copy = *status;

    copy.rows = calloc(status->row_count, sizeof(*copy.rows));
    assert_non_null(copy.rows);
    for (size_t i = 0; i < status->row_count; i++) {
        const struct status_row *row = &status->rows[i];

        copy.rows[i] = (struct status_row){
            .namespace = strdup(row->namespace),
            .pod = strdup(row->pod),
            .network = strdup(row->network),
            .container_id = strdup(row->container_id),
            .ifname = strdup(row->ifname),
            .state = row->state,
            .reason = strdup(row->reason),
            .guards = calloc(row->guard_count + 1, sizeof(*row->guards)),
            .guard_count = row->guard_count,
        };
        for (size_t j = 0; j < row->guard_count; j++)
            copy.rows[i].guards[j] = row->guards[j];
    }
    copy.network = strdup(status->network);
    copy.problems = (struct notes){0};
    copy.fence = (struct status_fence){0};
    return copy;
}

static void expect_pods(const struct status *status, const char *pods)
{
    char text[256] = "";

    for (size_t i = 0; i < status->row_count; i++)
        strcat(strcat(text, status->rows[i].pod), " ");
    assert_string_equal(text, pods);
}

static void named_pods_are_kept(void **state)
{
    const struct {
        char *names[2];
        int count;
        const char *kept;
    } cases[] = {
        {{(char[]){"web-0"}}, 1, "web-0 "},
        {{(char[]){"default/web-0"}}, 1, "web-0 "},
        {{(char[]){"kube-system/web-0"}}, 1, ""},
        {{(char[]){"kube-system/*"}, (char[]){"old-?"}}, 2, "ebs-csi-node-x7k2p old-1 old-2 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(status) struct status status = copy_of(&full);

        status_keep_named(&status, cases[i].names, cases[i].count);
        expect_pods(&status, cases[i].kept);
    }
}

static void the_denied_come_with_the_most_packets_first(void **state)
{
    cleanup(status) struct status status = copy_of(&full);

    (void)state;
    status_keep_denied(&status);
    expect_pods(&status,
                "web-0  old-2 "); /* the second is a leftover, of whom nobody knows the name */
}

static void exit_codes_tell_the_worst(void **state)
{
    struct status status = {.rows = rows, .row_count = HARMLESS, .complete = true};

    (void)state;
    assert_int_equal(status_exit_code(&status), STATUS_IN_FORCE);
    status.complete = false;
    assert_int_equal(status_exit_code(&status), STATUS_UNKNOWN);
    status.row_count = HARMLESS + 1;
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
    status.rows = &rows[ALL - 1];
    status.row_count = 1;
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
    status = (struct status){.others_wrong = true, .complete = true};
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
    status.others_wrong = false;
    assert_int_equal(status_exit_code(&status), STATUS_IN_FORCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_printer_prints_what_is_expected),
        cmocka_unit_test(json_is_json_and_keeps_every_digit),
        cmocka_unit_test(named_pods_are_kept),
        cmocka_unit_test(the_denied_come_with_the_most_packets_first),
        cmocka_unit_test(exit_codes_tell_the_worst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
