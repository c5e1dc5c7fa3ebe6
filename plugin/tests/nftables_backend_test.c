/* The nftables backend against a table of the test's own, where others write at the same time. */
#include "fake_nftables.h"

#include "kernel/backend.h"
#include "kernel/nftables/backend.h"

#include <errno.h>

#define OWNER_A "aws-cni/a/eth0 2 default/a"
#define OWNER_B "aws-cni/b/eth0 1 default/b"

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 2};

static struct guard guards_a[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                                  {.interface = "eni1.b", .verdict = VERDICT_DROP}};
static const struct plan plan_a = {.guards = guards_a, .guard_count = 2, .tag = OWNER_A};

static int set_up(void **state)
{
    (void)state;
    nftables_reset();
    return 0;
}

static void apply_plan(const struct plan *plan, const struct terms *on)
{
    struct error err = {0};

    if (backend_nftables.apply(plan, 1, on, &err) < 0)
        fail_msg("%s", err.msg);
}

static void apply(void)
{
    apply_plan(&plan_a, &terms);
    assert_int_equal(nftables.open, 0);
}

static void assert_apply_fails(enum error_code code, const char *says)
{
    struct error err = {0};

    assert_int_equal(backend_nftables.apply(&plan_a, 1, &terms, &err), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.msg, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
    assert_int_equal(nftables.open, 0);
}

static struct listing list_by(const struct terms *by)
{
    struct listing listing = {0};
    struct error err = {0};

    assert_int_equal(backend_nftables.list(by, &listing, &err), 0);
    return listing;
}

static void assert_stands(void)
{
    cleanup(listing) struct listing listing = list_by(&terms);

    assert_true(listing.present);
    assert_int_equal(listing.fault_count, 0);
    assert_int_equal(listing.held_count, 2);
    assert_string_equal(listing.held[0].guard.interface, "eni1");
    assert_string_equal(listing.held[0].tag, OWNER_A);
    assert_string_equal(listing.held[1].guard.interface, "eni1.b");
    assert_int_equal(listing.held[1].guard.verdict, VERDICT_DROP);
}

static bool probe(void)
{
    struct error err = {0};

    return backend_nftables.probe(&terms, &err) == 0;
}

static void makes_everything_and_nothing_twice(void **state)
{
    (void)state;
    apply();
    assert_int_equal(nftables.committed, 1);
    assert_stands();
    apply();
    assert_int_equal(nftables.committed, 1);
}

/* Somebody else may add one at the same time: what is written is good for what was seen. */
static void adds_endpoints_and_nothing_else(void **state)
{
    static struct endpoint others[] = {{FAMILY_IPV4, {10, 0, 0, 1}, 32}};
    const struct terms before = {.endpoints = others, .endpoint_count = 1};

    (void)state;
    apply_plan(&plan_a, &before);
    apply();
    assert_int_equal(nftables.committed, 2);
    assert_true(nftables.bound);
    assert_stands();
    cleanup(listing) struct listing listing = list_by(&terms);
    assert_int_equal(listing.surplus_count, 1);
    apply_plan(&plan_a, &before);
    assert_int_equal(nftables.committed, 2);
}

static void takes_endpoints_away_for_who_knows_them_all(void **state)
{
    static struct endpoint others[] = {{FAMILY_IPV4, {10, 0, 0, 1}, 32}};
    const struct terms before = {.endpoints = others, .endpoint_count = 1};
    struct terms exactly = terms;

    (void)state;
    apply_plan(&plan_a, &before);
    exactly.exactly = true;
    apply_plan(&plan_a, &exactly);
    assert_true(nftables.bound);
    assert_stands();
    cleanup(listing) struct listing listing = list_by(&terms);
    assert_int_equal(listing.surplus_count, 0);
}

static void looks_again_when_others_come_between(void **state)
{
    static const int passing[] = {ERESTART, EBUSY, EAGAIN, EINTR, ENOBUFS, ENOENT, EEXIST};

    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++) {
        nftables_reset();
        nftables.refusal = passing[i];
        nftables.refusals = 3;
        apply();
        assert_int_equal(nftables.committed, 1);
        assert_int_equal(nftables.asked, 5); /* the last time, whether the map counts */
        assert_stands();
    }
}

