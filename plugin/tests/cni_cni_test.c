/* The table of verbs: who may call what, and GC, STATUS and VERSION. */
#include "fake_kernel.h"

static void tells_runtimes_from_people(void **state)
{
    char *runtime[] = {(char[]){"CNI_COMMAND=ADD"}, NULL};
    char *shell[] = {(char[]){"CNI_PATH=/opt/cni/bin"}, NULL};
    char *plain[] = {(char[]){"HOME=/"}, (char[]){"CNI_CONF_DIR=/etc"}, NULL};

    (void)state;
    assert_true(cni_is_called(runtime, false));
    assert_true(cni_is_called(runtime, true));
    assert_true(cni_is_called(shell, false));
    assert_false(cni_is_called(shell, true));
    assert_false(cni_is_called(plain, false));
    assert_false(cni_is_called(plain, true));
}

static void refuses_what_is_no_verb(void **state)
{
    char *none[] = {(char[]){"CNI_PATH=/opt/cni/bin"}, NULL};

    (void)state;
    cleanup(call) struct call missing = run_environment(none, CONFIG);
    expect_error(&missing, ERROR_INVALID_ENVIRONMENT, "CNI_COMMAND is not set");
    cleanup(call) struct call unknown = run("add", CONFIG);
    expect_error(&unknown, ERROR_INVALID_ENVIRONMENT, "CNI_COMMAND is \"add\"");
    cleanup(call) struct call bytes = run("A\xff\"\n", CONFIG);
    expect_error(&bytes, ERROR_INVALID_ENVIRONMENT, "CNI_COMMAND is \"A?\"\n\"");
}

