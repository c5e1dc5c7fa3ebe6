#include "guard_text.h"

#include "guard/plan.h"

/* Both lists in one text: "host names | pod names ". */
static void assert_questions(const char *result, const char *ifname, const char *expected)
{
    cleanup(json) cJSON *tree = tree_of(result);
    cleanup(questions) struct questions questions = {.host = NULL};
    struct attachment attachment = {
        .owner = {.network = "n", .container_id = "c", .ifname = ifname}, .netns = "/run/netns/x"};
    struct error err = {.code = ERROR_NONE};
    char text[1024] = "";

    assert_int_equal(result_parse(tree, &attachment.result, &err), 0);
    assert_int_equal(plan_questions(&attachment, &questions, &err), 0);
    result_free(&attachment.result);
    for (size_t i = 0; i < questions.host_count; i++)
        strcat(strcat(text, questions.host[i]), " ");
    strcat(text, "| ");
    for (size_t i = 0; i < questions.pod_count; i++)
        strcat(strcat(text, questions.pod[i]), " ");
    assert_string_equal(text, expected);
}

static void shapes_ask_for_their_links(void **state)
{
    static const struct {
        const char *file;
        const char *expected;
    } cases[] = {
        {"/prevresults/eni-ipv4.json", "eni0d7763386da | eth0 "},
        {"/prevresults/eni-multi-nic.json", "eni0d7763386da enib813f772d20 | eth0 mNicIf1 "},
        {"/prevresults/branch-eni-strict.v1.json", "vlan0d7763386da | eth0 "},
        {"/prevresults/branch-eni-standard.json", "eni0d7763386da | eth0 "},
        {"/prevresults/ipv6-cluster-with-ipv4-egress.json",
         "eni0d7763386da veth5d2f8a1c | eth0 v4if0 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[512] = "";
        cleanup(free_text) char *text = NULL;

        snprintf(path, sizeof(path), TEST_DATA "%s", cases[i].file);
        text = text_of_file(path);
        assert_questions(text, "eth0", cases[i].expected);
    }
}

static void ifname_is_always_asked_for(void **state)
{
    (void)state;
    assert_questions("{}", "net1", "| net1 ");
    assert_questions("{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/a\"}]}", "net1",
                     "| eth0 net1 ");
}

static void names_are_legal_and_asked_for_once(void **state)
{
    (void)state;
    assert_questions("{\"interfaces\":[{\"name\":\"a\"},{\"name\":\"a\"},{\"name\":\"a/b\"},"
                     "{\"name\":\"sixteen-bytes-xx\"},{\"name\":\"e\",\"sandbox\":\"/a\"},"
                     "{\"name\":\"e\",\"sandbox\":\"/b\"},{\"name\":\"e f\",\"sandbox\":\"/b\"},"
                     "{\"name\":\"vm\",\"sandbox\":\"vm-7\"}]}",
                     "e", "a | e ");
}

/* One namespace has many paths; CNI_NETNS need not be the one that the result names. */
static void any_path_is_the_pods(void **state)
{
    (void)state;
    assert_questions("{\"interfaces\":[{\"name\":\"eth1\",\"sandbox\":\"/proc/7/ns/net\"}]}",
                     "eth0", "| eth1 eth0 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_ask_for_their_links),
        cmocka_unit_test(ifname_is_always_asked_for),
        cmocka_unit_test(names_are_legal_and_asked_for_once),
        cmocka_unit_test(any_path_is_the_pods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
