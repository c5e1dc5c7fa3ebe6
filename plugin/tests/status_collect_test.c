/*
 * What status makes of a node: who is open, who has only the verdict for others, what is left of
 * whom.
 */
#include "fake_fence.h"
#include "pods_world.h"

#include "kernel/backends.h"
#include "node/pods/in_force.h"
#include "node/status/status.h"

static bool has_settings;
static bool kernel_lacks; /* what a guard needs */

int __wrap_in_force_load(const struct settings_sources *sources, const char *results_dir,
                         struct settings *out, struct error *err);

int __wrap_in_force_load(const struct settings_sources *sources, const char *results_dir,
                         struct settings *out, struct error *err)
{
    cleanup(json) cJSON *entry = cJSON_Parse("{\"exempt\":[{\"namespace\":\"kube-system\"}]}");

    (void)sources, (void)results_dir;
    if (!has_settings) {
        error_set(err, ERROR_NOT_AVAILABLE, "no entry that can be used");
        return error_details(err, "config key \"deny\" is wrong");
    }
    assert_int_equal(config_parse(entry, &out->config, err), 0);
    out->config.others_pass = settings.config.others_pass;
    out->config.mode = settings.config.mode;
    out->network = strdup("aws-cni");
    return names_add(&out->networks, "aws-cni", err);
}

int __wrap_guards_probe_as(const struct config *config, const struct terms *terms,
                           struct error *err);

int __wrap_guards_probe_as(const struct config *config, const struct terms *terms,
                           struct error *err)
{
    (void)config;
    assert_true(terms->endpoint_count > 0);
    if (!kernel_lacks)
        return 0;
    error_set(err, ERROR_KERNEL, "no nf_tables here");
    return error_details(err, "nor iptables: no mangle here");
}

static int forget(void **state)
{
    kernel_lacks = false;
    has_settings = true;
    settings.config.others_pass = false;
    settings.config.mode = MODE_ENFORCE;
    return make_node_anew(state);
}

static struct status collect(const struct sandbox *pods, size_t count)
{
    const struct status_options options = {.sources = {.conf_dir = "unused"},
                                           .results_dir = "unused"};
    struct status status = {0};
    struct error err = {0};

    cache_pods(pods, count);
    assert_int_equal(status_collect(&options, &status, &err), 0);
    return status;
}

/* The one pod's state, and the exit code that goes with it. */
static void expect_state(const struct sandbox *pod, enum status_state state, const char *reason,
                         enum status_exit code)
{
    cleanup(status) struct status status = collect(pod, 1);

    assert_int_equal(status.row_count, 1);
    if (status.rows[0].state != state || strstr(status.rows[0].reason, reason) == NULL)
        fail_msg("%s (%s)", status_state_name(status.rows[0].state), status.rows[0].reason);
    assert_int_equal(status_exit_code(&status), code);
}

static const struct sandbox plain = {"x", "/eni1", "eni1", NULL, 1};
static const struct sandbox exempt = {"x", "/eni1", "eni1", "kube-system", 1};

static void a_pods_state_is_what_becomes_of_its_packets(void **state)
{
    static const struct {
        const struct sandbox *pod;
        const char *held; /* NULL: no table at all */
        enum status_state state;
        enum status_exit code;
        const char *reason;
    } cases[] = {
        {&plain, "eni1=drop:x", STATUS_STATE_GUARDED, STATUS_IN_FORCE, ""},
        {&plain, "eni1=drop:y", STATUS_STATE_GUARDED, STATUS_IN_FORCE, "another attachment"},
        {&plain, "", STATUS_STATE_UNGUARDED, STATUS_IN_FORCE, "it has the verdict for others"},
        {&plain, "eni1=drop:x/4", STATUS_STATE_UNGUARDED, STATUS_IN_FORCE, "one address family"},
        {&plain, "eni1=pass:x", STATUS_STATE_OPEN, STATUS_WRONG, "packets pass"},
        {&plain, "eni1=reject:x", STATUS_STATE_WRONG, STATUS_WRONG, "in another way"},
        {&plain, NULL, STATUS_STATE_OPEN, STATUS_WRONG, "packets pass"},
        {&exempt, "eni1=pass:x", STATUS_STATE_GUARDED, STATUS_IN_FORCE, ""},
        {&exempt, "", STATUS_STATE_WRONG, STATUS_WRONG, "denied that should pass"},
        {&exempt, NULL, STATUS_STATE_UNGUARDED, STATUS_WRONG, "verdict for others"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        forget(state);
        if (cases[i].held)
            holds(&node.holdings, NFTABLES, VERDICT_DROP, cases[i].held);
        expect_state(cases[i].pod, cases[i].state, cases[i].reason, cases[i].code);
    }
}

static void where_others_pass_a_pod_without_a_guard_is_open(void **state)
{
    (void)state;
    settings.config.others_pass = true;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "");
    expect_state(&plain, STATUS_STATE_OPEN, "packets pass", STATUS_WRONG);
    settings.config.mode = MODE_AUDIT;
    expect_state(&plain, STATUS_STATE_UNGUARDED, "verdict for others", STATUS_IN_FORCE);
}

