/* What a run writes, and what it says of it. */
#include "fake_fence.h"
#include "pods_world.h"

#include "kernel/backends.h"
#include "node/pods/sync.h"

/* What the kernel was asked for. */
static struct {
    unsigned applied, removed;
    size_t plan_count;
    char tags[4][TAG_SIZE];
    struct terms terms;
    size_t seen; /* guards that were seen before */
    bool has_seen;
} asked;

const struct backend *__wrap_backend_choose(const struct config *config);
int __wrap_guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                        const struct terms *terms, const struct holdings *seen, struct error *err);
int __wrap_guards_apply_as(const struct config *config, const struct backend **chosen,
                           const struct plan *plans, size_t plan_count, const struct terms *terms,
                           const struct holdings *seen, struct error *err);
int __wrap_guards_remove(const struct selection *selection, const struct terms *terms,
                         size_t *removed, struct error *err);

const struct backend *__wrap_backend_choose(const struct config *config)
{
    (void)config;
    return &backend_nftables;
}

int __wrap_guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                        const struct terms *terms, const struct holdings *seen, struct error *err)
{
    (void)err;
    assert_ptr_equal(chosen, &backend_nftables);
    assert_true(plan_count <= 4);
    asked.applied++;
    asked.plan_count = plan_count;
    asked.terms = *terms;
    asked.has_seen = seen != NULL;
    asked.seen = seen ? seen->items[NFTABLES].listing.held_count : 0;
    for (size_t i = 0; i < plan_count; i++)
        strcpy(asked.tags[i], plans[i].tag);
    return 0;
}

int __wrap_guards_apply_as(const struct config *config, const struct backend **chosen,
                           const struct plan *plans, size_t plan_count, const struct terms *terms,
                           const struct holdings *seen, struct error *err)
{
    assert_ptr_equal(config, &settings.config);
    return __wrap_guards_apply(*chosen, plans, plan_count, terms, seen, err);
}

int __wrap_guards_remove(const struct selection *selection, const struct terms *terms,
                         size_t *removed, struct error *err)
{
    (void)terms, (void)err;
    asked.removed++;
    *removed = 0;
    for (size_t i = 0; i < node.holdings.items[NFTABLES].listing.held_count; i++) {
        const struct held *held = &node.holdings.items[NFTABLES].listing.held[i];

        *removed += held->tag[0] != '\0' && selection->goes(held, selection->context);
    }
    return 0;
}

static int forget(void **state)
{
    memset(&asked, 0, sizeof(asked));
    memset(&fence, 0, sizeof(fence));
    settings.config.exit_fence = EXIT_FENCE_AUTO;
    return make_node_anew(state);
}

/* Every note, a line each. */
static void expect_run(const struct sandbox *pods, size_t count, bool dry_run, const char *notes)
{
    const struct sync_options options = {.results_dir = "unused", .dry_run = dry_run};
    cleanup(sync_report) struct sync_report report = {0};
    struct error err = {0};
    char text[2048] = "";

    cache_pods(pods, count);
    assert_int_equal(sync_run(&settings, &options, &report, &err), 0);
    for (size_t i = 0; i < report.notes.count; i++)
        strcat(strcat(text, report.notes.items[i].text), "\n");
    assert_string_equal(text, notes);
    assert_ptr_equal(report.chosen, &backend_nftables);
}

static void expect_written(size_t plans, enum verdict others)
{
    assert_int_equal(asked.applied, 1);
    assert_int_equal(asked.plan_count, plans);
    assert_int_equal(asked.terms.others, others);
    assert_true(asked.terms.exactly);
    assert_true(asked.terms.endpoint_count == 2);
    assert_true(asked.has_seen);
}

static const struct sandbox two[] = {{"x", "/eni1", "eni1", NULL, 1},
                                     {"y", "/eni2", "eni2", "kube-system", 2}};

/* Whoever comes before the first ADD is denied as well. */
static void a_node_without_pods_is_closed(void **state)
{
    (void)state;
    expect_run(NULL, 0, false,
               "set the verdict for interfaces without a guard: drop (nftables); was: pass\n");
    expect_written(0, VERDICT_DROP);
}

static void what_is_right_is_not_written_again(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    expect_run(two, 1, false, "");
    assert_int_equal(asked.applied, 0);
    assert_int_equal(asked.removed, 0);
}

static void only_the_plan_that_is_wrong_is_written(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    expect_run(two, 2, false,
               "guarded kube-system/web-0: eni2 pass (nftables); was: packets are denied that "
               "should pass\n");
    expect_written(1, VERDICT_DROP);
    assert_true(tags_have_same_owner(asked.tags[0], TAG_Y));
}

