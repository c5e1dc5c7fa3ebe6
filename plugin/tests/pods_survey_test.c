/*
 * What is known of each attachment, and which of them an interface belongs to. `x` is a sandbox that
 * is going, `y` the one that has come in its place.
 */
#include "pods_world.h"

#include "kernel/wanted.h"

#define MANY 800

static size_t looked; /* up, or compared */

const struct held *__real_listing_find(const struct listing *listing, const char *interface,
                                       size_t *count);
const struct held *__wrap_listing_find(const struct listing *listing, const char *interface,
                                       size_t *count);
const struct wanted_guard *__real_wanted_find(const struct wanted *wanted, const char *interface);
const struct wanted_guard *__wrap_wanted_find(const struct wanted *wanted, const char *interface);
bool __real_tags_have_same_owner(const char *a, const char *b);
bool __wrap_tags_have_same_owner(const char *a, const char *b);
int __real_owner_compare(const struct owner *a, const struct owner *b);
int __wrap_owner_compare(const struct owner *a, const struct owner *b);

const struct held *__wrap_listing_find(const struct listing *listing, const char *interface,
                                       size_t *count)
{
    looked++;
    return __real_listing_find(listing, interface, count);
}

const struct wanted_guard *__wrap_wanted_find(const struct wanted *wanted, const char *interface)
{
    looked++;
    return __real_wanted_find(wanted, interface);
}

bool __wrap_tags_have_same_owner(const char *a, const char *b)
{
    looked++;
    return __real_tags_have_same_owner(a, b);
}

int __wrap_owner_compare(const struct owner *a, const struct owner *b)
{
    looked++;
    return __real_owner_compare(a, b);
}

static struct survey survey_pods(const struct sandbox *pods, size_t count)
{
    struct survey survey = {0};
    struct error err = {0};

    cache_pods(pods, count);
    assert_int_equal(survey_take(&settings, "unused", &survey, &err), 0);
    assert_int_equal(survey.count, count);
    return survey;
}

/* "eni1 eni2": the interfaces of its plan; or its state, and that there is none. */
static void expect(const struct survey *survey, size_t at, enum attachment_state state,
                   const char *interfaces)
{
    const struct surveyed *surveyed = &survey->attachments[at];
    char text[128] = "";

    for (size_t i = 0; i < surveyed->plan.guard_count; i++)
        strcat(strcat(text, i > 0 ? " " : ""), surveyed->plan.guards[i].interface);
    assert_int_equal(surveyed->state, state);
    assert_string_equal(text, interfaces);
    if (surveyed->plan.guard_count > 0)
        assert_int_equal(tag_guards(surveyed->plan.tag), surveyed->plan.guard_count);
}

