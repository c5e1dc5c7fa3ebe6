/* Requests that are refused, and what is said of each. */
#include "cni_request_text.h"

static void refuses_what_is_no_json_object(void **state)
{
    (void)state;
    expect_refusal("", &for_plan, ERROR_DECODING, "standard input");
    expect_refusal("{" HEAD "} x", &for_plan, ERROR_DECODING, "byte ");
    expect_refusal("{" HEAD ",}", &for_del, ERROR_DECODING, "byte ");
    expect_refusal("[]", &for_plan, ERROR_DECODING, "not a JSON object");
    expect_refusal("null", &for_del, ERROR_DECODING, "not a JSON object");
    expect_refusal("\"{}\"", &for_gc, ERROR_DECODING, "not a JSON object");
}

static void refuses_versions_it_does_not_speak(void **state)
{
    const char *all = "0.3.0 0.3.1 0.4.0 1.0.0 1.1.0";

    (void)state;
    expect_refusal("{\"name\": \"a\"}", &for_plan, ERROR_INCOMPATIBLE_VERSION, all);
    expect_refusal("{\"name\": \"a\"}", &for_del, ERROR_INCOMPATIBLE_VERSION, all);
    expect_refusal("{\"cniVersion\": \"0.2.0\"}", &for_plan, ERROR_INCOMPATIBLE_VERSION, all);
    expect_refusal("{\"cniVersion\": \"2.0.0\"}", &for_del, ERROR_INCOMPATIBLE_VERSION,
                   "\"2.0.0\" is not supported");
    expect_refusal("{\"cniVersion\": 1}", &for_plan, ERROR_INVALID_CONFIG, "cniVersion");
    expect_refusal("{\"cniVersion\": null}", &for_plan, ERROR_INVALID_CONFIG, "cniVersion");
    expect_refusal("{\"cniVersion\": \"1.0.0\", \"cniVersion\": \"1.0.0\"}", &for_del,
                   ERROR_INVALID_CONFIG, "\"cniVersion\" is given more than once");
}

static void refuses_verbs_from_before_their_time(void **state)
{
    static const struct needs since_0_4_0 = {.since = "0.4.0", .plan = true};
    cleanup(request) struct request request = {0};

    (void)state;
    expect_refusal("{\"cniVersion\": \"0.3.1\", \"name\": \"a\"}", &since_0_4_0,
                   ERROR_INCOMPATIBLE_VERSION, "0.4.0");
    expect_refusal("{" HEAD "}", &for_gc, ERROR_INCOMPATIBLE_VERSION, "1.1.0");
    expect_acceptance("{\"cniVersion\": \"0.4.0\", \"name\": \"a\", " RESULT "}", &since_0_4_0,
                      &request);
}

static void refuses_a_network_without_a_name(void **state)
{
    (void)state;
    expect_refusal("{\"cniVersion\": \"1.0.0\"}", &for_del, ERROR_INVALID_CONFIG, "\"name\"");
    expect_refusal("{\"cniVersion\": \"1.0.0\", \"name\": 5}", &for_del, ERROR_INVALID_CONFIG,
                   "(not a string)");
    expect_refusal("{\"cniVersion\": \"1.0.0\", \"name\": \"\"}", &for_plan, ERROR_INVALID_CONFIG,
                   "name \"\"");
    expect_refusal("{\"cniVersion\": \"1.0.0\", \"name\": \"a/b\"}", &for_plan,
                   ERROR_INVALID_CONFIG, "name \"a/b\"");
    expect_refusal("{" HEAD ", \"name\": \"b\"}", &for_del, ERROR_INVALID_CONFIG,
                   "\"name\" is given more than once");
}

