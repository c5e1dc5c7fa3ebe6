/* The fence against a kernel of the test's own. */
#include "fake_bpf.h"

static struct endpoint imds[2];
static struct terms terms = {.endpoints = imds, .endpoint_count = 2};
static struct guard pod_guard = {.index = POD, .verdict = VERDICT_REJECT};
static struct guard passing_guard = {.index = POD, .verdict = VERDICT_PASS};
static const struct plan pod = {.guards = &pod_guard, .guard_count = 1};
static const struct plan passing_pod = {.guards = &passing_guard, .guard_count = 1};
static const struct plan nobody = {0};

static int fresh(void **state)
{
    struct error err;

    terms.others = VERDICT_DROP;
    terms.endpoint_count = 2;
    assert_int_equal(endpoint_parse("169.254.169.254", &imds[0], &err), 0);
    assert_int_equal(endpoint_parse("fd00:ec2::254", &imds[1], &err), 0);
    return fresh_kernel(state);
}

static void add(const struct plan *whose)
{
    struct error err = {0};

    if (fence_add(&terms, whose, &err) != 0)
        fail_msg("%s", err.msg);
}

static bool is_right_for(const struct plan *plans)
{
    cleanup(fence_listing) struct fence_listing listing = {0};
    struct error err = {0};

    if (fence_list(NULL, &terms, plans, 1, &listing, &err) != 0)
        fail_msg("%s", err.msg);
    return fence_is_right(&listing, &terms, plans, 1);
}

/* Who has looked knows whether there is anything to do. */
static size_t sync_with(const struct plan *plans)
{
    const bool right = is_right_for(plans);
    struct error err = {0};
    size_t changes = 0;

    if (fence_sync(&terms, plans, 1, &changes, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(right, changes == 0);
    assert_true(is_right_for(plans));
    return changes;
}

static void assert_check_says(const char *text)
{
    struct error err = {0};

    assert_int_equal(fence_check(&terms, &pod, &err), -1);
    assert_int_equal(err.code, ERROR_GUARD_MISSING);
    if (!strstr(err.details, text))
        fail_msg("\"%s\" says nothing of \"%s\"", err.details, text);
}

static void assert_check_passes(void)
{
    struct error err = {0};

    if (fence_check(&terms, &pod, &err) != 0)
        fail_msg("%s: %s", err.msg, err.details);
}

/* --- ADD ---------------------------------------------------------------------------------------- */

static void the_first_add_builds_it(void **state)
{
    (void)state;
    assert_check_says("eth0: its program is missing");
    add(&pod);
    assert_int_equal(fake.places[ETH0].count, 1);
    assert_true(ours_at(ETH0, 0));
    assert_int_equal(fake.places[TUN0].count, 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 2);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_DROP);
    assert_true(settings_at(ETH0).cookie != 0);
    assert_check_passes();
}

static void what_is_right_already_is_only_looked_at(void **state)
{
    (void)state;
    add(&pod);
    fake.loads = fake.attaches = fake.updates = 0;
    fake.calls = 0;
    add(&pod);
    assert_int_equal(fake.loads + fake.attaches + fake.updates, 0);
    assert_in_range(fake.calls, 1, 17);
}

static void an_index_that_comes_again_is_judged_anew(void **state)
{
    (void)state;
    add(&passing_pod);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_PASS);
    assert_check_says("has not the pod's verdict");
    add(&pod);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_DROP);
}

static void an_add_makes_nothing_weaker(void **state)
{
    (void)state;
    add(&nobody);
    terms.others = VERDICT_PASS;
    terms.endpoint_count = 1;
    add(&nobody);
    assert_int_equal(settings_at(ETH0).others, VERDICT_DROP);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 2);
    assert_check_says("has not the pod's verdict");
}

static void an_add_makes_it_stricter(void **state)
{
    (void)state;
    terms.others = VERDICT_PASS;
    terms.endpoint_count = 1;
    add(&nobody);
    assert_int_equal(settings_at(ETH0).others, VERDICT_PASS);
    terms.others = VERDICT_DROP;
    terms.endpoint_count = 2;
    assert_check_says("not all endpoints");
    add(&nobody);
    assert_int_equal(settings_at(ETH0).others, VERDICT_DROP);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 2);
}

