/* ADD, CHECK and DEL: what they ask of the kernel, and what they answer. */
#include "fake_kernel.h"

static void add_guards_and_prints_the_result_unchanged(void **state)
{
    (void)state;
    cleanup(call) struct call call =
        run("ADD", "{" HEAD ", \"backend\": \"nftables\", \"lockTimeoutSeconds\": 3, "
                   "\"prevResult\": " RESULT "}");
    assert_int_equal(call.code, 0);
    assert_string_equal(call.out, RESULT "\n");
    assert_int_equal(call.log_length, 0);
    assert_int_equal(kernel.applied, 1);
    assert_int_equal(kernel.removed_owners, 0);
    assert_int_equal(kernel.choice, BACKEND_NFTABLES);
    assert_int_equal(kernel.lock_timeout, 3);
    assert_string_equal(kernel.plan.tag, "aws-cni/4f3c/eth0 1 default/web-0");
    assert_int_equal(kernel.plan.guard_count, 1);
    assert_string_equal(kernel.guards[0].interface, "eni0");
    assert_int_equal(kernel.guards[0].verdict, VERDICT_DROP);
}

static void add_lets_an_exempt_pod_pass(void **state)
{
    (void)state;
    cleanup(call) struct call call =
        run("ADD", "{" HEAD ", \"exempt\": [{\"namespace\": \"default\", \"pod\": \"web-*\", "
                   "\"annotation\": {\"a\": \"b\"}}], \"runtimeConfig\": "
                   "{\"io.kubernetes.cri.pod-annotations\": {\"a\": \"b\"}}, "
                   "\"prevResult\": " RESULT "}");
    assert_int_equal(call.code, 0);
    assert_int_equal(kernel.guards[0].verdict, VERDICT_PASS);
}

static void add_lets_host_networking_through(void **state)
{
    (void)state;
    kernel.host_network = true;
    cleanup(call) struct call call = run("ADD", CONFIG);
    assert_int_equal(call.code, 0);
    assert_string_equal(call.out, RESULT "\n");
    assert_int_equal(kernel.applied, 0);
}

static void add_fails_before_it_has_touched_anything(void **state)
{
    (void)state;
    kernel.no_such_netns = true;
    cleanup(call) struct call netns = run("ADD", CONFIG);
    expect_error(&netns, ERROR_INVALID_NETNS, "/run/netns/x");
    kernel.no_such_netns = false;
    kernel.no_links = true;
    cleanup(call) struct call links = run("ADD", CONFIG);
    expect_error(&links, ERROR_NOTHING_TO_GUARD, "");
    assert_non_null(strstr(links.out, "eni0"));
    cleanup(call) struct call alone = run("ADD", "{" HEAD "}");
    expect_error(&alone, ERROR_INVALID_CONFIG, "must come after another plugin");
    assert_int_equal(kernel.applied, 0);
    assert_int_equal(kernel.removed_owners, 0);
}

/* Of an entry of its own, an ADD knows only that: what stands for the node it may tighten. */
static void add_tells_what_holds_for_others_and_leaves_it_to_the_backend(void **state)
{
    (void)state;
    cleanup(call) struct call call = run("ADD", CONFIG);
    assert_int_equal(call.code, 0);
    assert_int_equal(kernel.terms.others, VERDICT_DROP);
    assert_false(kernel.terms.exactly);
    cleanup(call) struct call audit =
        run("ADD", "{" HEAD ", \"mode\": \"audit\", \"prevResult\": " RESULT "}");
    assert_int_equal(audit.code, 0);
    assert_int_equal(kernel.terms.others, VERDICT_PASS);
    assert_false(kernel.terms.exactly);
    assert_int_equal(kernel.guards[0].verdict, VERDICT_PASS);
}

/* Whatever stands by then denies, and the runtime owes the DEL. */
static void add_takes_nothing_back_after_a_failure(void **state)
{
    (void)state;
    kernel.refuses_apply = true;
    cleanup(call) struct call call = run("ADD", CONFIG);
    expect_error(&call, ERROR_TRY_AGAIN, "the lock is held");
    assert_int_equal(kernel.applied, 1);
    assert_int_equal(kernel.removed_owners + kernel.removed, 0);
}

