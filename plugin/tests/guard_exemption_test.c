#include "guard_text.h"

#include "guard/config.h"

static void entries_are_read(void **state)
{
    cleanup(json) cJSON *tree =
        tree_of("{\"exempt\":[{\"namespace\":\"kube-system\",\"pod\":\"ebs-csi-node-*\"},"
                "{\"annotation\":{\"a/b\":\"true\",\"c\":\"\"},\"namespace\":\"legacy-*\"}]}");
    cleanup(config) struct config config = {.exempt_count = 0};
    struct error err = {.code = ERROR_NONE};
    const struct exemption *exempt;

    (void)state;
    assert_int_equal(config_parse(tree, &config, &err), 0);
    assert_int_equal(config.exempt_count, 2);
    exempt = config.exempt;
    assert_string_equal(exempt[0].namespace, "kube-system");
    assert_string_equal(exempt[0].pod, "ebs-csi-node-*");
    assert_int_equal(exempt[0].annotation_count, 0);
    assert_string_equal(exempt[1].namespace, "legacy-*");
    assert_null(exempt[1].pod);
    assert_int_equal(exempt[1].annotation_count, 2);
    assert_string_equal(exempt[1].annotations[0].key, "a/b");
    assert_string_equal(exempt[1].annotations[0].value, "true");
    assert_string_equal(exempt[1].annotations[1].value, "");
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *list;
        const char *msg;
    } cases[] = {
        {"null", "\"exempt\" is null: it must be a list"},
        {"\"*\"", "\"exempt\" is \"*\""},
        {"[7]", "\"exempt[0]\" is 7: it must be an object with a \"namespace\""},
        {"[{}]", "\"exempt[0]\" is {}: it must be an object with a \"namespace\""},
        {"[{\"namespace\":\"a\"},{\"annotation\":{\"a\":\"b\"}}]",
         "\"exempt[1]\" is {\"annotation\""},
        {"[{\"namespace\":\"\"}]",
         "\"exempt[0].namespace\" is \"\": it must be a glob of 1 to 253"},
        {"[{\"namespace\":7}]", "\"exempt[0].namespace\" is 7"},
        {"[{\"namespace\":null}]", "\"exempt[0].namespace\" is null"},
        {"[{\"namespace\":[\"a\"]}]", "\"exempt[0].namespace\" is [\"a\"]"},
        {"[{\"namespace\":\"a\",\"namespace\":\"b\"}]",
         "\"exempt[0]\": \"namespace\" is given more than once"},
        {"[{\"namespace\":\"a\",\"pod\":\"\"}]", "\"exempt[0].pod\" is \"\""},
        {"[{\"namespace\":\"a\",\"pod\":null}]", "\"exempt[0].pod\" is null"},
        {"[{\"namespace\":\"a\",\"pod\":\"b\",\"pod\":\"c\"}]",
         "\"exempt[0]\": \"pod\" is given more than once"},
        {"[{\"namespace\":\"a\",\"pods\":\"b\"}]", "without keys other than"},
        {"[{\"namespace\":\"a\",\"Pod\":\"b\"}]", "without keys other than"},
        {"[{\"namespace\":\"a\",\"annotations\":{\"x\":\"y\"}}]", "without keys other than"},
        {"[{\"namespace\":\"a\",\"annotation\":{}}]", "\"exempt[0].annotation\" is {}"},
        {"[{\"namespace\":\"a\",\"annotation\":null}]", "\"exempt[0].annotation\" is null"},
        {"[{\"namespace\":\"a\",\"annotation\":[\"x\"]}]", "\"exempt[0].annotation\" is [\"x\"]"},
        {"[{\"namespace\":\"a\",\"annotation\":{\"x\":true}}]", "values are globs"},
        {"[{\"namespace\":\"a\",\"annotation\":{\"\":\"y\"}}]", "without an empty key"},
        {"[{\"namespace\":\"a\",\"annotation\":{\"x\":\"y\",\"x\":\"z\"}}]",
         "\"exempt[0].annotation\": \"x\" is given more than once"},
        {"[{\"namespace\":\"a\",\"annotation\":{\"x\":\"y\"},\"annotation\":{\"x\":\"y\"}}]",
         "\"exempt[0]\": \"annotation\" is given more than once"},
        {"[{\"namespace\":\"a\",\"annotation\":{\"w\":\"y\",\"x\":1}}]", "values are globs"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = {.exempt_count = 99};
        struct error err = {.code = ERROR_NONE};
        char text[512] = "";
        cleanup(json) cJSON *tree = NULL;

        snprintf(text, sizeof(text), "{\"exempt\":%s}", cases[i].list);
        tree = tree_of(text);
        if (config_parse(tree, &config, &err) == 0)
            fail_msg("%s is accepted", text);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        assert_contains(err.msg, cases[i].msg);
        assert_null(config.exempt);
        assert_int_equal(config.exempt_count, 99);
    }
}

static int parse_with_namespace(const char *namespace)
{
    cleanup(json) cJSON *tree = tree_of("{\"exempt\":[{}]}");
    cleanup(config) struct config config = {.exempt_count = 0};
    struct error err = {.code = ERROR_NONE};

    cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(tree, "exempt")->child, "namespace",
                            namespace);
    return config_parse(tree, &config, &err);
}

static void the_length_of_a_glob_is_bounded(void **state)
{
    char glob[GLOB_LENGTH_MAX + 2] = "";

    (void)state;
    memset(glob, '*', GLOB_LENGTH_MAX);
    assert_int_equal(parse_with_namespace(glob), 0);
    glob[GLOB_LENGTH_MAX] = '*';
    assert_int_equal(parse_with_namespace(glob), -1);
}

static void twice_the_list_is_refused(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{\"exempt\":[],\"exempt\":[]}");
    struct config config = {.exempt_count = 0};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(config_parse(tree, &config, &err), -1);
    assert_contains(err.msg, "\"exempt\" is given more than once");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(the_length_of_a_glob_is_bounded),
        cmocka_unit_test(twice_the_list_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