static void an_endpoint_within_another_needs_no_element(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(endpoint_parse("169.254.0.0/16", &imds[0], &err), 0);
    add(&nobody);
    assert_int_equal(endpoint_parse("169.254.169.254", &imds[0], &err), 0);
    add(&nobody);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 2);
    /* sync knows better: the wide one goes, and the narrow one is there before that. */
    assert_true(sync_with(&nobody) > 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 2);
    assert_check_says("has not the pod's verdict"); /* and nothing of endpoints is missing */
    add(&pod);
    assert_check_passes();
}

/* --- in first place ----------------------------------------------------------------------------- */

static void anothers_program_before_ours_ends_up_behind(void **state)
{
    uint32_t others;

    (void)state;
    add(&pod);
    others = others_first(ETH0);
    assert_check_says("another program stands before");
    add(&pod);
    assert_int_equal(fake.places[ETH0].count, 2);
    assert_true(ours_at(ETH0, 0));
    assert_int_equal(fake.places[ETH0].ids[1], others);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_DROP);
    assert_check_passes();
}

static void what_a_killed_process_left_is_cleared_away(void **state)
{
    uint32_t old;

    (void)state;
    add(&pod);
    old = fake.places[ETH0].ids[0];
    others_first(ETH0);
    add(&pod);
    fake.places[ETH0].ids[fake.places[ETH0].count++] = old; /* as before the detach */
    assert_check_says("there twice");
    add(&pod);
    assert_int_equal(fake.places[ETH0].count, 2);
    assert_true(ours_at(ETH0, 0) && !ours_at(ETH0, 1));
}

static void another_version_is_replaced_where_it_stands(void **state)
{
    uint32_t maps;

    (void)state;
    add(&passing_pod);
    strcpy(fake.objects[fake.places[ETH0].ids[0] - FIRST_ID].name, "imds_guard00000");
    maps = fake_id(map_at(ETH0, "imds_verdicts"));
    assert_check_says("another version's");
    add(&nobody);
    assert_int_equal(fake.places[ETH0].count, 1);
    assert_string_not_equal(program_at(ETH0, 0)->name, "imds_guard00000");
    assert_int_equal(fake_id(map_at(ETH0, "imds_verdicts")), maps);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_PASS);
}

static void maps_of_another_shape_are_left(void **state)
{
    (void)state;
    add(&passing_pod);
    strcpy(fake.objects[fake.places[ETH0].ids[0] - FIRST_ID].name, "imds_guard00000");
    map_at(ETH0, "imds_verdicts")->value_size = 16;
    add(&pod);
    assert_int_equal(fake.places[ETH0].count, 1);
    assert_int_equal(map_at(ETH0, "imds_verdicts")->value_size, 4);
    assert_check_passes();
}

static void a_kernel_that_tells_nothing_about_sockets(void **state)
{
    struct fence_listing listing = {0};
    struct error err;

    (void)state;
    fake.without_sockets = true;
    add(&pod);
    assert_false(program_at(ETH0, 0)->asks_sockets);
    assert_check_passes();
    fake.loads = 0;
    add(&pod);
    assert_int_equal(fake.loads, 0);
    assert_int_equal(fence_list(NULL, &terms, NULL, 0, &listing, &err), 0);
    assert_true(listing.uplinks[0].current);
    assert_false(listing.uplinks[0].sockets);
    fence_listing_free(&listing);
}

/* --- several at once ---------------------------------------------------------------------------- */

static void somebody_else_adds(void)
{
    struct error err = {0};

    assert_int_equal(fence_add(&terms, &passing_pod, &err), 0);
}

static void who_comes_second_joins_the_first(void **state)
{
    static struct guard other_guard = {.index = 77, .verdict = VERDICT_DROP};
    static const struct plan other = {.guards = &other_guard, .guard_count = 1};

    (void)state;
    fake.meanwhile = somebody_else_adds;
    add(&other);
    assert_int_equal(fake.places[ETH0].count, 1);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_PASS);
    assert_int_equal(verdict_at(ETH0, 77), VERDICT_DROP);
}

static void somebody_attaches(void)
{
    others_first(ETH0);
}

static void a_race_that_is_lost_once_is_run_again(void **state)
{
    (void)state;
    fake.meanwhile = somebody_attaches;
    add(&pod);
    assert_int_equal(fake.places[ETH0].count, 2);
    assert_true(ours_at(ETH0, 0));
}

static void the_link_vanishes(void)
{
    fake.places[ETH0].exists = false;
}