static void add_fails_where_it_cannot_report(void **state)
{
    char *environment[] = {(char[]){"CNI_COMMAND=ADD"}, (char[]){"CNI_CONTAINERID=4f3c"},
                           (char[]){"CNI_NETNS=/x"}, (char[]){"CNI_IFNAME=eth0"}, NULL};
    cleanup(close_fd) int in = input_of(CONFIG);
    FILE *full = fopen("/dev/full", "we");
    char *log_text = NULL;
    size_t log_length = 0;
    FILE *log = open_memstream(&log_text, &log_length);

    (void)state;
    assert_non_null(full);
    assert_int_equal(cni_run(environment, in, full, log), 1);
    assert_int_equal(fclose(full), 0);
    assert_int_equal(fclose(log), 0);
    assert_int_equal(kernel.applied, 1);
    assert_int_equal(kernel.removed_owners + kernel.removed, 0);
    assert_string_equal(log_text, "imds-guard: ADD: write to standard output: No space left on "
                                  "device\n");
    free(log_text);
}

static void check_compares_with_the_plan(void **state)
{
    (void)state;
    cleanup(call) struct call good = run("CHECK", CONFIG);
    expect_silence(&good);
    assert_int_equal(kernel.checked, 1);
    assert_int_equal(kernel.terms.others, VERDICT_DROP);
    assert_string_equal(kernel.guards[0].interface, "eni0");
    kernel.lacks_guards = true;
    cleanup(call) struct call bad = run("CHECK", CONFIG);
    expect_error(&bad, ERROR_GUARD_MISSING, "eni0: no guard");
    kernel.no_such_netns = true;
    cleanup(call) struct call gone = run("CHECK", CONFIG);
    expect_error(&gone, ERROR_INVALID_NETNS, "/run/netns/x");
    assert_int_equal(kernel.applied + kernel.removed_owners + kernel.removed, 0);
}

static void check_says_why_no_guard_can_be_made(void **state)
{
    (void)state;
    kernel.lacks_guards = true;
    kernel.refuses_probe = true;
    cleanup(call) struct call call = run("CHECK", CONFIG);
    expect_error(&call, ERROR_KERNEL, "no CAP_NET_ADMIN");
    assert_int_equal(kernel.applied + kernel.removed_owners + kernel.removed, 0);
}

static void status_asks_for_what_pods_may_be_denied_with(void **state)
{
    static const struct {
        const char *keys;
        enum verdict needed;
    } cases[] = {
        {"\"deny\": \"reject\"", VERDICT_REJECT},
        {"\"deny\": \"reject\", \"others\": \"pass\"", VERDICT_REJECT},
        {"\"deny\": \"reject\", \"mode\": \"audit\"", VERDICT_PASS},
        {"\"others\": \"pass\"", VERDICT_DROP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text), "{" HEAD ", %s}", cases[i].keys);
        cleanup(call) struct call call = run("STATUS", text);
        expect_silence(&call);
        assert_int_equal(kernel.probed_for, cases[i].needed);
    }
}

static void check_expects_nothing_of_host_networking(void **state)
{
    (void)state;
    kernel.host_network = true;
    cleanup(call) struct call call = run("CHECK", CONFIG);
    expect_silence(&call);
    assert_int_equal(kernel.checked, 0);
}

static void del_needs_only_a_name(void **state)
{
    char *environment[] = {(char[]){"CNI_COMMAND=DEL"}, (char[]){"CNI_CONTAINERID=4f3c"},
                           (char[]){"CNI_NETNS="}, (char[]){"CNI_IFNAME=eth0"}, NULL};

    (void)state;
    cleanup(call) struct call call =
        run_environment(environment, "{" HEAD ", \"mode\": 7, \"prevResult\": []}");
    expect_silence(&call);
    assert_int_equal(kernel.removed_owners, 1);
    assert_string_equal(kernel.owner, "aws-cni/4f3c/eth0 1 -");
    assert_false(kernel.has_hints);
    assert_int_equal(kernel.gathered, 0); /* never enters the pod */
}

static void del_looks_first_where_guards_are_likely(void **state)
{
    (void)state;
    cleanup(call) struct call call = run("DEL", CONFIG);
    expect_silence(&call);
    assert_true(kernel.has_hints);
    assert_int_equal(kernel.hint_count, 1);
    assert_string_equal(kernel.hints[0], "eni0");
    cleanup(call) struct call without = run("DEL", "{" HEAD ", \"prevResult\": {}}");
    expect_silence(&without);
    assert_false(kernel.has_hints);
}

