#include "guard_text.h"

#include "guard/config.h"

static void assert_endpoints(const struct config *config, const char *expected)
{
    char joined[512] = "";

    for (size_t i = 0; i < config->endpoint_count; i++) {
        char text[ENDPOINT_TEXT_SIZE] = "";

        endpoint_text(&config->endpoints[i], text);
        strcat(strcat(joined, text), " ");
    }
    assert_string_equal(joined, expected);
}

static void assert_defaults(const struct config *config)
{
    assert_int_equal(config->backend, BACKEND_AUTO);
    assert_int_equal(config->mode, MODE_ENFORCE);
    assert_int_equal(config_others(config), VERDICT_DROP);
    assert_int_equal(config->deny, VERDICT_DROP);
    assert_int_equal(config->exit_fence, EXIT_FENCE_AUTO);
    assert_int_equal(config->lock_timeout_seconds, 10);
    assert_int_equal(config->exempt_count, 0);
    assert_endpoints(config, "169.254.169.254 fd00:ec2::254 ");
}

static void nothing_gives_the_defaults(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"exempt\":[]}",
        "{\"type\":\"imds-guard\",\"Mode\":\"audit\",\"unknown\":{\"mode\":\"audit\"},"
        "\"capabilities\":{\"io.kubernetes.cri.pod-annotations\":true},\"modes\":7}"};
    cleanup(config) struct config config = {.endpoints = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_defaults(&config);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(texts[i]);

        config_free(&config);
        assert_int_equal(config_parse(tree, &config, &err), 0);
        assert_defaults(&config);
    }
}

