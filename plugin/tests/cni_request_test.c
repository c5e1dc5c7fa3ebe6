/* What a request holds, and how it is read. */
#include "cni_request_text.h"

#include <fcntl.h>
#include <sys/mman.h>

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

/* What a plugin before us prints is the same to us in all versions that we speak. */
static void takes_a_result_in_another_version(void **state)
{
    cleanup(request) struct request request = {0};

    (void)state;
    expect_acceptance("{" HEAD ", \"prevResult\": {\"cniVersion\": \"0.4.0\"}}", &for_plan,
                      &request);
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
        cmocka_unit_test(tells_the_version_as_soon_as_it_is_known),
        cmocka_unit_test(takes_container_ids_of_200_bytes),
        cmocka_unit_test(takes_a_result_in_another_version),
        cmocka_unit_test(forgives_del_all_but_who_and_where),
        cmocka_unit_test(uses_what_del_can_read),
        cmocka_unit_test(reads_gc_s_attachments),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test(reads_no_input_for_a_bad_environment),
        cmocka_unit_test(refuses_more_than_4_mib_and_a_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