static void del_succeeds_with_a_guard_left(void **state)
{
    (void)state;
    kernel.refuses_remove = true;
    cleanup(call) struct call call = run("DEL", CONFIG);
    assert_int_equal(call.code, 0);
    assert_int_equal(call.out_length, 0);
    assert_non_null(strstr(call.log, "imds-guard: DEL of aws-cni/4f3c/eth0: the lock is held; "));
    assert_ptr_equal(strchr(call.log, '\n'), call.log + call.log_length - 1);
}

static void del_fails_for_a_request_that_makes_no_sense(void **state)
{
    (void)state;
    cleanup(call) struct call version = run("DEL", "{\"cniVersion\": \"0.2.0\", \"name\": \"a\"}");
    expect_error(&version, ERROR_INCOMPATIBLE_VERSION, "0.2.0");
    cleanup(call) struct call name = run("DEL", "{\"cniVersion\": \"1.0.0\"}");
    expect_error(&name, ERROR_INVALID_CONFIG, "name");
    assert_int_equal(kernel.removed_owners, 0);
}

static void del_has_nothing_to_do_for_an_owner_too_long(void **state)
{
    char id[OWNER_BYTES_MAX + 32];
    char *environment[] = {(char[]){"CNI_COMMAND=DEL"}, id, (char[]){"CNI_IFNAME=eth0"}, NULL};
    int start = snprintf(id, sizeof(id), "CNI_CONTAINERID=");

    (void)state;
    memset(id + start, 'a', OWNER_BYTES_MAX);
    id[start + OWNER_BYTES_MAX] = '\0';
    cleanup(call) struct call call = run_environment(environment, "{" HEAD "}");
    expect_silence(&call);
    assert_int_equal(kernel.removed_owners, 0);
}

static void privileges_shrink_before_the_kernel_is_asked(void **state)
{
    (void)state;
    cleanup(call) struct call add = run("ADD", CONFIG);
    assert_int_equal(kernel.drops, 3);
    assert_int_equal(kernel.privileges[0], PRIVILEGES_FENCE | PRIVILEGES_POD);
    assert_int_equal(kernel.privileges[1], PRIVILEGES_FENCE); /* once it has been in the pod */
    assert_int_equal(kernel.privileges[2], PRIVILEGES_RULES); /* before any rule is written */
    cleanup(call) struct call del = run("DEL", CONFIG);
    assert_int_equal(kernel.drops, 5);
    assert_int_equal(kernel.privileges[3], PRIVILEGES_FENCE);
    assert_int_equal(kernel.privileges[4], PRIVILEGES_RULES);
}

#define WITH_FENCE(key) "{" HEAD ", \"exitFence\": \"" key "\", \"prevResult\": " RESULT "}"

static void every_verb_sees_to_the_exit_fence(void **state)
{
    (void)state;
    cleanup(call) struct call add = run("ADD", CONFIG);
    assert_int_equal(add.code, 0);
    assert_int_equal(kernel.fenced, 1);
    cleanup(call) struct call check = run("CHECK", CONFIG);
    expect_silence(&check);
    assert_int_equal(kernel.fence_checked, 1);
    cleanup(call) struct call del = run("DEL", CONFIG);
    expect_silence(&del);
    assert_int_equal(kernel.fence_pruned, 1);
    kernel.host_network = true;
    cleanup(call) struct call host = run("ADD", CONFIG);
    assert_int_equal(host.code, 0);
    assert_int_equal(kernel.fenced, 1);
}

static void an_exit_fence_that_is_off_is_left_alone(void **state)
{
    (void)state;
    cleanup(call) struct call add = run("ADD", WITH_FENCE("off"));
    cleanup(call) struct call check = run("CHECK", WITH_FENCE("off"));
    cleanup(call) struct call del = run("DEL", WITH_FENCE("off"));
    cleanup(call) struct call status = run("STATUS", WITH_FENCE("off"));
    assert_int_equal(add.code + check.code + del.code + status.code, 0);
    assert_int_equal(
        kernel.fenced + kernel.fence_checked + kernel.fence_pruned + kernel.fence_probed, 0);
}