static void asks_again_when_answers_are_lost(void **state)
{
    (void)state;
    nftables.ask_refusal = ENOBUFS;
    nftables.ask_refusals = 2;
    apply();
    assert_stands();
    nftables.ask_refusals = UINT32_MAX;
    assert_apply_fails(ERROR_TRY_AGAIN, "do not fit the socket's buffer");
}

static void what_others_do_all_the_time_is_told_from_a_refusal(void **state)
{
    (void)state;
    nftables.refusals = UINT32_MAX;
    nftables.refusal = ERESTART;
    assert_apply_fails(ERROR_TRY_AGAIN, "others change the ruleset all the time");
    /* An object that the kernel does not know is missing every time. */
    nftables.refusal = ENOENT;
    assert_apply_fails(ERROR_KERNEL, "No such file or directory");
    nftables.asked = 0;
    nftables.refusal = EPERM;
    assert_apply_fails(ERROR_KERNEL, "Operation not permitted");
    assert_int_equal(nftables.asked, 1);
    assert_int_equal(nftables.committed, 0);
}

static void tries_as_long_as_it_may(void **state)
{
    const struct terms patient = {
        .endpoints = endpoints, .endpoint_count = 2, .lock_timeout_seconds = 1};
    struct error err = {0};

    (void)state;
    nftables.refusals = UINT32_MAX;
    nftables.refusal = EBUSY;
    assert_int_equal(backend_nftables.apply(&plan_a, 1, &patient, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_true(nftables.asked > 20);
    assert_non_null(strstr(err.details, "refused"));
}

/* However long others have kept it waiting: a table that has gone since is made anew. */
static void what_came_late_is_looked_at_again(void **state)
{
    static const int surprises[] = {ENOENT, EEXIST};
    const struct terms patient = {
        .endpoints = endpoints, .endpoint_count = 2, .lock_timeout_seconds = 10};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(surprises) / sizeof(*surprises); i++) {
        nftables_reset();
        nftables.ask_refusal = EINTR;
        nftables.ask_refusals = 20;
        nftables.refusal = surprises[i];
        nftables.refusals = 1;
        assert_int_equal(backend_nftables.apply(&plan_a, 1, &patient, &err), 0);
        assert_stands();
    }
}

static void without_nf_tables_nothing_is_held_and_nothing_can_be(void **state)
{
    cleanup(listing) struct listing listing = {0};
    const struct selection everything = {.everything = true};
    struct error err = {0};
    size_t removed = 77;

    (void)state;
    nftables.open_error = EPROTONOSUPPORT;
    assert_int_equal(backend_nftables.list(&terms, &listing, &err), 0);
    assert_false(listing.present);
    assert_int_equal(listing.families, FAMILY_IPV4 | FAMILY_IPV6);
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 0);
    assert_false(probe());
    assert_false(nft_is_present());
    assert_apply_fails(ERROR_KERNEL, "refused");
}

static void what_cannot_be_looked_at_is_not_taken_for_nothing(void **state)
{
    cleanup(listing) struct listing listing = {0};
    const struct selection everything = {.everything = true};
    struct error err = {0};
    size_t removed = 77;

    (void)state;
    apply();
    nftables.open_error = EMFILE;
    assert_int_equal(backend_nftables.list(&terms, &listing, &err), -1);
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), -1);
    nftables.open_error = 0;
    nftables.ask_refusal = EPERM;
    nftables.ask_refusals = UINT32_MAX;
    assert_int_equal(backend_nftables.list(&terms, &listing, &err), -1);
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), -1);
    assert_false(probe());
    assert_int_equal(removed, 77);
    nftables.ask_refusals = 0;
    assert_stands();
}

/* --- removing --------------------------------------------------------------------------------- */

static bool is_tagged(const struct held *held, const void *tag)
{
    return strcmp(held->tag, tag) == 0;
}

static size_t remove_of(const char *tag, const char (*interfaces)[INTERFACE_NAME_SIZE],
                        size_t interface_count)
{
    const struct selection selection = {.goes = is_tagged,
                                        .context = tag,
                                        .interfaces = interfaces,
                                        .interface_count = interface_count};
    struct error err = {0};
    size_t removed = 77;

    if (backend_nftables.remove(&selection, &terms, &removed, &err) < 0)
        fail_msg("%s", err.msg);
    return removed;
}

