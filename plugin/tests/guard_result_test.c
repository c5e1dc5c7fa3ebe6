#include "guard_text.h"

#include "guard/result.h"

static void interfaces_come_in_order_with_empty_strings_for_what_is_missing(void **state)
{
    cleanup(free_text) char *text = text_of_file(TEST_DATA "/prevresults/eni-ipv4.json");
    cleanup(json) cJSON *tree = tree_of(text);
    cleanup(result) struct result result = {.interfaces = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(result_parse(tree, &result, &err), 0);
    assert_int_equal(result.interface_count, 3);
    assert_string_equal(result.interfaces[0].name, "eni0d7763386da");
    assert_string_equal(result.interfaces[0].sandbox, "");
    assert_string_equal(result.interfaces[1].name, "eth0");
    assert_int_equal(result.interfaces[1].sandbox[0], '/');
    assert_string_equal(result.interfaces[2].name, "dummy0d7763386da");
    assert_string_equal(result.interfaces[2].sandbox, "0");
}

static void no_interfaces_are_an_empty_list(void **state)
{
    static const char *const texts[] = {"{}", "{\"interfaces\":null}", "{\"interfaces\":[]}",
                                        "{\"Interfaces\":[{\"name\":\"a\"}]}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(texts[i]);
        cleanup(result) struct result result = {.interface_count = 9};
        struct error err = {.code = ERROR_NONE};

        assert_int_equal(result_parse(tree, &result, &err), 0);
        assert_int_equal(result.interface_count, 0);
    }
}

static void null_and_what_nobody_asks_for_are_as_if_absent(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{\"interfaces\":[{\"name\":\"a\",\"mac\":null,"
                                        "\"sandbox\":null},{\"name\":\"b\",\"mac\":[7]}]}");
    cleanup(result) struct result result = {.interfaces = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(result_parse(tree, &result, &err), 0);
    assert_int_equal(result.interface_count, 2);
    assert_string_equal(result.interfaces[0].sandbox, "");
    assert_string_equal(result.interfaces[1].name, "b");
}

static void addresses_are_what_can_be_read_of_ips(void **state)
{
    cleanup(json) cJSON *tree =
        tree_of("{\"ips\":[{\"version\":\"4\",\"address\":\"10.0.12.2/32\",\"interface\":1},7,null,"
                "{\"address\":\"2001:db8::5/64\"},{\"address\":\"10.0.0\"},{\"address\":4},{},"
                "{\"address\":\"/24\"},{\"address\":\"10.0.12.3\"},"
                "{\"address\":\"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000\"}]}");
    static const uint8_t first[16] = {10, 0, 12, 2};
    static const uint8_t second[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 5};
    cleanup(result) struct result result = {.interfaces = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(result_parse(tree, &result, &err), 0);
    assert_int_equal(result.address_count, 3);
    assert_int_equal(result.addresses[0].family, FAMILY_IPV4);
    assert_memory_equal(result.addresses[0].bytes, first, 16);
    assert_int_equal(result.addresses[1].family, FAMILY_IPV6);
    assert_memory_equal(result.addresses[1].bytes, second, 16);
    assert_int_equal(result.addresses[2].bytes[3], 3);
}

static void the_number_of_addresses_is_bounded(void **state)
{
    cleanup(json) cJSON *tree = cJSON_CreateObject();
    cJSON *ips = cJSON_AddArrayToObject(tree, "ips");
    cleanup(result) struct result result = {.interfaces = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    for (int i = 0; i < RESULT_ADDRESSES_MAX + 5; i++)
        cJSON_AddItemToArray(ips, tree_of("{\"address\":\"10.0.0.1/32\"}"));
    assert_int_equal(result_parse(tree, &result, &err), 0);
    assert_int_equal(result.address_count, RESULT_ADDRESSES_MAX);
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const struct {
        const char *text;
        const char *msg;
    } cases[] = {
        {"[]", "prevResult is an array, not an object"},
        {"\"x\"", "prevResult is a string, not an object"},
        {"null", "prevResult is null, not an object"},
        {"{\"interfaces\":{}}", "prevResult.interfaces is an object, not an array"},
        {"{\"interfaces\":true}", "prevResult.interfaces is a boolean, not an array"},
        {"{\"interfaces\":[],\"interfaces\":[]}",
         "prevResult: \"interfaces\" is given more than once"},
        {"{\"interfaces\":[3]}", "prevResult.interfaces[0] is a number, not an object"},
        {"{\"interfaces\":[{\"name\":\"a\"},{}]}",
         "prevResult.interfaces[1].name is missing or empty"},
        {"{\"interfaces\":[{\"name\":\"\"}]}", "prevResult.interfaces[0].name is missing or empty"},
        {"{\"interfaces\":[{\"name\":7}]}",
         "prevResult.interfaces[0].name is a number, not a string"},
        {"{\"interfaces\":[{\"name\":null}]}", "prevResult.interfaces[0].name is missing or empty"},
        {"{\"interfaces\":[{\"name\":\"a\",\"sandbox\":[]}]}",
         "prevResult.interfaces[0].sandbox is an array, not a string"},
        {"{\"interfaces\":[{\"name\":\"a\",\"sandbox\":0}]}",
         "prevResult.interfaces[0].sandbox is a number, not a string"},
        {"{\"interfaces\":[{\"name\":\"a\",\"name\":\"b\"}]}",
         "prevResult.interfaces[0]: \"name\" is given more than once"},
        {"{\"interfaces\":[{\"name\":\"a\",\"sandbox\":\"/x\",\"sandb\\u006fx\":\"\"}]}",
         "prevResult.interfaces[0]: \"sandbox\" is given more than once"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(cases[i].text);
        struct result result = {.interface_count = 9};
        struct error err = {.code = ERROR_NONE};

        assert_int_equal(result_parse(tree, &result, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(result.interface_count, 9);
    }
}

static void the_number_of_interfaces_is_bounded(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{\"interfaces\":[]}");
    cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "interfaces");
    cleanup(result) struct result result = {.interfaces = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    for (int i = 0; i < RESULT_INTERFACES_MAX; i++) {
        cJSON *entry = cJSON_CreateObject();

        cJSON_AddStringToObject(entry, "name", "a");
        cJSON_AddItemToArray(list, entry);
    }
    assert_int_equal(result_parse(tree, &result, &err), 0);
    assert_int_equal(result.interface_count, RESULT_INTERFACES_MAX);
    cJSON_AddItemToArray(list, cJSON_CreateObject());
    assert_int_equal(result_parse(tree, &result, &err), -1);
    assert_string_equal(err.msg, "prevResult.interfaces has 257 entries, more than 256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_come_in_order_with_empty_strings_for_what_is_missing),
        cmocka_unit_test(no_interfaces_are_an_empty_list),
        cmocka_unit_test(null_and_what_nobody_asks_for_are_as_if_absent),
        cmocka_unit_test(addresses_are_what_can_be_read_of_ips),
        cmocka_unit_test(the_number_of_addresses_is_bounded),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(the_number_of_interfaces_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
