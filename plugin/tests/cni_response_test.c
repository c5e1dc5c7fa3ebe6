#include "cni/response.h"

#include "guard/cni_version.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What was written must be one line with one JSON object, which the caller gets. */
static cJSON *parse_line(const char *text, size_t length)
{
    struct span span = {.start = text, .length = length};
    struct error err;
    cJSON *tree = NULL;

    assert_true(length > 0);
    assert_int_equal(text[length - 1], '\n');
    assert_int_equal(json_parse(span, &tree, &err), 0);
    assert_true(cJSON_IsObject(tree));
    return tree;
}

static const char *string_of(const cJSON *tree, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, key));
}

static cJSON *answer_with(int cni_version, const struct error *failure)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct error err;

    assert_int_equal(response_error(out, cni_version, failure, &err), 0);
    assert_int_equal(fclose(out), 0);
    cJSON *tree = parse_line(text, length);
    free(text);
    return tree;
}

static void prints_an_error(void **state)
{
    struct error failure;
    (void)state;

    error_set(&failure, ERROR_KERNEL, "no CAP_NET_ADMIN");
    error_details(&failure, "line 1\nline \"2\"");
    cleanup(json) cJSON *tree = answer_with(cni_version_find("0.4.0"), &failure);
    assert_string_equal(string_of(tree, "cniVersion"), "0.4.0");
    assert_int_equal(cJSON_GetObjectItem(tree, "code")->valueint, 101);
    assert_string_equal(string_of(tree, "msg"), "no CAP_NET_ADMIN");
    assert_string_equal(string_of(tree, "details"), "line 1\nline \"2\"");
}

static void leaves_empty_details_out(void **state)
{
    struct error failure;
    (void)state;

    error_set(&failure, ERROR_IO, "x");
    cleanup(json) cJSON *tree = answer_with(CNI_VERSION_NEWEST, &failure);
    assert_int_equal(cJSON_GetArraySize(tree), 3);
}

/* Names come from outside: each of all bytes in turn must leave one valid object. */
static void prints_any_byte_as_valid_json(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        struct error failure;

        error_set(&failure, ERROR_IO, "before%cafter", byte);
        error_details(&failure, "%c", byte);
        cleanup(json) cJSON *tree = answer_with(0, &failure);
        assert_memory_equal(string_of(tree, "msg"), "before", 6);
        assert_non_null(strstr(string_of(tree, "msg"), "after"));
        assert_int_equal(strlen(string_of(tree, "details")), 1);
    }
}

static void prints_the_versions(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct error err;

    (void)state;
    assert_int_equal(response_version(out, &err), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text,
                        "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\","
                        "\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
    free(text);
}

static void prints_a_result_to_the_byte(void **state)
{
    static const char result[] = "{ \"b\": 9007199254740993,\n \"a\" : [1.10, \"\\u00e9\"] }";
    struct span inner = {.start = result, .length = sizeof(result) - 1};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct error err;

    (void)state;
    assert_int_equal(response_result(out, inner, &err), 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(length, sizeof(result));
    assert_memory_equal(text, result, sizeof(result) - 1);
    assert_int_equal(text[length - 1], '\n');
    free(text);
}

/* /dev/full takes nothing: whoever writes learns it at once, not at exit. */
static void reports_what_cannot_be_written(void **state)
{
    struct span result = {.start = "{}", .length = 2};
    FILE *out = fopen("/dev/full", "we");
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_non_null(out);
    assert_int_equal(response_result(out, result, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.msg, "write to standard output: No space left on device");
    assert_int_equal(response_version(out, &err), -1);
    assert_int_equal(fclose(out), 0); /* nothing is left that would still have to go */
}

/* Takes the first byte and is interrupted; then takes the rest. */
struct interrupted {
    char taken[64];
    size_t length;
    unsigned calls;
};

static ssize_t take(void *cookie, const char *text, size_t length)
{
    struct interrupted *reader = cookie;
    size_t piece = reader->calls++ == 0 ? 1 : length;

    memcpy(reader->taken + reader->length, text, piece);
    reader->length += piece;
    errno = piece < length ? EINTR : 0;
    return (ssize_t)piece;
}

static void goes_on_where_a_signal_interrupted_it(void **state)
{
    static const char result[] = "{\"a\":1}";
    struct span span = {.start = result, .length = strlen(result)};
    struct interrupted reader = {.length = 0};
    FILE *out = fopencookie(&reader, "w", (cookie_io_functions_t){.write = take});
    struct error err;

    (void)state;
    assert_non_null(out);
    assert_int_equal(setvbuf(out, NULL, _IONBF, 0), 0);
    assert_int_equal(response_result(out, span, &err), 0);
    assert_int_equal(reader.calls, 2);
    assert_string_equal(reader.taken, "{\"a\":1}\n");
    assert_int_equal(fclose(out), 0);
}

/* Lets `allocations_left` allocations through, then none. */
static int allocations_left;

static void *scarce_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static int respond(bool version)
{
    struct error failure;
    struct error err;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    int result;

    error_set(&failure, ERROR_IO, "msg");
    error_details(&failure, "details");
    result = version ? response_version(out, &err) : response_error(out, 0, &failure, &err);
    assert_int_equal(fclose(out), 0);
    if (result != 0) {
        assert_string_equal(err.msg, "out of memory");
        assert_int_equal(length, 0); /* whole, or nothing */
    }
    free(text);
    return result;
}

static void prints_nothing_without_memory(void **state)
{
    cJSON_Hooks scarce = {.malloc_fn = scarce_malloc, .free_fn = free};

    (void)state;
    cJSON_InitHooks(&scarce);
    for (int version = 0; version < 2; version++) {
        int budget = 0;

        do {
            assert_true(budget < 1000);
            allocations_left = budget++;
        } while (respond(version) != 0);
        assert_true(budget > 5);
    }
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_an_error),
        cmocka_unit_test(leaves_empty_details_out),
        cmocka_unit_test(prints_any_byte_as_valid_json),
        cmocka_unit_test(prints_the_versions),
        cmocka_unit_test(prints_a_result_to_the_byte),
        cmocka_unit_test(reports_what_cannot_be_written),
        cmocka_unit_test(goes_on_where_a_signal_interrupted_it),
        cmocka_unit_test(prints_nothing_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