static void removes_an_owners_guards_and_no_others(void **state)
{
    static const char interfaces[][INTERFACE_NAME_SIZE] = {"eni1", "eni1.b", "no-such-link"};

    (void)state;
    apply();
    assert_int_equal(remove_of(OWNER_B, NULL, 0), 0);
    assert_int_equal(remove_of(OWNER_B, interfaces, 3), 0);
    assert_int_equal(nftables.committed, 1);
    assert_stands();
    assert_int_equal(remove_of(OWNER_A, interfaces, 3), 2);
    assert_true(nftables.bound);
    assert_int_equal(remove_of(OWNER_A, NULL, 0), 0);
}

/* Nothing is deleted, which others would have to wait for. */
static void lets_an_owners_guards_go_where_the_kernel_can(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    apply();
    nftables.lets_go = true;
    assert_int_equal(remove_of(OWNER_A, NULL, 0), 2);
    assert_int_equal(nftables.committed, 2);
    assert_true(nftables.bound);
    listing = list_by(&terms);
    assert_int_equal(listing.held_count, 0);
    assert_int_equal(listing.fault_count, 0);
    assert_int_equal(remove_of(OWNER_A, NULL, 0), 0);
}

/* The kernel would refuse it, which others would have to wait for as well. */
static void sets_nothing_where_a_guard_has_still_to_go(void **state)
{
    (void)state;
    apply();
    nftables.lets_go = true;
    assert_int_equal(remove_of(OWNER_A, NULL, 0), 2);
    nftables.goes_after = 4;
    apply();
    assert_int_equal(nftables.refused, 0);
    assert_int_equal(nftables.committed, 3);
    assert_stands();
}

/* In a map without time-outs, or with a verdict that is none of ours. */
static void deletes_what_cannot_be_let_go(void **state)
{
    static const int refusals[] = {EINVAL, EEXIST, EBUSY};

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        nftables_reset();
        apply();
        nftables.refusal = refusals[i];
        nftables.refusals = 1;
        assert_int_equal(remove_of(OWNER_A, NULL, 0), 2);
        assert_true(nftables.bound);
        assert_int_equal(remove_of(OWNER_A, NULL, 0), 0);
    }
}

/* More names than it looks up one by one. */
static void removes_from_many_interfaces(void **state)
{
    static const char interfaces[20][INTERFACE_NAME_SIZE] = {"eni1"};

    (void)state;
    apply();
    assert_int_equal(remove_of(OWNER_A, interfaces, 20), 2);
}