static void without_an_exit_fence_pods_start_all_the_same(void **state)
{
    (void)state;
    kernel.has_no_fence = true;
    cleanup(call) struct call add = run("ADD", CONFIG);
    assert_int_equal(add.code, 0);
    assert_int_equal(kernel.applied, 1);
    cleanup(call) struct call check = run("CHECK", CONFIG);
    expect_silence(&check);
    cleanup(call) struct call del = run("DEL", CONFIG);
    expect_silence(&del);
    cleanup(call) struct call status = run("STATUS", CONFIG);
    assert_int_equal(status.code, 0);
    assert_non_null(strstr(status.log, "without an exit fence: the kernel has no tcx"));
}

static void an_exit_fence_that_is_required_is_a_condition(void **state)
{
    (void)state;
    kernel.has_no_fence = true;
    cleanup(call) struct call add = run("ADD", WITH_FENCE("require"));
    expect_error(&add, ERROR_KERNEL, "exitFence is \"require\": the kernel has no tcx");
    assert_int_equal(kernel.applied, 0);
    cleanup(call) struct call check = run("CHECK", WITH_FENCE("require"));
    expect_error(&check, ERROR_KERNEL, "no tcx");
    cleanup(call) struct call status = run("STATUS", WITH_FENCE("require"));
    expect_error(&status, ERROR_NOT_AVAILABLE, "no tcx");
    cleanup(call) struct call del = run("DEL", WITH_FENCE("require"));
    expect_silence(&del);
}

static void check_misses_an_exit_fence_that_could_stand(void **state)
{
    (void)state;
    kernel.lacks_fence = true;
    cleanup(call) struct call call = run("CHECK", CONFIG);
    expect_error(&call, ERROR_GUARD_MISSING, "the exit fence is not whole");
    kernel.lacks_guards = true; /* worse */
    cleanup(call) struct call both = run("CHECK", CONFIG);
    expect_error(&both, ERROR_GUARD_MISSING, "eni0: no guard");
}

static void add_does_nothing_with_privileges_it_cannot_drop(void **state)
{
    (void)state;
    kernel.refuses_drop = true;
    cleanup(call) struct call add = run("ADD", CONFIG);
    expect_error(&add, ERROR_KERNEL, "cannot drop capabilities");
    assert_int_equal(kernel.gathered + kernel.applied, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(add_guards_and_prints_the_result_unchanged, forget),
        cmocka_unit_test_setup(add_lets_an_exempt_pod_pass, forget),
        cmocka_unit_test_setup(add_lets_host_networking_through, forget),
        cmocka_unit_test_setup(add_fails_before_it_has_touched_anything, forget),
        cmocka_unit_test_setup(add_tells_what_holds_for_others_and_leaves_it_to_the_backend,
                               forget),
        cmocka_unit_test_setup(add_takes_nothing_back_after_a_failure, forget),
        cmocka_unit_test_setup(add_fails_where_it_cannot_report, forget),
        cmocka_unit_test_setup(check_compares_with_the_plan, forget),
        cmocka_unit_test_setup(check_says_why_no_guard_can_be_made, forget),
        cmocka_unit_test_setup(status_asks_for_what_pods_may_be_denied_with, forget),
        cmocka_unit_test_setup(check_expects_nothing_of_host_networking, forget),
        cmocka_unit_test_setup(privileges_shrink_before_the_kernel_is_asked, forget),
        cmocka_unit_test_setup(add_does_nothing_with_privileges_it_cannot_drop, forget),
        cmocka_unit_test_setup(every_verb_sees_to_the_exit_fence, forget),
        cmocka_unit_test_setup(an_exit_fence_that_is_off_is_left_alone, forget),
        cmocka_unit_test_setup(without_an_exit_fence_pods_start_all_the_same, forget),
        cmocka_unit_test_setup(an_exit_fence_that_is_required_is_a_condition, forget),
        cmocka_unit_test_setup(check_misses_an_exit_fence_that_could_stand, forget),
        cmocka_unit_test_setup(del_needs_only_a_name, forget),
        cmocka_unit_test_setup(del_looks_first_where_guards_are_likely, forget),
        cmocka_unit_test_setup(del_succeeds_with_a_guard_left, forget),
        cmocka_unit_test_setup(del_fails_for_a_request_that_makes_no_sense, forget),
        cmocka_unit_test_setup(del_has_nothing_to_do_for_an_owner_too_long, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
