#include "cni/request.h"

#include "guard/cni_version.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define HEAD        "\"cniVersion\": \"1.0.0\", \"name\": \"aws-cni\", \"type\": \"imds-guard\""
#define RESULT      "\"prevResult\": {\"cniVersion\": \"1.0.0\", \"interfaces\": [{\"name\": \"eni0\"}]}"
#define ANNOTATIONS "\"io.kubernetes.cri.pod-annotations\""

static const struct needs for_plan = {.plan = true};
static const struct needs for_del = {.forgiving = true};
static const struct needs for_gc = {.since = "1.1.0", .attachments = true};
static const struct needs for_status = {.since = "1.1.0"};

static const struct environment environment = {
    .container_id = "4f3c",
    .netns = "/run/netns/x",
    .ifname = "eth0",
    .args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0",
    .path = "/opt/cni/bin",
};

static int parse_for(const struct environment *given, const char *text, const struct needs *needs,
                     struct request *out, struct error *err)
{
    struct span span = {.start = text, .length = strlen(text)};
    int cni_version = -1;

    return request_parse(given, span, needs, out, &cni_version, err);
}

static void expect_refusal(const char *text, const struct needs *needs, enum error_code code,
                           const char *part)
{
    struct request request = {0};
    struct error err = {.code = ERROR_NONE};

    assert_int_equal(parse_for(&environment, text, needs, &request, &err), -1);
    if (err.code != code || !strstr(err.msg, part))
        fail_msg("%s\ngave %d: %s\nnot %d: %s", text, err.code, err.msg, code, part);
    assert_null(request.tree);
}

static void expect_acceptance(const char *text, const struct needs *needs, struct request *out)
{
    struct error err = {.code = ERROR_NONE, .msg = ""};

    if (parse_for(&environment, text, needs, out, &err) != 0)
        fail_msg("%s\ngave %d: %s", text, err.code, err.msg);
}

static void reads_what_a_plan_is_made_of(void **state)
{
    cleanup(request) struct request request = {0};

    (void)state;
    expect_acceptance("{" HEAD ", \"mode\": \"audit\", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS
                      ": {\"a\": \"b\"}}}",
                      &for_plan, &request);
    assert_int_equal(request.cni_version, cni_version_find("1.0.0"));
    assert_string_equal(request.attachment.owner.network, "aws-cni");
    assert_string_equal(request.attachment.owner.container_id, "4f3c");
    assert_string_equal(request.attachment.owner.ifname, "eth0");
    assert_string_equal(request.attachment.netns, "/run/netns/x");
    assert_string_equal(request.attachment.pod.namespace, "default");
    assert_string_equal(request.attachment.pod.name, "web-0");
    assert_int_equal(cJSON_GetArraySize(request.attachment.pod.annotations), 1);
    assert_int_equal(request.attachment.result.interface_count, 1);
    assert_string_equal(request.attachment.result.interfaces[0].name, "eni0");
    assert_int_equal(request.config.mode, MODE_AUDIT);
    assert_true(request.has_prev_result);
    assert_memory_equal(request.prev_result.start, "{\"cniVersion\": \"1.0.0\", ", 24);
    assert_int_equal(request.prev_result.start[request.prev_result.length - 1], '}');
}

static void keeps_the_result_s_own_bytes(void **state)
{
    static const char result[] = "{ \"interfaces\" :null,\n\"x\": [1e400, 9007199254740993] }";
    cleanup(request) struct request request = {0};
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), "{\"prev\\u0052esult\" : %s , " HEAD "}", result);
    expect_acceptance(text, &for_plan, &request);
    assert_int_equal(request.prev_result.length, strlen(result));
    assert_memory_equal(request.prev_result.start, result, strlen(result));
}

static void knows_a_pod_that_does_not_say_who_it_is(void **state)
{
    static const char *const bodies[] = {
        "{" HEAD ", " RESULT "}",
        "{" HEAD ", " RESULT ", \"runtimeConfig\": null}",
        "{" HEAD ", " RESULT ", \"runtimeConfig\": {}}",
        "{" HEAD ", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS ": null}}",
    };
    struct environment silent = environment;

    (void)state;
    silent.args = NULL;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        cleanup(request) struct request request = {0};
        struct error err;

        assert_int_equal(parse_for(&silent, bodies[i], &for_plan, &request, &err), 0);
        assert_null(request.attachment.pod.namespace);
        assert_null(request.attachment.pod.name);
        assert_null(request.attachment.pod.annotations);
    }
}

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
                   ERROR_INVALID_CONFIG, "\"cniVersion\" is given 2 times");
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