static void others_are_set_at_once_with_the_guards(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "");
    expect_run(two, 2, false,
               "set the verdict for interfaces without a guard: drop (nftables); was: pass\n"
               "guarded default/web-0: eni1 drop (nftables); was: open: packets pass that should "
               "be denied\n"
               "guarded kube-system/web-0: eni2 pass (nftables); was: no guard of its own: it has "
               "the verdict for others\n");
    expect_written(2, VERDICT_DROP);
}

static void others_that_pass_need_no_rule_but_none_that_denies(void **state)
{
    (void)state;
    settings.config.others_pass = true;
    expect_run(NULL, 0, false, "");
    assert_int_equal(asked.applied, 0);
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    expect_run(NULL, 0, false,
               "set the verdict for interfaces without a guard: pass (nftables); was: drop\n");
    settings.config.others_pass = false;
    expect_written(0, VERDICT_PASS);
}

static void endpoints_and_repairs_and_moves_are_told(void **state)
{
    struct listing *listing = &node.holdings.items[NFTABLES].listing;

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    holds(&node.holdings, IPTABLES, VERDICT_DROP, "");
    listing->surplus = calloc(1, sizeof(*listing->surplus));
    *listing->surplus = (struct endpoint){FAMILY_IPV4, {10, 0, 0, 1}, 32};
    listing->surplus_count = 1;
    expect_run(NULL, 0, false,
               "took 10.0.0.1 from the endpoints (nftables): the configuration does not name it\n"
               "moved all rules from iptables to nftables\n");
    expect_written(0, VERDICT_DROP);

    forget(state);
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    listing_fault(&node.holdings.items[NFTABLES].listing, "chain %s is gone", "x");
    expect_run(NULL, 0, false,
               "set the verdict for interfaces without a guard: drop (nftables); was: pass\n"
               "repaired nftables; was: chain x is gone\n");
    expect_written(0, VERDICT_DROP);
}

static void a_dry_run_tells_the_same_and_writes_nothing(void **state)
{
    (void)state;
    holds(&node.holdings, IPTABLES, VERDICT_PASS, "eni9=drop:z");
    expect_run(two, 1, true,
               "would set the verdict for interfaces without a guard: drop (nftables); was: pass\n"
               "would move all rules from iptables to nftables\n"
               "would guard default/web-0: eni1 drop (nftables); was: open: packets pass that "
               "should be denied\n"
               "would remove 1 guard whose pod and interface are gone\n");
    assert_int_equal(asked.applied, 0);
    assert_int_equal(asked.removed, 0);
}

/* z comes while x is looked at. What the cache has had been set before the rules are read, once. */
static void what_comes_during_the_survey_was_not_seen(void **state)
{
    (void)state;
    node.links = "eni1";
    node.comes = "eni1=pass:z";
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    expect_run(two, 1, false,
               "guarded default/web-0: eni1 drop (nftables); was: no guard of its own: it has the "
               "verdict for others\n");
    expect_written(1, VERDICT_DROP);
    assert_int_equal(asked.seen, 0);
    assert_int_equal(node.holdings.items[NFTABLES].listing.held_count, 1);
    assert_string_equal(node.looks, "chp");
}

static void a_guard_goes_with_its_pod_and_its_interface(void **state)
{
    const struct sandbox pods[] = {{"w", "/gone", "eni4", NULL, 1},
                                   {"x", "/eni1", "eni1", NULL, 1},
                                   {"y", "/bare", "eni3", NULL, 2}};

    (void)state;
    node.links = "eni1 eni2";
    /* Of nobody known, on a link that is there and on one that is not; of the living x elsewhere
     * than its plan says; of y, whose pod is being torn down; of w, that is gone. */
    holds(&node.holdings, NFTABLES, VERDICT_DROP,
          "eni1=drop:x eni2=drop:z eni9=drop:z eni8=drop:x eni3=drop:y eni4=drop:w eni7=drop:-");
    expect_run(pods, 3, false,
               "skipped default/web-0: it has no interface any more\n"
               "skipped 1 cached result whose network namespace is gone\n"
               "removed 3 guards whose pod and interface are gone\n");
    assert_int_equal(asked.removed, 1);
    assert_int_equal(asked.applied, 0);
}

static void a_backend_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    node.holdings.items[IPTABLES].unread = strdup("iptables: it is broken");
    expect_run(two, 1, false, "cannot tell what rules there are: iptables: it is broken\n");
    assert_int_equal(asked.applied, 0);
}