static void names_the_variables_that_each_verb_misses(void **state)
{
    static const char *const missing[][2] = {
        {"CNI_COMMAND=ADD", "CNI_CONTAINERID is not set; CNI_NETNS is not set; CNI_IFNAME is "
                            "not set"},
        {"CNI_COMMAND=CHECK", "CNI_CONTAINERID is not set; CNI_NETNS is not set; CNI_IFNAME "
                              "is not set"},
        {"CNI_COMMAND=DEL", "CNI_CONTAINERID is not set; CNI_IFNAME is not set"},
        {"CNI_COMMAND=GC", "CNI_PATH is not set"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
        char variable[64];
        char *environment[] = {variable, NULL};

        snprintf(variable, sizeof(variable), "%s", missing[i][0]);
        cleanup(call) struct call call = run_environment(environment, CONFIG);
        expect_error(&call, ERROR_INVALID_ENVIRONMENT, missing[i][1]);
    }
}

static void logs_an_error_that_cannot_be_answered(void **state)
{
    char *environment[] = {(char[]){"CNI_COMMAND=ADD"}, NULL};
    FILE *full = fopen("/dev/full", "we");
    char *log_text = NULL;
    size_t log_length = 0;
    FILE *log = open_memstream(&log_text, &log_length);

    (void)state;
    assert_non_null(full);
    assert_int_equal(cni_run(environment, -1, full, log), 1);
    assert_int_equal(fclose(full), 0);
    assert_int_equal(fclose(log), 0);
    assert_non_null(strstr(log_text, "imds-guard: ADD: CNI_CONTAINERID is not set"));
    free(log_text);
}

static void answers_in_the_request_s_version(void **state)
{
    (void)state;
    cleanup(call) struct call call = run("ADD", "{\"cniVersion\": \"0.3.1\", \"name\": \"a\"}");
    expect_error(&call, ERROR_INVALID_CONFIG, "prevResult");
    assert_string_equal(string_of(&call, "cniVersion"), "0.3.1");
    cleanup(call) struct call unknown = run("ADD", "{\"cniVersion\": \"9\", \"name\": \"a\"}");
    expect_error(&unknown, ERROR_INCOMPATIBLE_VERSION, "0.3.0 0.3.1 0.4.0 1.0.0 1.1.0");
    assert_string_equal(string_of(&unknown, "cniVersion"), "1.1.0");
    cleanup(call) struct call nothing = run("DEL", "");
    expect_error(&nothing, ERROR_DECODING, "standard input");
}

/* The plugins before us must get their DEL. */
/* Whether GC takes away a guard with this tag and interface. */
static bool collects(const char *tag, const char *interface, const char *input)
{
    kernel.held = (struct held){.families = FAMILY_IPV4};
    snprintf(kernel.held.tag, sizeof(kernel.held.tag), "%s", tag);
    snprintf(kernel.held.guard.interface, INTERFACE_NAME_SIZE, "%s", interface);
    cleanup(call) struct call call = run("GC", input);
    expect_silence(&call);
    return kernel.goes;
}

static void gc_collects_only_what_is_dead_and_gone(void **state)
{
    static const char input[] =
        "{" HEAD ", \"cni.dev/valid-attachments\": [{\"containerID\": \"alive\", \"ifname\": "
        "\"eth0\"}], \"cni.dev/attachments\": null}";
    static const char empty[] = "{" HEAD "}";

    (void)state;
    assert_true(collects("aws-cni/dead/eth0 1 -", "no-such-link", input));
    assert_true(collects("aws-cni/alive/eth1 1 -", "no-such-link", input));
    assert_true(collects("aws-cni/alive/eth0 1 -", "no-such-link", empty));
    assert_false(collects("aws-cni/alive/eth0 1 -", "no-such-link", input));
    assert_false(collects("aws-cni/dead/eth0 1 -", "lo", input));
    assert_false(collects("aws-cni/dead/eth0 1 -", "lo", empty));
    assert_false(collects("other/dead/eth0 1 -", "no-such-link", input));
    assert_false(collects("", "no-such-link", input));
    assert_false(collects("somebody else's comment", "no-such-link", input));
}

static void gc_fails_if_the_kernel_refuses(void **state)
{
    (void)state;
    kernel.refuses_remove = true;
    cleanup(call) struct call call = run("GC", "{" HEAD "}");
    expect_error(&call, ERROR_KERNEL, "no CAP_NET_ADMIN");
    cleanup(call) struct call list = run("GC", "{" HEAD ", \"cni.dev/valid-attachments\": 1}");
    expect_error(&list, ERROR_INVALID_CONFIG, "cni.dev/valid-attachments");
}

static void status_asks_the_chosen_backend(void **state)
{
    char *environment[] = {(char[]){"CNI_COMMAND=STATUS"}, NULL};

    (void)state;
    cleanup(call) struct call good =
        run_environment(environment, "{" HEAD ", \"backend\": \"iptables\"}");
    expect_silence(&good);
    assert_int_equal(kernel.choice, BACKEND_IPTABLES);
    kernel.refuses_probe = true;
    cleanup(call) struct call bad = run_environment(environment, "{" HEAD "}");
    expect_error(&bad, ERROR_NOT_AVAILABLE, "cannot be guarded: no CAP_NET_ADMIN");
    assert_int_equal(kernel.probed, 2);
    cleanup(call) struct call config = run_environment(environment, "{" HEAD ", \"mode\": \"x\"}");
    expect_error(&config, ERROR_INVALID_CONFIG, "mode");
    assert_int_equal(kernel.applied + kernel.removed_owners + kernel.removed, 0);
}

static void gates_verbs_by_version(void **state)
{
    static const char *const gates[][2] = {
        {"CHECK", "0.3.1"}, {"GC", "1.0.0"}, {"STATUS", "1.0.0"}, {"STATUS", "0.3.0"}};

    (void)state;
    for (size_t i = 0; i < sizeof(gates) / sizeof(*gates); i++) {
        char input[512];

        snprintf(input, sizeof(input),
                 "{\"cniVersion\": \"%s\", \"name\": \"a\", \"prevResult\": {}}", gates[i][1]);
        cleanup(call) struct call call = run(gates[i][0], input);
        expect_error(&call, ERROR_INCOMPATIBLE_VERSION, gates[i][1]);
    }
}

/* A person at a terminal writes nothing, and must not be waited for. */
static void version_reads_no_input(void **state)
{
    char *environment[] = {(char[]){"CNI_COMMAND=VERSION"}, NULL};
    char text[256] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    (void)state;
    assert_int_equal(cni_run(environment, -1, out, stderr), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\","
                              "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_runtimes_from_people, forget),
        cmocka_unit_test_setup(refuses_what_is_no_verb, forget),
        cmocka_unit_test_setup(names_the_variables_that_each_verb_misses, forget),
        cmocka_unit_test_setup(logs_an_error_that_cannot_be_answered, forget),
        cmocka_unit_test_setup(answers_in_the_request_s_version, forget),
        cmocka_unit_test_setup(gc_collects_only_what_is_dead_and_gone, forget),
        cmocka_unit_test_setup(gc_fails_if_the_kernel_refuses, forget),
        cmocka_unit_test_setup(status_asks_the_chosen_backend, forget),
        cmocka_unit_test_setup(gates_verbs_by_version, forget),
        cmocka_unit_test_setup(version_reads_no_input, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
