#include "guard_text.h"

#include "guard/pod.h"

#include <time.h>

static bool is_exempt(const char *exempt, const char *namespace, const char *name,
                      const char *annotations)
{
    char text[2048] = "";
    cleanup(json) cJSON *entry = NULL;
    cleanup(json) cJSON *tree = annotations != NULL ? tree_of(annotations) : NULL;
    cleanup(config) struct config config = {.endpoints = NULL};
    struct pod pod = {.namespace = namespace, .name = name, .annotations = tree};
    struct error err = {.code = ERROR_NONE};
    bool whole = false;

    snprintf(text, sizeof(text), "{\"exempt\":%s}", exempt);
    entry = tree_of(text);
    assert_int_equal(config_parse(entry, &config, &err), 0);
    whole = pod_is_exempt(&pod, &config);
    if (tree != NULL)
        pod_trim_annotations(tree, &config);
    assert_int_equal(pod_is_exempt(&pod, &config), whole);
    return whole;
}

static void all_fields_must_match(void **state)
{
    static const char one[] = "[{\"namespace\":\"kube-*\",\"pod\":\"csi-?\"}]";

    (void)state;
    assert_true(is_exempt(one, "kube-system", "csi-1", NULL));
    assert_false(is_exempt(one, "kube-system", "csi-12", NULL));
    assert_false(is_exempt(one, "default", "csi-1", NULL));
    assert_false(is_exempt("[]", "kube-system", "csi-1", NULL));
    assert_true(is_exempt("[{\"namespace\":\"x\"},{\"namespace\":\"kube-system\"}]", "kube-system",
                          "any", NULL));
}

/* Who does not say who it is, is guarded, however wide the globs are. */
static void the_unknown_match_nothing(void **state)
{
    (void)state;
    assert_false(is_exempt("[{\"namespace\":\"*\"}]", NULL, "web", NULL));
    assert_false(is_exempt("[{\"namespace\":\"*\"}]", "", "web", NULL));
    assert_false(is_exempt("[{\"namespace\":\"*\",\"pod\":\"*\"}]", "default", NULL, NULL));
    assert_true(is_exempt("[{\"namespace\":\"*\"}]", "default", NULL, NULL));
}

static void annotations_count_only_where_the_namespace_is_listed(void **state)
{
    static const char list[] =
        "[{\"namespace\":\"legacy-*\",\"annotation\":{\"imds-guard/allow\":\"true\"}}]";
    static const char claim[] = "{\"imds-guard/allow\":\"true\"}";

    (void)state;
    assert_true(is_exempt(list, "legacy-a", "web", claim));
    assert_false(is_exempt(list, "default", "web", claim));
    assert_false(is_exempt(list, "legacy-a", "web", NULL));
    assert_false(is_exempt(list, "legacy-a", "web", "{}"));
    assert_false(is_exempt(list, "legacy-a", "web", "{\"imds-guard/allow\":\"false\"}"));
    assert_false(is_exempt(list, "legacy-a", "web", "{\"imds-guard/allow\":true}"));
    assert_false(is_exempt(list, "legacy-a", "web", "{\"imds-guard/Allow\":\"true\"}"));
    assert_false(is_exempt(list, "legacy-a", "web",
                           "{\"imds-guard/allow\":\"true\",\"imds-guard/allow\":\"false\"}"));
    assert_false(is_exempt(list, "legacy-a", "web", "{\"imds-guard/allow\":\"true\\u0000\"}"));
    assert_false(is_exempt("[{\"namespace\":\"*\",\"annotation\":{\"a\":\"1\",\"b\":\"2\"}}]",
                           "default", "web", "{\"a\":\"1\"}"));
}

static void globs_have_no_special_bytes_but_their_own(void **state)
{
    (void)state;
    assert_true(is_exempt("[{\"namespace\":\"a*z\"}]", "a/.z", "x", NULL));
    assert_true(is_exempt("[{\"namespace\":\"?hidden\"}]", ".hidden", "x", NULL));
    assert_true(is_exempt("[{\"namespace\":\"a\\\\*\"}]", "a*", "x", NULL));
    assert_false(is_exempt("[{\"namespace\":\"a\\\\*\"}]", "ab", "x", NULL));
    assert_false(is_exempt("[{\"namespace\":\"[a-c]x\"}]", "bx", "x", NULL));
    assert_true(is_exempt("[{\"namespace\":\"[a-c]x\"}]", "[a-c]x", "x", NULL));
    /* The pod's own name is text, not a glob. */
    assert_false(is_exempt("[{\"namespace\":\"kube-system\"}]", "*", "x", NULL));
    assert_false(is_exempt("[{\"namespace\":\"KUBE\"}]", "kube", "x", NULL));
    assert_false(is_exempt("[{\"namespace\":\"+(a)\"}]", "aa", "x", NULL));
}

/* A glob that makes naive matchers take exponential time. */
static void matching_takes_no_time(void **state)
{
    char text[1024] = "[{\"namespace\":\"";
    char namespace[254] = "";
    clock_t start = clock();

    (void)state;
    for (int i = 0; i < 120; i++)
        strcat(text, "*a");
    strcat(text, "b\"}]");
    memset(namespace, 'a', sizeof(namespace) - 1);
    assert_false(is_exempt(text, namespace, "x", NULL));
    assert_true(clock() - start < CLOCKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_must_match),
        cmocka_unit_test(the_unknown_match_nothing),
        cmocka_unit_test(annotations_count_only_where_the_namespace_is_listed),
        cmocka_unit_test(globs_have_no_special_bytes_but_their_own),
        cmocka_unit_test(matching_takes_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