/* Also if the rest fails: the error has to be in the runtime's version. */
static void tells_the_version_as_soon_as_it_is_known(void **state)
{
    static const char text[] = "{\"cniVersion\": \"0.3.1\"}";
    struct span span = {.start = text, .length = sizeof(text) - 1};
    struct request request = {0};
    int cni_version = -1;
    struct error err;

    (void)state;
    assert_int_equal(request_parse(&environment, span, &for_plan, &request, &cni_version, &err),
                     -1);
    assert_int_equal(cni_version, cni_version_find("0.3.1"));
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
                   "\"name\" is given 2 times");
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

static void takes_container_ids_of_200_bytes(void **state)
{
    struct environment large = environment;
    cleanup(request) struct request request = {0};
    char id[201];
    struct error err;

    (void)state;
    memset(id, 'a', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    large.container_id = id;
    assert_int_equal(parse_for(&large, "{" HEAD ", " RESULT "}", &for_plan, &request, &err), 0);
}

static void needs_a_plugin_before_it(void **state)
{
    (void)state;
    expect_refusal("{" HEAD "}", &for_plan, ERROR_INVALID_CONFIG,
                   "must come after another plugin in the chain");
    expect_refusal("{" HEAD ", \"prevResult\": null}", &for_plan, ERROR_INVALID_CONFIG,
                   "must come after another plugin in the chain");
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
                   &for_plan, ERROR_INVALID_CONFIG, "prevResult: \"cniVersion\" is given 2 times");
    expect_refusal("{" HEAD ", " RESULT ", " RESULT "}", &for_plan, ERROR_INVALID_CONFIG,
                   "\"prevResult\" is given 2 times");
}

/* What a plugin before us prints is the same to us in all versions that we speak. */
static void takes_a_result_in_another_version(void **state)
{
    cleanup(request) struct request request = {0};

    (void)state;
    expect_acceptance("{" HEAD ", \"prevResult\": {\"cniVersion\": \"0.4.0\"}}", &for_plan,
                      &request);
}

static void refuses_a_bad_configuration(void **state)
{
    (void)state;
    expect_refusal("{" HEAD ", " RESULT ", \"mode\": \"off\"}", &for_plan, ERROR_INVALID_CONFIG,
                   "off");
    expect_refusal("{" HEAD ", " RESULT ", \"mode\": \"audit\", \"mode\": \"enforce\"}", &for_plan,
                   ERROR_INVALID_CONFIG, "mode");
    expect_refusal("{" HEAD ", " RESULT ", \"type\": \"x\"}", &for_plan, ERROR_INVALID_CONFIG,
                   "\"type\" is given 2 times");
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
                   &for_plan, ERROR_INVALID_CONFIG, "\"runtimeConfig\" is given 2 times");
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS ": \"a\"}}", &for_plan,
                   ERROR_INVALID_CONFIG, "pod-annotations\" is not an object");
    expect_refusal("{" HEAD ", " RESULT ", \"runtimeConfig\": {" ANNOTATIONS ": {}, " ANNOTATIONS
                   ": {}}}",
                   &for_plan, ERROR_INVALID_CONFIG, "runtimeConfig: \"io.kubernetes");
}

static void forgives_del_all_but_who_and_where(void **state)
{
    static const char *const bodies[] = {
        "{" HEAD "}",
        "{" HEAD ", \"prevResult\": null}",
        "{" HEAD ", \"prevResult\": 7}",
        "{" HEAD ", \"prevResult\": {\"interfaces\": 1}, \"mode\": 3}",
        "{" HEAD ", " RESULT ", " RESULT "}",
        "{" HEAD ", \"prevResult\": {\"cniVersion\": \"9\"}, \"lockTimeoutSeconds\": \"x\"}",
        "{" HEAD ", \"type\": 1, \"exempt\": [1], \"runtimeConfig\": 1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        cleanup(request) struct request request = {0};

        expect_acceptance(bodies[i], &for_del, &request);
        assert_false(request.has_prev_result);
        assert_int_equal(request.attachment.result.interface_count, 0);
        assert_int_equal(request.config.mode, MODE_ENFORCE);
        assert_int_equal(request.config.lock_timeout_seconds, CONFIG_LOCK_TIMEOUT_DEFAULT);
        assert_string_equal(request.attachment.owner.network, "aws-cni");
    }
}