/* What has come since the flush is an ADD's, and none of it is taken over. */
static void what_stood_is_restored_as_it_was(void **state)
{
    const struct sync_options options = {.results_dir = "unused"};
    cleanup(sync_report) struct sync_report report = {0};
    struct error err = {0};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    cache_pods(two, 2);
    assert_int_equal(sync_run(&settings, &options, &report, &err), 0);
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(sync_restore(&settings, &report, &err), 0);
    expect_written(2, VERDICT_DROP);
    assert_int_equal(asked.seen, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, forget, free_node)

static void the_exit_fence_is_put_where_it_is_missing(void **state)
{
    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    fence.missing = true;
    fence.changes = 1;
    expect_run(two, 1, true, "would put the exit fence first on eth0; was: not there\n");
    assert_int_equal(fence.synced, 0);
    expect_run(two, 1, false, "put the exit fence first on eth0; was: not there\n");
    assert_int_equal(fence.synced, 1);
    assert_int_equal(fence.plan_count, 1);
    assert_int_equal(asked.applied, 0);
    fence.missing = false;
    expect_run(two, 1, false, "brought the exit fence's endpoints and verdicts up to date: 1\n");
    fence.changes = 0;
    expect_run(two, 1, false, "");
    settings.config.exit_fence = EXIT_FENCE_OFF;
    expect_run(two, 1, false, "");
    assert_int_equal(fence.synced, 2);
}

static void an_exit_fence_that_cannot_be_is_told_of(void **state)
{
    const struct sync_options options = {.results_dir = "unused"};
    cleanup(sync_report) struct sync_report report = {0};
    struct error err = {0};

    (void)state;
    fence.impossible = true;
    assert_int_equal(sync_run(&settings, &options, &report, &err), 0);
    assert_false(report.fenced);
    assert_string_equal(report.unfenced, "the kernel has no tcx");
}

/* Who is asked about, and whether anyway. */
static char doubted[256];

static bool is_ripe(void *context, const struct owner *owner, bool anyway)
{
    const char *ripe = context;

    strcat(strcat(doubted, owner->container_id), anyway ? "! " : " ");
    return strstr(ripe, owner->container_id) != NULL;
}

static struct sync_report run_patiently(const char *ripe, const char *notes)
{
    const struct sync_options options = {
        .results_dir = "unused", .ripe = is_ripe, .context = (void *)(uintptr_t)ripe};
    struct sync_report report = {0};
    struct error err = {0};
    char text[2048] = "";

    doubted[0] = '\0';
    cache_pods(two, 2);
    assert_int_equal(sync_run(&settings, &options, &report, &err), 0);
    for (size_t i = 0; i < report.notes.count; i++)
        strcat(strcat(text, report.notes.items[i].text), "\n");
    assert_string_equal(text, notes);
    return report;
}

static void what_may_be_a_deletion_is_left_until_it_is_ripe(void **state)
{
    cleanup(sync_report) struct sync_report left = {0}, acted = {0};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    left = run_patiently("", "");
    assert_string_equal(doubted, "y ");
    assert_int_equal(asked.applied, 0);
    assert_int_equal(left.left, 1);
    assert_int_equal(left.plan_count, 2); /* it is known all the same */
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    acted = run_patiently("y", "guarded kube-system/web-0: eni2 pass (nftables); was: packets are "
                               "denied that should pass\n");
    expect_written(1, VERDICT_DROP);
}

static void nobody_is_left_who_is_open_or_whose_node_is_damaged(void **state)
{
    cleanup(sync_report) struct sync_report damaged = {0}, open = {0};

    (void)state;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "");
    damaged = run_patiently(
        "", "set the verdict for interfaces without a guard: drop (nftables); was: pass\n"
            "guarded default/web-0: eni1 drop (nftables); was: open: packets pass that should be "
            "denied\n"
            "guarded kube-system/web-0: eni2 pass (nftables); was: no guard of its own: it has the "
            "verdict for others\n");
    assert_string_equal(doubted, "y! ");
    expect_written(2, VERDICT_DROP);
    memset(&asked, 0, sizeof(asked));
    settings.config.others_pass = true;
    holds(&node.holdings, NFTABLES, VERDICT_PASS, "");
    open = run_patiently("", "guarded default/web-0: eni1 drop (nftables); was: open: packets pass "
                             "that should be denied\n");
    settings.config.others_pass = false;
    assert_string_equal(doubted, "y ");
    expect_written(1, VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_node_without_pods_is_closed),
        TEST(what_is_right_is_not_written_again),
        TEST(what_may_be_a_deletion_is_left_until_it_is_ripe),
        TEST(nobody_is_left_who_is_open_or_whose_node_is_damaged),
        TEST(only_the_plan_that_is_wrong_is_written),
        TEST(others_are_set_at_once_with_the_guards),
        TEST(others_that_pass_need_no_rule_but_none_that_denies),
        TEST(endpoints_and_repairs_and_moves_are_told),
        TEST(a_dry_run_tells_the_same_and_writes_nothing),
        TEST(what_comes_during_the_survey_was_not_seen),
        TEST(a_guard_goes_with_its_pod_and_its_interface),
        TEST(a_backend_that_cannot_be_read_is_told),
        TEST(what_stood_is_restored_as_it_was),
        TEST(the_exit_fence_is_put_where_it_is_missing),
        TEST(an_exit_fence_that_cannot_be_is_told_of),
    };

    return cmocka_run_group_tests(tests, make_settings, free_settings);
}
