/*
 * Every allocation of every verb fails once, and then all from there on. What must hold each time:
 * the exit code says whether it worked, standard output has one JSON object or nothing, nothing
 * leaks (the sanitizer looks), and an ADD takes nothing back.
 *
 * cJSON gets the functions that fail as hooks.
 */
#include "fake_kernel.h"
#include "starving.h"

/* The streams and the reading of the answer allocate too, and must not fail. */
static struct call run_scarce(const char *command, const char *input, unsigned long from, bool all,
                              bool *refused)
{
    char variable[64];
    char *environment[] = {variable,
                           (char[]){"CNI_CONTAINERID=4f3c"},
                           (char[]){"CNI_NETNS=/run/netns/x"},
                           (char[]){"CNI_IFNAME=eth0"},
                           (char[]){"CNI_ARGS=K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0"},
                           (char[]){"CNI_PATH=/opt/cni/bin"},
                           NULL};
    cleanup(close_fd) int in = input_of(input);
    struct call call = {0};
    char text[4096] = "";
    char log_text[4096] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    FILE *log = fmemopen(log_text, sizeof(log_text), "w");

    snprintf(variable, sizeof(variable), "CNI_COMMAND=%s", command);
    forget(NULL);
    memory_ends(from, all);
    call.code = cni_run(environment, in, out, log);
    *refused = memory_is_back();
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(log), 0);
    call.out = strdup(text);
    call.log = strdup(log_text);
    call.out_length = strlen(text);
    call.log_length = strlen(log_text);
    return call;
}

static void judge(const char *command, const struct call *call)
{
    struct span written = {.start = call->out, .length = call->out_length};
    cleanup(json) cJSON *answer = NULL;
    struct error err;

    if (call->out_length > 0)
        assert_int_equal(json_parse(written, &answer, &err), 0);
    if (call->code == 0) {
        assert_null(cJSON_GetObjectItem(answer, "code"));
        assert_true(strcmp(command, "ADD") != 0 || answer);
        return;
    }
    assert_int_equal(call->code, 1);
    assert_true(answer ? cJSON_GetObjectItem(answer, "code") != NULL : call->log_length > 0);
    assert_true(strcmp(command, "ADD") != 0 || kernel.removed_owners + kernel.removed == 0);
}

/* Until a call gets by without needing the allocation that would fail. */
static void starve_verb(const char *command, const char *input)
{
    unsigned long from = 0;
    bool failed = true;

    while (failed) {
        from++;
        assert_true(from < 10000);
        failed = false;
        for (int all = 0; all < 2; all++) {
            bool refused;
            cleanup(call) struct call call = run_scarce(command, input, from, all, &refused);

            failed |= refused;
            judge(command, &call);
        }
    }
    assert_true(from > 5);
}

static void starves_add(void **state)
{
    (void)state;
    starve_verb("ADD",
                "{" HEAD ", \"exempt\": [{\"namespace\": \"x\", \"annotation\": {\"a\": \"b\"}}],"
                " \"endpoints\": [\"10.0.0.1\"], \"prevResult\": " RESULT "}");
}

static void starves_check(void **state)
{
    (void)state;
    starve_verb("CHECK", CONFIG);
}

static void starves_del(void **state)
{
    (void)state;
    starve_verb("DEL", CONFIG);
    starve_verb("DEL", "{" HEAD ", \"mode\": 1, \"prevResult\": 1}");
    starve_verb("DEL", "{" HEAD ", \"prev\\u0052esult\": " RESULT "}");
}

static void starves_gc_status_and_version(void **state)
{
    (void)state;
    starve_verb("GC", "{" HEAD ", \"cni.dev/attachments\": [{\"containerID\": \"a\", \"ifname\": "
                      "\"b\"}]}");
    starve_verb("STATUS", "{" HEAD "}");
    starve_verb("VERSION", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_add),
        cmocka_unit_test(starves_check),
        cmocka_unit_test(starves_del),
        cmocka_unit_test(starves_gc_status_and_version),
    };
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

    cJSON_InitHooks(&hooks);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