static void uses_what_del_can_read(void **state)
{
    cleanup(request) struct request request = {0};

    (void)state;
    expect_acceptance("{" HEAD ", " RESULT ", \"lockTimeoutSeconds\": 3}", &for_del, &request);
    assert_true(request.has_prev_result);
    assert_int_equal(request.config.lock_timeout_seconds, 3);
}

static void reads_gc_s_attachments(void **state)
{
    cleanup(request) struct request request = {0};

    (void)state;
    expect_acceptance("{\"cniVersion\": \"1.1.0\", \"name\": \"n\", \"cni.dev/valid-attachments\": "
                      "[{\"containerID\": \"a\", \"ifname\": \"eth0\"}]}",
                      &for_gc, &request);
    assert_int_equal(request.valid_count, 1);
    assert_string_equal(request.valid[0].network, "n");
    expect_refusal("{\"cniVersion\": \"1.1.0\", \"name\": \"n\", \"cni.dev/attachments\": 1}",
                   &for_gc, ERROR_INVALID_CONFIG, "cni.dev/attachments");
}

static int input_of(const char *text, size_t length)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void reads_standard_input(void **state)
{
    static const char text[] = "{" HEAD ", " RESULT "}";
    cleanup(close_fd) int fd = input_of(text, sizeof(text) - 1);
    cleanup(request) struct request request = {0};
    int cni_version = -1;
    struct error err;

    (void)state;
    assert_int_equal(request_read(&environment, fd, &for_plan, &request, &cni_version, &err), 0);
    assert_non_null(request.text);
    assert_memory_equal(request.prev_result.start, "{\"cni", 5);
}

static void reads_no_input_for_a_bad_environment(void **state)
{
    static const struct needs needs = {.variables = VARIABLE_CONTAINER_ID | VARIABLE_NETNS};
    static const struct environment nothing = {0};
    struct request request = {0};
    int cni_version = -1;
    struct error err;

    (void)state;
    assert_int_equal(request_read(&nothing, -1, &needs, &request, &cni_version, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
}

static void refuses_more_than_4_mib_and_a_nul(void **state)
{
    static char large[4 * 1024 * 1024 + 1];
    cleanup(close_fd) int nul = input_of("{\0}", 3);
    struct request request = {0};
    int cni_version = -1;
    struct error err;

    (void)state;
    memset(large, ' ', sizeof(large));
    cleanup(close_fd) int too_large = input_of(large, sizeof(large));
    assert_int_equal(request_read(&environment, too_large, &for_del, &request, &cni_version, &err),
                     -1);
    assert_int_equal(err.code, ERROR_DECODING);
    assert_non_null(strstr(err.msg, "4194304"));
    assert_int_equal(request_read(&environment, nul, &for_del, &request, &cni_version, &err), -1);
    assert_int_equal(err.code, ERROR_DECODING);
    assert_non_null(strstr(err.msg, "byte 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_plan_is_made_of),
        cmocka_unit_test(keeps_the_result_s_own_bytes),
        cmocka_unit_test(knows_a_pod_that_does_not_say_who_it_is),
        cmocka_unit_test(refuses_what_is_no_json_object),
        cmocka_unit_test(refuses_versions_it_does_not_speak),
        cmocka_unit_test(refuses_verbs_from_before_their_time),
        cmocka_unit_test(tells_the_version_as_soon_as_it_is_known),
        cmocka_unit_test(refuses_a_network_without_a_name),
        cmocka_unit_test(refuses_an_owner_that_fits_no_tag),
        cmocka_unit_test(takes_container_ids_of_200_bytes),
        cmocka_unit_test(needs_a_plugin_before_it),
        cmocka_unit_test(refuses_a_result_of_the_wrong_form),
        cmocka_unit_test(takes_a_result_in_another_version),
        cmocka_unit_test(refuses_a_bad_configuration),
        cmocka_unit_test(refuses_a_runtime_config_of_the_wrong_form),
        cmocka_unit_test(forgives_del_all_but_who_and_where),
        cmocka_unit_test(uses_what_del_can_read),
        cmocka_unit_test(reads_gc_s_attachments),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test(reads_no_input_for_a_bad_environment),
        cmocka_unit_test(refuses_more_than_4_mib_and_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