static void refuses_an_owner_that_fits_no_tag(void **state)
{
    struct environment endless = environment;
    struct request request = {0};
    cleanup(request) struct request found = {0};
    char id[OWNER_BYTES_MAX + 1];
    struct error err;

    (void)state;
    memset(id, 'a', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    endless.container_id = id;
    assert_int_equal(parse_for(&endless, "{" HEAD ", " RESULT "}", &for_plan, &request, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "longer than 243 bytes"));
    /* Nothing of it can exist: DEL has to be able to say so. */
    assert_int_equal(parse_for(&endless, "{" HEAD "}", &for_del, &found, &err), 0);
}

static void refuses_a_result_of_the_wrong_form(void **state)
{
    (void)state;
    expect_refusal("{" HEAD ", \"prevResult\": 1}", &for_plan, ERROR_INVALID_CONFIG, "prevResult");
    expect_refusal("{" HEAD ", \"prevResult\": {\"interfaces\": [{\"name\": 1}]}}", &for_plan,
                   ERROR_INVALID_CONFIG, "prevResult.interfaces[0].name");
    expect_refusal("{" HEAD ", \"prevResult\": {\"cniVersion\": \"0.2.0\"}}", &for_plan,
                   ERROR_INVALID_CONFIG, "prevResult.cniVersion \"0.2.0\"");
    expect_refusal("{" HEAD ", \"prevResult\": {\"cniVersion\": 1}}", &for_plan,
                   ERROR_INVALID_CONFIG, "prevResult.cniVersion \"(not a string)\"");
    expect_refusal("{" HEAD ", \"prevResult\": {\"cniVersion\": \"1.0.0\", "
                   "\"cniVersion\": \"1.0.0\"}}",
                   &for_plan, ERROR_INVALID_CONFIG,
                   "prevResult: \"cniVersion\" is given more than once");
    expect_refusal("{" HEAD ", " RESULT ", " RESULT "}", &for_plan, ERROR_INVALID_CONFIG,
                   "\"prevResult\" is given more than once");
}

static void refuses_a_bad_configuration(void **state)
{
    (void)state;
    expect_refusal("{" HEAD ", " RESULT ", \"mode\": \"off\"}", &for_plan, ERROR_INVALID_CONFIG,
                   "off");
    expect_refusal("{" HEAD ", " RESULT ", \"mode\": \"audit\", \"mode\": \"enforce\"}", &for_plan,
                   ERROR_INVALID_CONFIG, "mode");
    expect_refusal("{" HEAD ", " RESULT ", \"type\": \"x\"}", &for_plan, ERROR_INVALID_CONFIG,
                   "\"type\" is given more than once");
    expect_refusal("{" HEAD ", " RESULT ", \"exempt\": [{\"pod\": \"x\"}]}", &for_plan,
                   ERROR_INVALID_CONFIG, "namespace");
    expect_refusal("{\"cniVersion\": \"1.1.0\", \"name\": \"a\", \"endpoints\": [\"x\"]}", &for_gc,
                   ERROR_INVALID_CONFIG, "endpoints");
    expect_refusal("{\"cniVersion\": \"1.1.0\", \"name\": \"a\", \"backend\": \"ebpf\"}",
                   &for_status, ERROR_INVALID_CONFIG, "ebpf");
}

static void refuses_a_runtime_config_of_the_wrong_form(void **state)
{
    (void)state;
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": []}", &for_plan, ERROR_INVALID_CONFIG,
                   "runtimeConfig is not an object");
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": {}, \"runtimeConfig\": {}}",
                   &for_plan, ERROR_INVALID_CONFIG, "\"runtimeConfig\" is given more than once");
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS ": \"a\"}}", &for_plan,
                   ERROR_INVALID_CONFIG, "pod-annotations\" is not an object");
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS ": {}, " ANNOTATIONS
                   ": {}}}",
                   &for_plan, ERROR_INVALID_CONFIG, "runtimeConfig: \"io.kubernetes");
}

static void needs_a_plugin_before_it(void **state)
{
    (void)state;
    expect_refusal("{" HEAD "}", &for_plan, ERROR_INVALID_CONFIG,
                   "must come after another plugin in the chain");
    expect_refusal("{" HEAD ", \"prevResult\": null}", &for_plan, ERROR_INVALID_CONFIG,
                   "must come after another plugin in the chain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_json_object),
        cmocka_unit_test(refuses_versions_it_does_not_speak),
        cmocka_unit_test(refuses_verbs_from_before_their_time),
        cmocka_unit_test(refuses_a_network_without_a_name),
        cmocka_unit_test(refuses_an_owner_that_fits_no_tag),
        cmocka_unit_test(refuses_a_result_of_the_wrong_form),
        cmocka_unit_test(refuses_a_bad_configuration),
        cmocka_unit_test(refuses_a_runtime_config_of_the_wrong_form),
        cmocka_unit_test(needs_a_plugin_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
