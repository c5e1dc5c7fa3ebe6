#include "node/watch/log.h"

#include "guard/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *said;
static size_t length, heard;
static FILE *out;

static int listen(void **state)
{
    (void)state;
    said = NULL;
    heard = 0;
    out = open_memstream(&said, &length);
    return out ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    fclose(out);
    free(said);
    return 0;
}

/* What was said since, without the time before each line. */
static void expect(const char *lines)
{
    cleanup(free_text) char *since = NULL;
    char text[65536] = "", *next;

    fflush(out);
    since = next = strdup(said + heard);
    heard = length;
    for (char *line; (line = strsep(&next, "\n")) && *line;)
        strcat(strcat(text, line + strlen("2026-01-31T12:00:00Z imds-guard watch: ")), "\n");
    assert_string_equal(text, lines);
}

static void problem(struct notes *notes, const char *pod, const char *text)
{
    notes_about(notes, NOTE_PROBLEM, pod, NULL, "%s", text);
    assert_false(notes->incomplete);
}

static void a_problem_is_told_when_it_comes_and_when_it_goes(void **state)
{
    const struct watch_log log = {.out = out};
    struct notes problems = {0};
    cleanup(notes) struct notes both = {0}, one = {0}, none = {0};

    (void)state;
    problem(&both, "a", "a is wrong");
    problem(&both, "b", "b is wrong");
    problem(&one, "b", "b is wrong");
    log_problems(&log, &problems, "start", &both);
    expect("a is wrong [start]\nb is wrong [start]\n");
    log_problems(&log, &problems, "re-check", &both);
    expect("");
    log_problems(&log, &problems, "re-check", &one);
    expect("no longer: a is wrong [re-check]\n");
    log_problems(&log, &problems, "re-check", &both);
    expect("a is wrong [re-check]\n");
    log_problems(&log, &problems, "pods changed", &none);
    expect("no longer: b is wrong [pods changed]\nno longer: a is wrong [pods changed]\n");
    notes_free(&problems);
}

static void one_text_is_a_problem_of_its_own(void **state)
{
    const struct watch_log log = {.out = out, .quiet = true};
    struct notes problems = {0};

    (void)state;
    log_problem(&log, &problems, "start", "x\033[2J");
    log_problem(&log, &problems, "start", "x\033[2J");
    expect("x?[2J [start]\n");
    log_problem(&log, &problems, "start", "");
    log_problem(&log, &problems, "start", NULL);
    expect("no longer: x?[2J [start]\n");
    notes_free(&problems);
}

static void nothing_is_cut(void **state)
{
    const struct watch_log log = {.out = out};
    char text[10000], line[10100];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_done(&log, "start", NULL, NULL, "%s", text);
    snprintf(line, sizeof(line), "%s [start]\n", text);
    expect(line);
}

static void quiet_is_without_what_was_done(void **state)
{
    const struct watch_log log = {.out = out, .quiet = true};

    (void)state;
    log_done(&log, "start", NULL, NULL, "done");
    expect("");
}

static void a_line_of_json_has_its_parts(void **state)
{
    const struct watch_log log = {.out = out, .json = true};
    struct notes problems = {0};
    cleanup(notes) struct notes notes = {0};
    cleanup(json) cJSON *done = NULL, *wrong = NULL;
    char *next;

    (void)state;
    log_done(&log, "counted", "shop/web-0", "eni\"1\\", "asks");
    problem(&notes, "shop/web-1", "cannot guard");
    log_problems(&log, &problems, "re-check", &notes);
    fflush(out);
    next = said;
    done = cJSON_Parse(strsep(&next, "\n"));
    wrong = cJSON_Parse(strsep(&next, "\n"));
    assert_string_equal(cJSON_GetObjectItem(done, "level")->valuestring, "info");
    assert_string_equal(cJSON_GetObjectItem(done, "what")->valuestring, "asks");
    assert_string_equal(cJSON_GetObjectItem(done, "pod")->valuestring, "shop/web-0");
    assert_string_equal(cJSON_GetObjectItem(done, "interface")->valuestring, "eni\"1\\");
    assert_string_equal(cJSON_GetObjectItem(done, "cause")->valuestring, "counted");
    assert_string_equal(cJSON_GetObjectItem(wrong, "level")->valuestring, "warning");
    assert_string_equal(cJSON_GetObjectItem(wrong, "pod")->valuestring, "shop/web-1");
    assert_null(cJSON_GetObjectItem(wrong, "interface"));
    assert_int_equal(strlen(cJSON_GetObjectItem(wrong, "time")->valuestring),
                     strlen("2026-01-31T12:00:00Z"));
    notes_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_problem_is_told_when_it_comes_and_when_it_goes, listen,
                                        stop),
        cmocka_unit_test_setup_teardown(one_text_is_a_problem_of_its_own, listen, stop),
        cmocka_unit_test_setup_teardown(nothing_is_cut, listen, stop),
        cmocka_unit_test_setup_teardown(quiet_is_without_what_was_done, listen, stop),
        cmocka_unit_test_setup_teardown(a_line_of_json_has_its_parts, listen, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
