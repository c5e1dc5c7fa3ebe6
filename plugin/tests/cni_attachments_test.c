#include "cni/attachments.h"

#include "guard/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parse(const char *text)
{
    struct span span = {.start = text, .length = strlen(text)};
    struct error err;
    cJSON *tree = NULL;

    assert_int_equal(json_parse(span, &tree, &err), 0);
    return tree;
}

static void takes_what_is_in_either_list(void **state)
{
    cleanup(json) cJSON *tree =
        parse("{\"cni.dev/valid-attachments\": [{\"containerID\": \"a\", \"ifname\": \"eth0\"}],"
              " \"cni.dev/attachments\": [{\"containerID\": \"b\", \"ifname\": \"eth1\"},"
              "                           {\"containerID\": \"c\", \"ifname\": \"eth2\"}]}");
    cleanup(free_memory) struct owner *owners = NULL;
    size_t count = 0;
    struct error err;

    (void)state;
    assert_int_equal(attachments_parse(tree, "net", &owners, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(owners[0].network, "net");
    assert_string_equal(owners[0].container_id, "a");
    assert_string_equal(owners[0].ifname, "eth0");
    assert_string_equal(owners[1].container_id, "b");
    assert_string_equal(owners[2].container_id, "c");
    assert_string_equal(owners[2].ifname, "eth2");
}

static void takes_a_missing_list_as_empty(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"cni.dev/valid-attachments\": null, \"cni.dev/attachments\": null}",
        "{\"cni.dev/valid-attachments\": []}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cleanup(json) cJSON *tree = parse(texts[i]);
        cleanup(free_memory) struct owner *owners = NULL;
        size_t count = 1;
        struct error err;

        assert_int_equal(attachments_parse(tree, "net", &owners, &count, &err), 0);
        assert_int_equal(count, 0);
    }
}

static void refuses_what_is_no_list_of_attachments(void **state)
{
    static const char *const texts[][2] = {
        {"{\"cni.dev/valid-attachments\": {}}", "\"cni.dev/valid-attachments\" is not an array"},
        {"{\"cni.dev/attachments\": \"a\"}", "\"cni.dev/attachments\" is not an array"},
        {"{\"cni.dev/attachments\": [], \"cni.dev/attachments\": []}",
         "\"cni.dev/attachments\" is given more than once"},
        {"{\"cni.dev/attachments\": [{\"containerID\": \"a\", \"ifname\": \"b\"}, \"a\"]}",
         "\"cni.dev/attachments\"[1] "},
        {"{\"cni.dev/attachments\": [{\"containerID\": \"a\"}]}", "[0] "},
        {"{\"cni.dev/attachments\": [{\"ifname\": \"a\"}]}", "[0] "},
        {"{\"cni.dev/attachments\": [{\"containerID\": 1, \"ifname\": \"a\"}]}", "[0] "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cleanup(json) cJSON *tree = parse(texts[i][0]);
        struct owner *owners = NULL;
        size_t count = 7;
        struct error err;

        assert_int_equal(attachments_parse(tree, "net", &owners, &count, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        assert_non_null(strstr(err.msg, texts[i][1]));
        assert_null(owners);
        assert_int_equal(count, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_in_either_list),
        cmocka_unit_test(takes_a_missing_list_as_empty),
        cmocka_unit_test(refuses_what_is_no_list_of_attachments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
