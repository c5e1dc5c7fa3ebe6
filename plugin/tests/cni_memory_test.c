/*
 * Every allocation of every verb fails once, and then all from there on. What must hold each time:
 * the exit code says whether it worked, standard output has one JSON object or nothing, nothing
 * leaks (the sanitizer looks), and an ADD takes nothing back.
 *
 * The linker hands our objects the __wrap_ functions (CMakeLists.txt); cJSON gets them as hooks.
 */
#include "fake_kernel.h"

static unsigned long allocations; /* so far, in the call under test */
static unsigned long fail_from;   /* this one fails; counted from 1 */
static unsigned long fail_to;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strndup(const char *text, size_t length);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strndup(const char *text, size_t length);
char *__wrap_strdup(const char *text);

static bool fails(void)
{
    allocations++;
    return allocations >= fail_from && allocations <= fail_to;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strndup(const char *text, size_t length)
{
    return fails() ? NULL : __real_strndup(text, length);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static bool failed_in_this_call(void)
{
    return allocations >= fail_from;
}

/* The streams and the reading of the answer allocate too, and must not fail. */
static struct call run_scarce(const char *command, const char *input, unsigned long from,
                              unsigned long to)
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
    allocations = 0;
    fail_from = from;
    fail_to = to;
    call.code = cni_run(environment, in, out, log);
    fail_to = 0;
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
static void starve(const char *command, const char *input)
{
    unsigned long from = 0;
    bool failed = true;

    while (failed) {
        from++;
        assert_true(from < 10000);
        failed = false;
        for (int all = 0; all < 2; all++) {
            cleanup(call) struct call call =
                run_scarce(command, input, from, all ? (unsigned long)-1 : from);

            failed |= failed_in_this_call();
            judge(command, &call);
        }
    }
    assert_true(from > 5);
}

static void starves_add(void **state)
{
    (void)state;
    starve("ADD", "{" HEAD ", \"exempt\": [{\"namespace\": \"x\", \"annotation\": {\"a\": \"b\"}}],"
                  " \"endpoints\": [\"10.0.0.1\"], \"prevResult\": " RESULT "}");
}

static void starves_check(void **state)
{
    (void)state;
    starve("CHECK", CONFIG);
}

static void starves_del(void **state)
{
    (void)state;
    starve("DEL", CONFIG);
    starve("DEL", "{" HEAD ", \"mode\": 1, \"prevResult\": 1}");
    starve("DEL", "{" HEAD ", \"prev\\u0052esult\": " RESULT "}");
}

static void starves_gc_status_and_version(void **state)
{
    (void)state;
    starve("GC", "{" HEAD ", \"cni.dev/attachments\": [{\"containerID\": \"a\", \"ifname\": "
                 "\"b\"}]}");
    starve("STATUS", "{" HEAD "}");
    starve("VERSION", "");
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

    fail_from = (unsigned long)-1;
    cJSON_InitHooks(&hooks);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