static void an_uplink_that_vanishes_needs_no_fence(void **state)
{
    (void)state;
    fake.meanwhile = the_link_vanishes;
    add(&pod);
    assert_false(fake.places[ETH0].exists);
}

/* --- sync --------------------------------------------------------------------------------------- */

static void sync_puts_it_on_every_uplink(void **state)
{
    (void)state;
    assert_true(sync_with(&pod) > 0);
    assert_true(ours_at(ETH0, 0) && ours_at(TUN0, 0));
    assert_int_equal(fake.places[POD].count, 0);
    assert_string_not_equal(program_at(ETH0, 0)->name, program_at(TUN0, 0)->name);
    assert_int_equal(fake_id(map_at(ETH0, "imds_counts")), fake_id(map_at(TUN0, "imds_counts")));
    assert_int_equal(sync_with(&pod), 0);
}

static void sync_sets_exactly_what_the_terms_say(void **state)
{
    (void)state;
    add(&pod);
    terms.others = VERDICT_PASS;
    terms.endpoint_count = 1;
    assert_true(sync_with(&passing_pod) > 0);
    assert_int_equal(settings_at(ETH0).others, VERDICT_PASS);
    assert_int_equal(elements_of(map_at(ETH0, "imds_endpoints")), 1);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_PASS);
    assert_int_equal(sync_with(&passing_pod), 0);
}

/* Two ADDs that were the first, each on another uplink. */
static void sync_brings_two_sets_of_maps_together(void **state)
{
    static struct guard other_guard = {.index = TUN0, .verdict = VERDICT_PASS};
    static const struct plan other = {.guards = &other_guard, .guard_count = 1};
    struct fake_place first;

    (void)state;
    add(&pod);
    first = fake.places[ETH0];
    fake.places[ETH0].count = 0;
    add(&other);
    fake.places[TUN0] = fake.places[ETH0];
    fake.places[ETH0] = first;
    assert_int_not_equal(fake_id(map_at(ETH0, "imds_counts")),
                         fake_id(map_at(TUN0, "imds_counts")));

    assert_true(sync_with(&nobody) > 0);
    assert_int_equal(fake_id(map_at(ETH0, "imds_counts")), fake_id(map_at(TUN0, "imds_counts")));
    assert_int_equal(fake.places[TUN0].count, 1);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_DROP);
    assert_int_equal(verdict_at(ETH0, TUN0), VERDICT_PASS); /* nobody has lost his exemption */
}