static void every_key_is_read(void **state)
{
    cleanup(json) cJSON *tree =
        tree_of("{\"backend\":\"iptables\",\"mode\":\"audit\",\"lockTimeoutSeconds\":300,"
                "\"endpoints\":[\"fd00:ec2::254\",\"169.254.169.254\",\"169.254.169.0/24\"],"
                "\"exempt\":[{\"namespace\":\"kube-system\"}]}");
    cleanup(config) struct config config = {.endpoints = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(config_parse(tree, &config, &err), 0);
    assert_int_equal(config.backend, BACKEND_IPTABLES);
    assert_int_equal(config.mode, MODE_AUDIT);
    assert_int_equal(config.lock_timeout_seconds, 300);
    assert_endpoints(&config, "169.254.169.0/24 fd00:ec2::254 ");
    assert_int_equal(config.exempt_count, 1);
    assert_string_equal(config.exempt[0].namespace, "kube-system");
}

static void each_choice_has_its_value(void **state)
{
    static const struct {
        const char *text;
        enum backend_choice backend;
        enum mode mode;
        enum verdict deny;
        enum verdict others;
        enum exit_fence fence;
    } cases[] = {
        {"{\"backend\":\"auto\",\"mode\":\"enforce\",\"deny\":\"drop\",\"others\":\"drop\","
         "\"exitFence\":\"auto\"}",
         BACKEND_AUTO, MODE_ENFORCE, VERDICT_DROP, VERDICT_DROP, EXIT_FENCE_AUTO},
        {"{\"backend\":\"nftables\",\"deny\":\"reject\"}", BACKEND_NFTABLES, MODE_ENFORCE,
         VERDICT_REJECT, VERDICT_REJECT, EXIT_FENCE_AUTO},
        {"{\"backend\":\"iptables\",\"exitFence\":\"require\"}", BACKEND_IPTABLES, MODE_ENFORCE,
         VERDICT_DROP, VERDICT_DROP, EXIT_FENCE_REQUIRE},
        /* Nobody is blocked in audit mode, whatever else is said. */
        {"{\"mode\":\"audit\",\"others\":\"drop\",\"exitFence\":\"off\"}", BACKEND_AUTO, MODE_AUDIT,
         VERDICT_DROP, VERDICT_PASS, EXIT_FENCE_OFF},
        {"{\"others\":\"pass\",\"deny\":\"reject\"}", BACKEND_AUTO, MODE_ENFORCE, VERDICT_REJECT,
         VERDICT_PASS, EXIT_FENCE_AUTO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(cases[i].text);
        cleanup(config) struct config config = {.endpoints = NULL};
        struct error err = {.code = ERROR_NONE};

        assert_int_equal(config_parse(tree, &config, &err), 0);
        assert_int_equal(config.backend, cases[i].backend);
        assert_int_equal(config.mode, cases[i].mode);
        assert_int_equal(config.deny, cases[i].deny);
        assert_int_equal(config_others(&config), cases[i].others);
        assert_int_equal(config.exit_fence, cases[i].fence);
    }
}

/* Each message names the key and the value. */
static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *msg;
    } cases[] = {
        {"[]", "\"imds-guard\" is []: it must be an object"},
        {"{\"backend\":\"nft\"}", "\"backend\" is \"nft\": it must be \"auto\", \"nftables\""},
        {"{\"backend\":null}", "\"backend\" is null"},
        {"{\"mode\":\"Enforce\"}", "\"mode\" is \"Enforce\": it must be \"enforce\" or \"audit\""},
        {"{\"mode\":\"\"}", "\"mode\" is \"\""},
        {"{\"others\":\"reject\"}", "\"others\" is \"reject\": it must be \"drop\" or \"pass\""},
        {"{\"others\":true}", "\"others\" is true"},
        {"{\"deny\":\"pass\"}", "\"deny\" is \"pass\": it must be \"drop\" or \"reject\""},
        {"{\"deny\":\"reject\",\"backend\":\"iptables\"}",
         "\"deny\" is \"reject\", which legacy iptables cannot do"},
        {"{\"exitFence\":\"on\"}", "\"exitFence\" is \"on\": it must be \"auto\", \"require\""},
        {"{\"mode\":[\"audit\"]}", "\"mode\" is [\"audit\"]"},
        {"{\"mode\":\"audit\",\"mode\":\"audit\"}", "\"mode\" is given more than once"},
        {"{\"backend\":\"auto\",\"b\\u0061ckend\":\"auto\"}",
         "\"backend\" is given more than once"},
        {"{\"lockTimeoutSeconds\":0}", "\"lockTimeoutSeconds\" is 0: it must be a whole number"},
        {"{\"lockTimeoutSeconds\":301}", "\"lockTimeoutSeconds\" is 301"},
        {"{\"lockTimeoutSeconds\":-1}", "\"lockTimeoutSeconds\" is -1"},
        {"{\"lockTimeoutSeconds\":1.5}", "\"lockTimeoutSeconds\" is 1.5"},
        {"{\"lockTimeoutSeconds\":1e999}", "\"lockTimeoutSeconds\" is "},
        {"{\"lockTimeoutSeconds\":\"10\"}", "\"lockTimeoutSeconds\" is \"10\""},
        {"{\"lockTimeoutSeconds\":10,\"lockTimeoutSeconds\":10}",
         "\"lockTimeoutSeconds\" is given more than once"},
        {"{\"endpoints\":[]}", "\"endpoints\" is []: it must be a list of at least one"},
        {"{\"endpoints\":\"169.254.169.254\"}", "\"endpoints\" is \"169.254.169.254\""},
        {"{\"endpoints\":[],\"endpoints\":[\"1.2.3.4\"]}", "\"endpoints\" is given more than once"},
        {"{\"endpoints\":[\"1.2.3.4\",5]}", "\"endpoints[1]\" is 5: it must be an address"},
        {"{\"endpoints\":[\"1.2.3.4\",\"imds\"]}", "\"endpoints[1]\": \"imds\" is no IPv4"},
        {"{\"endpoints\":[\"0.0.0.0/0\"]}", "\"endpoints[0]\": the prefix of \"0.0.0.0/0\""},
        {"{\"exempt\":{}}", "\"exempt\" is {}: it must be a list"},
        {"{\"exempt\":[{\"pod\":\"x\"}]}", "\"exempt[0]\" is {\"pod\":\"x\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(json) cJSON *tree = tree_of(cases[i].text);
        struct config config = {.endpoint_count = 99};
        struct error err = {.code = ERROR_NONE};

        if (config_parse(tree, &config, &err) == 0)
            fail_msg("%s is accepted", cases[i].text);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        assert_contains(err.msg, cases[i].msg);
        assert_int_equal(config.endpoint_count, 99);
    }
}

static void a_person_is_told_of_a_key_that_is_none(void **state)
{
    cleanup(json) cJSON *right = tree_of(
        "{\"type\":\"imds-guard\",\"capabilities\":{},\"mode\":\"audit\",\"exempt\":[],"
        "\"endpoints\":[],\"backend\":\"auto\",\"lockTimeoutSeconds\":1,\"others\":\"drop\","
        "\"deny\":\"drop\",\"exitFence\":\"auto\"}");
    cleanup(json) cJSON *wrong = tree_of("{\"mode\":\"audit\",\"exempts\":[]}");
    cleanup(json) cJSON *empty = tree_of("{}");
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(config_check_keys(right, &err), 0);
    assert_int_equal(config_check_keys(empty, &err), 0);
    assert_int_equal(config_check_keys(wrong, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_CONFIG);
    assert_contains(err.msg, "\"exempts\" is no config key");
}

static void a_long_value_leaves_room_for_what_it_must_be(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{}");
    struct config config = {.endpoint_count = 99};
    struct error err = {.code = ERROR_NONE};
    char value[5000] = "";

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    cJSON_AddStringToObject(tree, "mode", value);
    assert_int_equal(config_parse(tree, &config, &err), -1);
    assert_contains(err.msg, "xxx: it must be \"enforce\" or \"audit\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gives_the_defaults),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(each_choice_has_its_value),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_person_is_told_of_a_key_that_is_none),
        cmocka_unit_test(a_long_value_leaves_room_for_what_it_must_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