static void one_pod_has_what_its_result_names_and_the_kernel_says(void **state)
{
    const struct sandbox pods[] = {{"x", "/veth9", "eni1", NULL, 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 1);

    (void)state;
    expect(&survey, 0, ATTACHMENT_PLANNED, "eni1 veth9");
    assert_int_equal(survey.attachments[0].plan.guards[0].verdict, VERDICT_DROP);
}

/* It has renamed its eth0: nothing proves its claim, and nothing speaks against it. */
static void a_name_will_do_where_nobody_else_claims(void **state)
{
    const struct sandbox pods[] = {{"x", "/alone", "eni1", NULL, 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 1);

    (void)state;
    expect(&survey, 0, ATTACHMENT_PLANNED, "eni1");
}

static void a_successor_that_the_kernel_proves_wins(void **state)
{
    const struct sandbox pods[] = {{"x", "/alone", "eni1", NULL, 2},
                                   {"y", "/eni1", "eni1", NULL, 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 2);

    (void)state;
    expect(&survey, 0, ATTACHMENT_REPLACED, "");
    expect(&survey, 1, ATTACHMENT_PLANNED, "eni1");
}

/* Even where it is the laxer one: it is its own. */
static void an_exempt_pod_that_the_kernel_proves_wins(void **state)
{
    const struct sandbox pods[] = {{"x", "/alone", "eni1", NULL, 2},
                                   {"y", "/eni1", "eni1", "kube-system", 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 2);

    (void)state;
    expect(&survey, 0, ATTACHMENT_REPLACED, "");
    expect(&survey, 1, ATTACHMENT_PLANNED, "eni1");
    assert_int_equal(survey.attachments[1].plan.guards[0].verdict, VERDICT_PASS);
}

static void of_unproven_claims_the_stricter_wins_and_then_the_later_written(void **state)
{
    const struct sandbox exempt_later[] = {{"x", "/alone", "eni1", NULL, 1},
                                           {"y", "/alone", "eni1", "kube-system", 2}};
    const struct sandbox second_older[] = {{"x", "/alone", "eni1", NULL, 2},
                                           {"y", "/alone", "eni1", NULL, 1}};
    cleanup(survey) struct survey first = survey_pods(exempt_later, 2);
    cleanup(survey) struct survey second = survey_pods(second_older, 2);

    (void)state;
    expect(&first, 0, ATTACHMENT_PLANNED, "eni1");
    expect(&first, 1, ATTACHMENT_REPLACED, "");
    expect(&second, 0, ATTACHMENT_PLANNED, "eni1");
    expect(&second, 1, ATTACHMENT_REPLACED, "");
}

/* x's process is gone, and its number is now that of one of y's: its path leads to y's pod. */
static void what_is_left_of_a_plan_keeps_its_order_and_counts_itself(void **state)
{
    const struct sandbox pods[] = {{"w", "/eni4", "eni1 eni2 eni3 eni4", NULL, 1},
                                   {"x", "/eni2", "eni1 eni2", NULL, 2},
                                   {"y", "/eni2", "eni2", NULL, 3}};
    cleanup(survey) struct survey survey = survey_pods(pods, 3);

    (void)state;
    expect(&survey, 0, ATTACHMENT_PLANNED, "eni3 eni4");
    expect(&survey, 1, ATTACHMENT_PLANNED, "eni1");
    expect(&survey, 2, ATTACHMENT_PLANNED, "eni2");
}

/* Between the look at the cache, which does not have z, and the one at the rules. */
static void a_name_is_no_claim_upon_what_an_add_has_just_set(void **state)
{
    static const struct {
        const char *netns, *held;
        enum attachment_state state;
    } cases[] = {
        {"/alone", "eni1=drop:z", ATTACHMENT_REPLACED},
        {"/eni1", "eni1=drop:z", ATTACHMENT_PLANNED},
        {"/alone", "eni1=pass:z", ATTACHMENT_PLANNED},
        {"/alone", "eni1=drop:y", ATTACHMENT_PLANNED},
        {"/alone", "eni1=drop:x", ATTACHMENT_PLANNED},
        {"/alone", "eni1=drop:-", ATTACHMENT_PLANNED},
        {"/alone", "eni2=drop:z", ATTACHMENT_PLANNED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sandbox pods[] = {{"x", cases[i].netns, "eni1", NULL, 1},
                                       {"y", "/host", "eni1", NULL, 2}};

        make_node_anew(state);
        holds(&node.holdings, NFTABLES, VERDICT_DROP, cases[i].held);
        cleanup(survey) struct survey survey = survey_pods(pods, 2);
        expect(&survey, 0, cases[i].state, cases[i].state == ATTACHMENT_PLANNED ? "eni1" : "");
    }
}

static void plans_come_by_the_time_of_writing(void **state)
{
    const struct sandbox pods[] = {{"w", "/eni1", "eni1", NULL, 3},
                                   {"x", "/gone", "eni9", NULL, 9},
                                   {"y", "/eni2", "eni2", NULL, 1},
                                   {"z", "/eni3", "eni3", NULL, 2}};
    cleanup(survey) struct survey survey = survey_pods(pods, 4);
    cleanup(free_memory) struct plan *plans = NULL;
    struct error err = {0};
    size_t count = 0;

    (void)state;
    assert_int_equal(survey_plans(&survey, &plans, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(plans[0].guards[0].interface, "eni2");
    assert_string_equal(plans[1].guards[0].interface, "eni3");
    assert_string_equal(plans[2].guards[0].interface, "eni1");
}

static void who_has_nothing_to_guard_is_told_apart(void **state)
{
    const struct sandbox pods[] = {{"v", "/gone", "eni1", NULL, 1},
                                   {"w", "/host", "eni2", NULL, 1},
                                   {"x", "/bare", "eni3", NULL, 1},
                                   {"y", "/alone", "", NULL, 1},
                                   {"z", "/locked", "eni4", NULL, 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 5);

    (void)state;
    expect(&survey, 0, ATTACHMENT_GONE, "");
    expect(&survey, 1, ATTACHMENT_HOST_NETWORK, "");
    expect(&survey, 2, ATTACHMENT_NO_INTERFACE, "");
    expect(&survey, 3, ATTACHMENT_NO_INTERFACE, "");
    expect(&survey, 4, ATTACHMENT_FAILED, "");
    assert_null(survey.attachments[2].reason);
    assert_non_null(strstr(survey.attachments[4].reason, "may not be looked into"));
}

/* A container without the node's /run/netns sees no pod, and must not take all for gone. */
static void one_out_of_sight_does_not_pass_for_one_that_is_gone(void **state)
{
    const struct sandbox pods[] = {{"x", "/gone", "eni1", NULL, 1}};

    (void)state;
    node.links = "eni0 eni1";
    cleanup(survey) struct survey survey = survey_pods(pods, 1);
    expect(&survey, 0, ATTACHMENT_FAILED, "");
    assert_non_null(strstr(survey.attachments[0].reason, "mount /run/netns"));
}

static void one_whose_interface_another_has_by_now_is_gone(void **state)
{
    const struct sandbox pods[] = {{"x", "/gone", "eni1", NULL, 1},
                                   {"y", "/eni1", "eni1", NULL, 2}};

    (void)state;
    node.links = "eni1";
    cleanup(survey) struct survey survey = survey_pods(pods, 2);
    expect(&survey, 0, ATTACHMENT_GONE, "");
    expect(&survey, 1, ATTACHMENT_PLANNED, "eni1");
}

/* Its ADD has set the guard, and the runtime has not written the cache yet. */
static void one_whose_interface_has_a_guard_is_gone(void **state)
{
    const struct sandbox pods[] = {{"x", "/gone", "eni1", NULL, 1}};

    (void)state;
    node.links = "eni1";
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "eni1=drop:y");
    cleanup(survey) struct survey survey = survey_pods(pods, 1);
    expect(&survey, 0, ATTACHMENT_GONE, "");
}

static void another_networks_pods_are_left_alone(void **state)
{
    const struct sandbox pods[] = {{"x", "/eni1", "eni1", NULL, 1}};

    (void)state;
    settings.networks.items[0][0] = 'A';
    cleanup(survey) struct survey survey = survey_pods(pods, 1);
    settings.networks.items[0][0] = 'a';
    expect(&survey, 0, ATTACHMENT_OTHER_NETWORK, "");
}

static void an_attachment_is_found_by_its_tag(void **state)
{
    const struct sandbox pods[] = {{"w", "/eni1", "eni1", NULL, 1},
                                   {"x", "/gone", "eni2", NULL, 1}};
    cleanup(survey) struct survey survey = survey_pods(pods, 2);

    (void)state;
    assert_ptr_equal(survey_find(&survey, "aws-cni/x/eth0 7 -"), &survey.attachments[1]);
    assert_null(survey_find(&survey, "aws-cni/x/eth1 1 -"));
    assert_null(survey_find(&survey, "aws-cni/z/eth0 1 -"));
    assert_null(survey_find(&survey, ""));
}

/* Look-ups and comparisons that it takes to see that all is right, or that nothing is there. */
static size_t look_at(size_t count, bool held)
{
    static char names[2 * MANY][INTERFACE_NAME_SIZE], paths[2 * MANY][INTERFACE_NAME_SIZE + 1];
    static struct sandbox pods[2 * MANY];
    size_t right = 0;

    make_node_anew(NULL);
    holds(&node.holdings, NFTABLES, VERDICT_DROP, "");
    for (size_t i = 0; i < count; i++) {
        struct held guard = {.families = BOTH};
        struct owner owner = {"aws-cni", names[i], "eth0"};

        snprintf(names[i], sizeof(names[i]), "eni%05u", (unsigned)i % 100000);
        snprintf(paths[i], sizeof(paths[i]), "/eni%05u", (unsigned)i % 100000);
        pods[i] = (struct sandbox){names[i], paths[i], names[i], NULL, (long)(i * 7 % count)};
        strcpy(guard.guard.interface, names[i]);
        tag_write(&owner, 1, "default", "web-0", guard.tag);
        if (held)
            listing_add(&node.holdings.items[NFTABLES].listing, &guard);
    }
    looked = 0;
    cleanup(survey) struct survey survey = survey_pods(pods, count);
    for (size_t i = 0; i < count; i++) {
        const struct plan *plan = &survey.attachments[i].plan;

        assert_int_equal(survey.attachments[i].state, ATTACHMENT_PLANNED);
        right += holdings_have(&survey.holdings, &backend_nftables, plan);
        assert_int_equal(holdings_plan_standing(&survey.holdings, plan),
                         held ? STANDING_RIGHT : STANDING_MISSING);
        assert_ptr_equal(survey_find(&survey, plan->tag), &survey.attachments[i]);
    }
    assert_int_equal(right, held ? count : 0);
    return looked;
}

static void a_node_takes_time_by_its_pods_and_not_by_their_square(void **state)
{
    (void)state;
    for (int held = 0; held < 2; held++) {
        size_t once = look_at(MANY, held);
        size_t twice = look_at(2 * MANY, held);

        /* Something is looked up for each, and all of it is counted. */
        assert_true(once >= MANY);
        if (10 * twice > 25 * once)
            fail_msg("%zu look-ups for %d attachments, %zu for %d", once, MANY, twice, 2 * MANY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_node, free_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_pod_has_what_its_result_names_and_the_kernel_says),
        TEST(a_name_will_do_where_nobody_else_claims),
        TEST(a_successor_that_the_kernel_proves_wins),
        TEST(an_exempt_pod_that_the_kernel_proves_wins),
        TEST(of_unproven_claims_the_stricter_wins_and_then_the_later_written),
        TEST(what_is_left_of_a_plan_keeps_its_order_and_counts_itself),
        TEST(plans_come_by_the_time_of_writing),
        TEST(who_has_nothing_to_guard_is_told_apart),
        TEST(a_name_is_no_claim_upon_what_an_add_has_just_set),
        TEST(one_out_of_sight_does_not_pass_for_one_that_is_gone),
        TEST(one_whose_interface_another_has_by_now_is_gone),
        TEST(one_whose_interface_has_a_guard_is_gone),
        TEST(another_networks_pods_are_left_alone),
        TEST(an_attachment_is_found_by_its_tag),
        TEST(a_node_takes_time_by_its_pods_and_not_by_their_square),
    };

    return cmocka_run_group_tests(tests, make_settings, free_settings);
}