static void removes_everything(void **state)
{
    const struct selection everything = {.everything = true};
    struct error err = {0};
    size_t removed = 77;

    (void)state;
    apply();
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(nftables.length, 0);
    assert_int_equal(backend_nftables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(nftables.committed, 2);
}

/* --- many ------------------------------------------------------------------------------------- */

#define MANY 100

static void before_the_rest(void)
{
    cleanup(listing) struct listing listing = list_by(&terms);

    assert_int_equal(listing.others.verdict, VERDICT_DROP);
    assert_int_equal(listing.fault_count, 0);
    assert_int_equal(listing.held_count, 1);
    assert_int_equal(listing.held[0].guard.verdict, VERDICT_PASS);
}

static void before_the_table(void)
{
    assert_int_equal(nftables.length, 0);
    nftables.meanwhile = before_the_rest;
}

/* After a flush everybody is open until the table stands. */
static void the_verdict_for_others_does_not_wait_for_many_guards(void **state)
{
    static struct guard guards[MANY];
    static struct plan plans[MANY];
    struct error err = {0};

    (void)state;
    for (int i = 0; i < MANY; i++) {
        guards[i].verdict = i == MANY / 2 ? VERDICT_PASS : VERDICT_DROP;
        snprintf(guards[i].interface, sizeof(guards[i].interface), "eni%d", i);
        snprintf(plans[i].tag, sizeof(plans[i].tag), "aws-cni/c%d/eth0 1 default/p", i);
        plans[i].guards = &guards[i];
        plans[i].guard_count = 1;
    }
    nftables.meanwhile = before_the_table;
    if (backend_nftables.apply(plans, MANY, &terms, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(nftables.committed, 2);
    cleanup(listing) struct listing listing = list_by(&terms);
    assert_int_equal(listing.held_count, MANY);
}

/* --- probing ---------------------------------------------------------------------------------- */

static void probes_without_making_anything(void **state)
{

    (void)state;
    assert_true(probe());
    assert_false(nft_is_present());
    assert_int_equal(nftables.rehearsed, 2);
    assert_int_equal(nftables.committed, 0);
    nftables.rehearsal_refusal = EOPNOTSUPP;
    assert_false(probe());
    nftables.rehearsal_refusal = 0;
    apply();
    nftables.rehearsed = 0;
    assert_true(probe());
    assert_true(nft_is_present());
    assert_int_equal(nftables.rehearsed, 0);
}

static void probe_tells_a_kernel_without_counters_in_maps(void **state)
{
    struct error err = {0};

    (void)state;
    nftables.is_old = true;
    assert_int_equal(backend_nftables.probe(&terms, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_non_null(strstr(err.msg, "older than Linux 5.7"));
    assert_int_equal(nftables.asked, 1); /* no use in trying again */
    assert_int_equal(nftables.committed, 0);
}

/* The same sentence before there is a table and when one stands that rejects nothing. */
static void probe_tells_a_kernel_that_cannot_reject(void **state)
{
    struct terms rejecting = terms;

    (void)state;
    rejecting.others = VERDICT_REJECT;
    for (int i = 0; i < 2; i++) {
        struct error err = {0};

        nftables.cannot_reject = true;
        assert_int_equal(backend_nftables.probe(&rejecting, &err), -1);
        assert_non_null(strstr(err.msg, "older than Linux 5.19"));
        assert_non_null(strstr(err.msg, "set \"deny\" to \"drop\""));
        assert_int_equal(nftables.committed, i);
        nftables.cannot_reject = false;
        apply();
    }
    assert_true(probe());
}

/* Nor does anything stay there: a table that never is as it should be helps nobody. */
static void apply_refuses_a_kernel_without_counters_in_maps(void **state)
{

    (void)state;
    nftables.is_old = true;
    assert_apply_fails(ERROR_KERNEL, "older than Linux 5.7");
    assert_int_equal(nftables.asked, 2); /* before and after: no use in trying again */
    assert_int_equal(nftables.rehearsed, 0);
    assert_int_equal(nftables.length, 0);
    /* One that an earlier version has made there shows nothing. */
    nftables.is_old = false;
    apply();
    forget_counters();
    nftables.is_old = true;
    assert_apply_fails(ERROR_KERNEL, "older than Linux 5.7");
    assert_false(probe());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(makes_everything_and_nothing_twice, set_up),
        cmocka_unit_test_setup(adds_endpoints_and_nothing_else, set_up),
        cmocka_unit_test_setup(takes_endpoints_away_for_who_knows_them_all, set_up),
        cmocka_unit_test_setup(looks_again_when_others_come_between, set_up),
        cmocka_unit_test_setup(asks_again_when_answers_are_lost, set_up),
        cmocka_unit_test_setup(what_others_do_all_the_time_is_told_from_a_refusal, set_up),
        cmocka_unit_test_setup(tries_as_long_as_it_may, set_up),
        cmocka_unit_test_setup(what_came_late_is_looked_at_again, set_up),
        cmocka_unit_test_setup(without_nf_tables_nothing_is_held_and_nothing_can_be, set_up),
        cmocka_unit_test_setup(what_cannot_be_looked_at_is_not_taken_for_nothing, set_up),
        cmocka_unit_test_setup(removes_an_owners_guards_and_no_others, set_up),
        cmocka_unit_test_setup(lets_an_owners_guards_go_where_the_kernel_can, set_up),
        cmocka_unit_test_setup(sets_nothing_where_a_guard_has_still_to_go, set_up),
        cmocka_unit_test_setup(deletes_what_cannot_be_let_go, set_up),
        cmocka_unit_test_setup(removes_from_many_interfaces, set_up),
        cmocka_unit_test_setup(removes_everything, set_up),
        cmocka_unit_test_setup(the_verdict_for_others_does_not_wait_for_many_guards, set_up),
        cmocka_unit_test_setup(probes_without_making_anything, set_up),
        cmocka_unit_test_setup(probe_tells_a_kernel_without_counters_in_maps, set_up),
        cmocka_unit_test_setup(probe_tells_a_kernel_that_cannot_reject, set_up),
        cmocka_unit_test_setup(apply_refuses_a_kernel_without_counters_in_maps, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