/* Nobody can say what it should have, but what it gets. */
static void a_pod_that_cannot_be_looked_at_is_as_good_as_others(void **state)
{
    const struct sandbox locked = {"x", "/locked", "eni1", NULL, 1};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    expect_state(&locked, STATUS_STATE_UNGUARDED,
                 "as good as the verdict for others: /locked may not be looked into",
                 STATUS_UNKNOWN);
    forget(state);
    settings.config.others_pass = true;
    expect_state(&locked, STATUS_STATE_OPEN, "/locked may not be looked into", STATUS_WRONG);
    settings.config.mode = MODE_AUDIT;
    expect_state(&locked, STATUS_STATE_UNGUARDED, "may not be looked into", STATUS_UNKNOWN);
}

/* Its eth0 is no veth of the node's, and its other interface may be. */
static void a_pod_that_no_guard_can_stand_for_is_as_good_as_others(void **state)
{
    const struct sandbox stray = {"x", "/astray", "", NULL, 1};
    const struct sandbox half = {"x", "/astray", "eni1", NULL, 1};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    expect_state(&half, STATUS_STATE_UNGUARDED, "its other end is not in the node's",
                 STATUS_IN_FORCE);
    forget(state);
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    expect_state(&stray, STATUS_STATE_UNGUARDED, "its other end is not in the node's",
                 STATUS_IN_FORCE);
    forget(state);
    settings.config.others_pass = true;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "eni1=drop:x");
    expect_state(&half, STATUS_STATE_OPEN, "its other end is not in the node's", STATUS_WRONG);
}

static void a_pod_without_any_interface_is_being_torn_down(void **state)
{
    const struct sandbox bare = {"x", "/bare", "eni1", NULL, 1};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    expect_state(&bare, STATUS_STATE_DETACHED, "no interface", STATUS_IN_FORCE);
}

static void others_have_a_row_a_backend_and_a_verdict_together(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "");
    holds(&node.holdings, IPTABLES, VERDICT_DROP, "");
    node.holdings.items[NFTABLES].listing.others.packets = 3;
    node.holdings.items[IPTABLES].listing.others.bytes = 60;
    cleanup(status) struct status status = collect(NULL, 0);
    assert_int_equal(status.others_count, 2);
    assert_string_equal(status.others[0].backend, "nftables");
    assert_int_equal(status.others[0].others.packets, 3);
    assert_int_equal(status.others[1].others.bytes, 60);
    assert_true(status.others[1].in_force);
    assert_int_equal(status.others_verdict, VERDICT_DROP);
    assert_false(status.others_wrong);
    assert_int_equal(status_exit_code(&status), STATUS_IN_FORCE);
}

static void others_that_pass_where_they_shall_not_are_a_problem(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "eni1=drop:x");
    cleanup(status) struct status status = collect(&plain, 1);
    assert_int_equal(status_count(&status, STATUS_STATE_GUARDED), 1);
    assert_true(status.others_wrong);
    assert_int_equal(status.problems.count, 1);
    assert_non_null(strstr(status.problems.items[0].text, "is pass, not drop as configured"));
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
}

/* Where sync could do nothing, it is not what to do. */
static void what_the_kernel_lacks_is_told(void **state)
{
    (void)state;
    kernel_lacks = true;
    cleanup(status) struct status status = collect(NULL, 0);
    cache_free(&node.cache);
    assert_int_equal(status.problems.count, 1);
    assert_non_null(strstr(status.problems.items[0].text,
                           "as configured: no nf_tables here; nor iptables: no mangle here"));
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
}