static void a_link_that_is_gone_is_not_right(void **state)
{
    struct error err = {0};
    size_t changes = 77;

    (void)state;
    sync_with(&pod);
    assert_true(is_right_for(&nobody));
    fake.places[POD].exists = false;
    assert_false(is_right_for(&nobody));
    assert_int_equal(fence_sync(&terms, &nobody, 1, &changes, &err), 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_verdicts")), 0);
    assert_true(is_right_for(&nobody));
}

/* It ends between the look at the pods and the fence's. */
static void a_pod_that_has_ended_meanwhile_is_no_change(void **state)
{
    struct error err = {0};
    size_t changes = 77;

    (void)state;
    sync_with(&pod);
    fake.places[POD].exists = false;
    assert_int_equal(elements_of(map_at(ETH0, "imds_verdicts")), 1);
    assert_int_equal(fence_prune(&terms, &err), 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_verdicts")), 0);
    assert_int_equal(fence_sync(&terms, &pod, 1, &changes, &err), 0);
    assert_int_equal(changes, 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_verdicts")), 0);
}

static void a_program_that_is_there_twice_is_not_right(void **state)
{
    (void)state;
    sync_with(&pod);
    fake_insert_first(&fake.places[ETH0], fake.places[TUN0].ids[0]);
    assert_false(is_right_for(&pod));
}

static void sync_goes_on_where_one_uplink_fails(void **state)
{
    struct error err = {0};
    size_t changes = 0;

    (void)state;
    fake.fails_at = 2; /* the look at eth0 */
    fake.fails_with = ENOMEM;
    assert_int_equal(fence_sync(&terms, &pod, 1, &changes, &err), -1);
    assert_non_null(strstr(err.msg, "exit fence on eth0"));
    assert_true(ours_at(TUN0, 0));
}

/* --- what goes ---------------------------------------------------------------------------------- */

static void links_that_are_gone_are_forgotten(void **state)
{
    struct count_key pair = {.outgoing = ETH0, .incoming = POD};
    struct count_key sockets = {.outgoing = ETH0, .incoming = 0};
    struct fence_count count = {.stopped = 3};
    struct error err;

    (void)state;
    assert_int_equal(fence_prune(&terms, &err), 0);
    add(&pod);
    for (int i = 0; i < 2; i++) {
        struct fake_element *element = fake_unused(map_at(ETH0, "imds_counts"));

        element->used = true;
        memcpy(element->key, i == 0 ? &pair : &sockets, sizeof(pair));
        memcpy(element->value, &count, sizeof(count));
    }
    assert_int_equal(fence_prune(&terms, &err), 0);
    assert_int_equal(elements_of(map_at(ETH0, "imds_counts")), 2);
    assert_int_equal(verdict_at(ETH0, POD), VERDICT_DROP);

    fake.places[POD].exists = false;
    assert_int_equal(fence_prune(&terms, &err), 0);
    assert_int_equal(verdict_at(ETH0, POD), -1);
    assert_int_equal(elements_of(map_at(ETH0, "imds_counts")), 1);
}

static void it_is_taken_off_everywhere(void **state)
{
    struct error err;
    size_t removed = 0;

    (void)state;
    sync_with(&pod);
    others_first(TUN0);
    assert_int_equal(fence_remove(&removed, &err), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(fake.places[ETH0].count, 0);
    assert_int_equal(fake.places[TUN0].count, 1);
    assert_int_equal(fence_remove(&removed, &err), 0);
    assert_int_equal(removed, 0);
}

/* --- what is seen ------------------------------------------------------------------------------- */

static void shows_where_it_stands_and_what_it_counted(void **state)
{
    struct count_key pairs[] = {{ETH0, POD}, {TUN0, POD}, {ETH0, 0}};
    struct fence_count counts[] = {{3, 1}, {4, 0}, {5, 0}};
    struct fence_listing listing = {0};
    struct error err;

    (void)state;
    sync_with(&pod);
    others_first(TUN0);
    for (size_t i = 0; i < 3; i++) {
        struct fake_element *element = fake_unused(map_at(ETH0, "imds_counts"));

        element->used = true;
        memcpy(element->key, &pairs[i], sizeof(pairs[i]));
        memcpy(element->value, &counts[i], sizeof(counts[i]));
    }
    assert_int_equal(fence_list(NULL, &terms, NULL, 0, &listing, &err), 0);
    assert_int_equal(listing.uplink_count, 2);
    assert_string_equal(listing.uplinks[0].name, "eth0");
    assert_int_equal(listing.uplinks[0].place, 1);
    assert_int_equal(listing.uplinks[0].stopped, 8);
    assert_int_equal(listing.uplinks[0].passed, 1);
    assert_int_equal(listing.uplinks[1].place, 2);
    assert_int_equal(listing.uplinks[1].stopped, 4);
    assert_true(listing.uplinks[1].current && listing.uplinks[1].sockets);
    assert_int_equal(listing.incoming_count, 2);
    assert_int_equal(listing.incoming[0].index, 0);
    assert_int_equal(listing.incoming[0].stopped, 5);
    assert_false(listing.incoming[0].known);
    assert_int_equal(listing.incoming[1].index, POD);
    assert_int_equal(listing.incoming[1].stopped, 7);
    assert_true(listing.incoming[1].known);
    assert_int_equal(listing.endpoint_count, 2);
    assert_memory_equal(listing.endpoints, imds, sizeof(imds));
    assert_true(listing.stands);
    assert_false(fence_stands(&listing));
    fence_listing_free(&listing);

    sync_with(&pod);
    assert_int_equal(fence_list(NULL, &terms, NULL, 0, &listing, &err), 0);
    assert_true(fence_stands(&listing));
    fence_listing_free(&listing);
}

static void a_kernel_without_tcx(void **state)
{
    struct fence_listing listing = {0};
    struct error err = {0};
    size_t count = 77;

    (void)state;
    fake.without_tcx = true;
    assert_int_equal(fence_probe(&err), -1);
    assert_non_null(strstr(err.msg, "Linux 6.6 or newer"));
    assert_int_equal(fence_add(&terms, &pod, &err), -1);
    assert_non_null(strstr(err.msg, "Linux 6.6 or newer"));
    assert_int_equal(fence_remove(&count, &err), 0);
    assert_int_equal(count, 0);
    assert_int_equal(fence_prune(&terms, &err), 0);
    assert_int_equal(fence_list(NULL, &terms, NULL, 0, &listing, &err), 0);
    assert_int_equal(listing.uplink_count, 2);
    assert_int_equal(listing.uplinks[0].place, 0);
    assert_false(listing.stands);
    fence_listing_free(&listing);
}

static void a_process_without_rights(void **state)
{
    struct error err = {0};

    (void)state;
    fake.without_rights = true;
    assert_int_equal(fence_probe(&err), -1);
    assert_non_null(strstr(err.msg, "CAP_SYS_ADMIN"));
    assert_int_equal(fence_add(&terms, &pod, &err), -1);
    assert_non_null(strstr(err.msg, "exit fence on eth0"));
}

static void probing_attaches_nothing(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(fence_probe(&err), 0);
    assert_int_equal(fake.attaches, 0);
    assert_int_equal(err.code, ERROR_NONE);
}

/* --- whatever fails ----------------------------------------------------------------------------- */

/* What stood before stands, in first place and as strict. */
static void assert_no_weaker(void)
{
    assert_true(ours_at(ETH0, 0) || ours_at(ETH0, 1));
    assert_int_equal(settings_at(ETH0).others, VERDICT_DROP);
    assert_true(elements_of(map_at(ETH0, "imds_endpoints")) >= 2);
}

static size_t open_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Each call fails once; the ADD after that makes everything right. */
static void every_call_fails_once(void **state)
{
    static const int errors[] = {EPERM, ENOMEM, EINVAL};
    size_t before = open_descriptors();

    for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
        for (int scene = 0; scene < 3; scene++) {
            for (unsigned long at = 1;; at++) {
                struct error err = {0};
                int result;

                fresh(state);
                if (scene > 0)
                    add(&nobody);
                if (scene > 1)
                    others_first(ETH0);
                fake.calls = 0;
                fake.fails_at = at;
                fake.fails_with = errors[e];
                result = fence_add(&terms, &pod, &err);
                fake.fails_at = 0;
                if (fake.calls < at) {
                    assert_int_equal(result, 0);
                    break;
                }
                if (result != 0)
                    assert_int_equal(err.code, ERROR_KERNEL);
                if (scene > 0 && ours_at(ETH0, 0))
                    assert_no_weaker();
                assert_int_equal(open_descriptors(), before);
                add(&pod);
                assert_true(ours_at(ETH0, 0));
                assert_int_equal(fake.places[ETH0].count, scene > 1 ? 2 : 1);
                assert_check_passes();
            }
        }
    }
}

#define FENCE(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FENCE(the_first_add_builds_it),
        FENCE(what_is_right_already_is_only_looked_at),
        FENCE(an_index_that_comes_again_is_judged_anew),
        FENCE(an_add_makes_nothing_weaker),
        FENCE(an_add_makes_it_stricter),
        FENCE(an_endpoint_within_another_needs_no_element),
        FENCE(anothers_program_before_ours_ends_up_behind),
        FENCE(what_a_killed_process_left_is_cleared_away),
        FENCE(another_version_is_replaced_where_it_stands),
        FENCE(maps_of_another_shape_are_left),
        FENCE(a_kernel_that_tells_nothing_about_sockets),
        FENCE(who_comes_second_joins_the_first),
        FENCE(a_race_that_is_lost_once_is_run_again),
        FENCE(an_uplink_that_vanishes_needs_no_fence),
        FENCE(sync_puts_it_on_every_uplink),
        FENCE(sync_sets_exactly_what_the_terms_say),
        FENCE(sync_brings_two_sets_of_maps_together),
        FENCE(a_link_that_is_gone_is_not_right),
        FENCE(a_pod_that_has_ended_meanwhile_is_no_change),
        FENCE(a_program_that_is_there_twice_is_not_right),
        FENCE(sync_goes_on_where_one_uplink_fails),
        FENCE(links_that_are_gone_are_forgotten),
        FENCE(it_is_taken_off_everywhere),
        FENCE(shows_where_it_stands_and_what_it_counted),
        FENCE(a_kernel_without_tcx),
        FENCE(a_process_without_rights),
        FENCE(probing_attaches_nothing),
        FENCE(every_call_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
