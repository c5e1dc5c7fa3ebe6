#include "guard_text.h"

/* Parses a copy with nothing behind it, so that reading past the end is found. */
static int parse(const char *bytes, size_t length, cJSON **tree, struct error *err)
{
    cleanup(free_text) char *exact = malloc(length + 1);

    memcpy(exact + 1, bytes, length);
    return json_parse((struct span){.start = exact + 1, .length = length}, tree, err);
}

static void rfc8259_is_accepted(void **state)
{
    static const char *const good[] = {
        "{}",
        "[]",
        " \t\r\n[ ] \n",
        "0",
        "-0",
        "-0.0e-0",
        "1E+9",
        "12.5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"",
        "[1, [2], {\"a\" : {\"b\":[]} , \"a\":null}]",
        "\"\x7F\xC3\xA4\xF0\x9F\x98\x80\"",
        "123456789012345678901234567890123456789012345678901234567890123",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct error err = {.code = ERROR_NONE};
        cleanup(json) cJSON *tree = NULL;

        if (parse(good[i], strlen(good[i]), &tree, &err) < 0)
            fail_msg("%s: %s", good[i], err.msg);
        assert_non_null(tree);
        assert_int_equal(err.code, ERROR_NONE);
    }
}

static const struct {
    const char *text;
    int at; /* -1: empty */
} refused[] = {
    {"", -1},
    {" \n", -1},
    {"\xEF\xBB\xBF{}", 0},
    {"{} x", 3},
    {"{}{}", 2},
    {"01", 1},
    {"-", 1},
    {"-a", 1},
    {"+1", 0},
    {".5", 0},
    {"1.", 2},
    {"1.e1", 2},
    {"1e", 2},
    {"1e+", 3},
    {"0x10", 1},
    {"NaN", 0},
    {"tru", 0},
    {"nul ", 0},
    {"falsy", 0},
    {"[1,]", 3},
    {"[1 2]", 3},
    {"[1", 2},
    {"[", 1},
    {"{", 1},
    {"{\"a\"}", 4},
    {"{\"a\":}", 5},
    {"{\"a\":1,}", 7},
    {"{\"a\":1 \"b\":2}", 7},
    {"{a:1}", 1},
    {"{1:1}", 1},
    {"\"a", 2},
    {"\"a\\", 3},
    {"\"\\x\"", 2},
    {"\"\\u12\"", 3},
    {"\"\\u12g4\"", 3},
    {"\"\\u", 3},
    {"\"a\nb\"", 2},
    {"\"a\x1F\"", 2},
    {"\"\xFF\"", 1},
    {"\"\xC3\"", 1},
    {"\"\xED\xA0\x80\"", 1},
    {"'a'", 0},
    {"// c\n1", 0},
    {"1234567890123456789012345678901234567890123456789012345678901234", 0},
};

static void all_else_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct error err = {.code = ERROR_NONE};
        cJSON *tree = NULL;
        char place[32] = "empty";

        if (refused[i].at >= 0)
            snprintf(place, sizeof(place), "at byte %d:", refused[i].at);
        if (parse(refused[i].text, strlen(refused[i].text), &tree, &err) == 0)
            fail_msg("%s is accepted", refused[i].text);
        assert_null(tree);
        assert_int_equal(err.code, ERROR_DECODING);
        assert_contains(err.msg, place);
    }
}

static void nul_bytes_are_refused_everywhere(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *place;
    } bad[] = {
        {"\0", 1, "byte 0"},          {"{}\0", 3, "byte 2"},     {"\"a\0b\"", 5, "byte 2"},
        {"[1\0]", 4, "byte 2"},       {"\"\\\0\"", 4, "byte 2"}, {"{\"a\"\0:1}", 8, "byte 4"},
        {"\0{\"a\":1}", 8, "byte 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {.code = ERROR_NONE};
        cJSON *tree = NULL;

        assert_int_equal(parse(bad[i].bytes, bad[i].length, &tree, &err), -1);
        assert_int_equal(err.code, ERROR_DECODING);
        assert_contains(err.msg, bad[i].place);
    }
}

static void depth_is_bounded(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 2];
    struct error err = {.code = ERROR_NONE};
    cJSON *tree = NULL;

    (void)state;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(parse(text, 2 * JSON_DEPTH_MAX, &tree, &err), 0);
    cJSON_Delete(tree);
    tree = NULL;
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(parse(text, 2 * JSON_DEPTH_MAX + 2, &tree, &err), -1);
    assert_int_equal(err.code, ERROR_DECODING);
    assert_contains(err.msg, "at byte 128: arrays and objects are nested too deeply");
}

/* A text cut off anywhere is refused or, for a prefix that is JSON itself, accepted; never
 * overread. */
static void every_prefix_is_survived(void **state)
{
    static const char text[] =
        "{\"a\\u00e4\\ud83d\\ude00\":[-1.5e+3,true,null,\"\xC3\xA4\\n\"],\"b\":{}}";

    (void)state;
    for (size_t length = 0; length < strlen(text); length++) {
        struct error err = {.code = ERROR_NONE};
        cJSON *tree = NULL;

        assert_int_equal(parse(text, length, &tree, &err), -1);
        assert_int_equal(err.code, ERROR_DECODING);
    }
}