static void a_damaged_skeleton_is_one_problem_and_leaves_all_open(void **state)
{
    struct listing *listing = &node.holdings.items[NFTABLES].listing;

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    listing_fault(listing, "chain x is gone");
    listing_fault(listing, "chain y is gone");
    cleanup(status) struct status status = collect(&plain, 1);
    assert_int_equal(status.rows[0].state, STATUS_STATE_OPEN);
    assert_false(status.others[0].in_force);
    assert_int_equal(status.problems.count, 2); /* and that others pass */
    assert_non_null(strstr(status.problems.items[0].text, "chain x is gone; chain y is gone"));
    assert_int_equal(status_exit_code(&status), STATUS_WRONG);
}

static void what_no_plan_has_is_shown_by_its_owner(void **state)
{
    (void)state;
    node.links = "eni1 eni2";
    /* z's ADD is under way, and y is gone with its interface. */
    holds(&node.holdings, NFTABLES, VERDICT_DROP,
          "eni1=drop:x eni2=pass:z eni9=drop:y eni8=drop:-");
    cleanup(status) struct status status = collect(&plain, 1);
    assert_int_equal(status.row_count, 3);
    assert_string_equal(status.rows[0].container_id, "x");
    assert_string_equal(status.rows[1].container_id, "z");
    assert_int_equal(status.rows[1].state, STATUS_STATE_GUARDED);
    assert_string_equal(status.rows[2].container_id, "y");
    assert_int_equal(status.rows[2].state, STATUS_STATE_LEFTOVER);
    assert_int_equal(status_exit_code(&status), STATUS_IN_FORCE);
}

/* A rule for each family, one of them another pod's: a reader sees one guard, counted whole. */
static void families_that_differ_are_one_guard(void **state)
{
    struct held *held;

    (void)state;
    holds(&node.holdings, IPTABLES, VERDICT_DROP, "eni1=drop:x/4 eni1=drop:y/6");
    held = node.holdings.items[IPTABLES].listing.held;
    held[0].packets = 3;
    held[1].packets = 4;
    cleanup(status) struct status status = collect(&plain, 1);
    assert_int_equal(status.row_count, 1);
    assert_int_equal(status.rows[0].guard_count, 1);
    assert_int_equal(status.rows[0].guards[0].packets, 7);
    assert_int_equal(status.rows[0].guards[0].families, BOTH);
}

static void a_backend_that_cannot_be_read_leaves_it_unknown(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    node.holdings.items[IPTABLES].unread = strdup("iptables: it is broken");
    cleanup(status) struct status status = collect(&plain, 1);
    assert_int_equal(status.rows[0].state, STATUS_STATE_GUARDED);
    assert_non_null(strstr(status.problems.items[0].text, "iptables: it is broken"));
    assert_int_equal(status_exit_code(&status), STATUS_UNKNOWN);
}

static void without_a_configuration_it_is_what_the_kernel_holds(void **state)
{
    (void)state;
    has_settings = false;
    node.links = "eni1";
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "eni1=drop:x");
    cleanup(status) struct status status = collect(NULL, 0);
    cache_free(&node.cache);
    assert_int_equal(status.row_count, 1);
    assert_string_equal(status.rows[0].pod, "web-0");
    assert_non_null(strstr(status.problems.items[0].text,
                           "no entry that can be used; config key \"deny\" is wrong"));
    assert_false(status.others_wrong);
    assert_int_equal(status_exit_code(&status), STATUS_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, forget, free_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pods_state_is_what_becomes_of_its_packets),
        TEST(where_others_pass_a_pod_without_a_guard_is_open),
        TEST(a_pod_that_cannot_be_looked_at_is_as_good_as_others),
        TEST(a_pod_that_no_guard_can_stand_for_is_as_good_as_others),
        TEST(a_pod_without_any_interface_is_being_torn_down),
        TEST(others_have_a_row_a_backend_and_a_verdict_together),
        TEST(others_that_pass_where_they_shall_not_are_a_problem),
        TEST(what_the_kernel_lacks_is_told),
        TEST(a_damaged_skeleton_is_one_problem_and_leaves_all_open),
        TEST(what_no_plan_has_is_shown_by_its_owner),
        TEST(families_that_differ_are_one_guard),
        TEST(a_backend_that_cannot_be_read_leaves_it_unknown),
        TEST(without_a_configuration_it_is_what_the_kernel_holds),
    };

    return cmocka_run_group_tests(tests, make_settings, free_settings);
}