/* What no C string can hold becomes U+FFFD; cJSON alone would end the string there. */
static void escapes_without_a_character_are_replaced(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } cases[] = {
        {"\"eth0\\u0000x\"", "eth0\xEF\xBF\xBDx"},
        {"\"\\ud800\"", "\xEF\xBF\xBD"},
        {"\"\\uDFFFa\"", "\xEF\xBF\xBD"
                         "a"},
        {"\"\\uD83Dx\"", "\xEF\xBF\xBDx"},
        {"\"\\uD83D\\uD83D\\uDE00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\"\\uD83D\\n\"", "\xEF\xBF\xBD\n"},
        {"\"\\uD83D\\u0041\"", "\xEF\xBF\xBD"
                               "A"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(cases[i].text);

        assert_string_equal(tree->valuestring, cases[i].value);
    }
}

static struct span span_of(const char *text)
{
    return (struct span){.start = text, .length = strlen(text)};
}

static void assert_span(struct span span, const char *text)
{
    assert_int_equal(span.length, strlen(text));
    assert_memory_equal(span.start, text, span.length);
}

static void members_are_found_where_they_stand(void **state)
{
    struct span object =
        span_of(" { \"a\" : 9007199254740993 , \"prev\\u0052esult\":\t{\"x\": [1 ]} \n,"
                "\"a\":2, \"\\u0000\":3, \"last\":\"}\" } ");
    struct span found = {.start = NULL};

    (void)state;
    assert_true(json_member(object, "a", &found)); /* the first, to the byte */
    assert_span(found, "9007199254740993");
    assert_true(json_member(object, "prevResult", &found));
    assert_span(found, "{\"x\": [1 ]}");
    assert_true(json_member(object, "last", &found));
    assert_span(found, "\"}\"");
    found = (struct span){.start = NULL};
    assert_false(json_member(object, "x", &found)); /* not of a nested object */
    assert_false(json_member(object, "", &found));  /* nor for a key that starts with \u0000 */
    assert_false(json_member(object, "prev", &found));
    assert_false(json_member(span_of("{}"), "a", &found));
    assert_false(json_member(span_of("[\"a\"]"), "a", &found));
    assert_false(json_member(span_of("{\"a\":]"), "a", &found));
    assert_null(found.start);
}

static void elements_are_found_where_they_stand(void **state)
{
    struct span rest = span_of("[ 1 , [2,3] ,{\"a\":4}\n]");
    struct span empty = span_of("[ ]"), object = span_of("{\"a\":1}");
    struct span found = {.start = NULL};

    (void)state;
    assert_true(json_next(&rest, &found));
    assert_span(found, "1");
    assert_true(json_next(&rest, &found));
    assert_span(found, "[2,3]");
    assert_true(json_next(&rest, &found));
    assert_span(found, "{\"a\":4}");
    found = (struct span){.start = NULL};
    assert_false(json_next(&rest, &found));
    assert_false(json_next(&empty, &found));
    assert_false(json_next(&object, &found));
    assert_null(found.start);
}

static void values_are_the_same_in_whatever_order_their_members_stand(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"{\"a\":1,\"b\":{\"c\":[],\"d\":null}}", "{\"b\":{\"d\":null,\"c\":[]},\"a\":1.0}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1}", "{\"A\":1}", false},
        {"{\"a\":1}", "{\"a\":\"1\"}", false},
        {"{\"a\":\"x\"}", "{\"a\":\"y\"}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,{}]", "[1,[]]", false},
        {"true", "false", false},
    };
    cleanup(json) cJSON *entry = tree_of("{\"a\":1,\"b\":1}");
    cleanup(json) cJSON *twice = tree_of("{\"a\":1,\"a\":1}");

    (void)state;
    assert_false(json_same(entry, twice));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(json) cJSON *a = tree_of(cases[i].a);
        cleanup(json) cJSON *b = tree_of(cases[i].b);

        if (json_same(a, b) != cases[i].same || json_same(b, a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void a_member_is_found_unless_there_are_two(void **state)
{
    cleanup(json) cJSON *object = tree_of("{\"a\":1,\"A\":2,\"\\u0061\":3,\"b\":{\"a\":4}}");
    cleanup(json) cJSON *array = tree_of("[1,2]");
    const cJSON *found = object;
    struct error err;

    (void)state;
    assert_int_equal(json_find(object, "a", &found, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_CONFIG);
    assert_string_equal(err.msg, "\"a\" is given more than once");
    assert_ptr_equal(found, object);
    assert_int_equal(json_find(object, "A", &found, &err), 0);
    assert_int_equal(found->valueint, 2);
    assert_int_equal(json_find(object, "c", &found, &err), 0);
    assert_null(found);
    found = object;
    assert_int_equal(json_find(array, "a", &found, &err), 0);
    assert_null(found);
    found = object;
    assert_int_equal(json_find(NULL, "a", &found, &err), 0);
    assert_null(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8259_is_accepted),
        cmocka_unit_test(all_else_is_refused_with_its_place),
        cmocka_unit_test(nul_bytes_are_refused_everywhere),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(every_prefix_is_survived),
        cmocka_unit_test(escapes_without_a_character_are_replaced),
        cmocka_unit_test(members_are_found_where_they_stand),
        cmocka_unit_test(elements_are_found_where_they_stand),
        cmocka_unit_test(values_are_the_same_in_whatever_order_their_members_stand),
        cmocka_unit_test(a_member_is_found_unless_there_are_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
