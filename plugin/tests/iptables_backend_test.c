#include "kernel/backend.h"

#include "fake_iptables.h"

static struct endpoint imds[2];
static struct endpoint more[3];

static int parse_endpoints(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(endpoint_parse("169.254.169.254", &imds[0], &err), 0);
    assert_int_equal(endpoint_parse("fd00:ec2::254", &imds[1], &err), 0);
    memcpy(more, imds, sizeof(imds));
    assert_int_equal(endpoint_parse("192.0.2.7", &more[2], &err), 0);
    return 0;
}

static struct terms terms_with(enum verdict others)
{
    return (struct terms){.endpoints = imds, .endpoint_count = 2, .others = others};
}

static void apply(const char *interface, const char *container, enum verdict verdict,
                  const struct terms *terms)
{
    struct guard guard = {.verdict = verdict};
    struct plan plan = {.guards = &guard, .guard_count = 1};
    struct error err = {0};

    strcpy(guard.interface, interface);
    write_tag(container, plan.tag);
    if (backend_iptables.apply(&plan, 1, terms, &err) < 0)
        fail_msg("%s", err.msg);
}

static void expect_own(const char *expected)
{
    for (size_t i = 0; i < FAMILIES; i++)
        assert_chain(&world.tables[i].own, expected);
}

static void expect_listed(const struct terms *terms, enum verdict others, size_t guards,
                          size_t faults)
{
    cleanup(listing) struct listing listing = {0};
    struct error err;

    assert_int_equal(backend_iptables.list(terms, &listing, &err), 0);
    assert_true(listing.present);
    assert_int_equal(listing.families, FAMILY_IPV4 | FAMILY_IPV6);
    assert_int_equal(listing.others.verdict, others);
    assert_int_equal(listing.held_count, guards);
    assert_int_equal(listing.fault_count, faults);
}

static void makes_all_of_it_from_nothing(void **state)
{
    const struct terms terms = terms_with(VERDICT_DROP);

    (void)state;
    begin_world(NULL);
    apply("eni1", "a", VERDICT_PASS, &terms);
    expect_own("eni1~a:0 *=:0");
    assert_chain(&world.tables[0].hook, ">169.254.169.254:0 x:1");
    assert_chain(&world.tables[1].hook, ">fd00:ec2::254:0 x:1");
    expect_listed(&terms, VERDICT_DROP, 1, 0);
}

/* Each family in one exchange, in which nothing that was stricter becomes laxer. */
static void takes_over_what_an_older_version_left(void **state)
{
    const struct terms terms = terms_with(VERDICT_DROP);

    (void)state;
    begin_world("eni1=a eni2~b");
    for (size_t i = 0; i < FAMILIES; i++) {
        world.tables[i].old.exists = true;
        world.tables[i].old_hook.rules[0].kind = RULE_JUMP;
    }
    expect_listed(&terms, VERDICT_PASS, 2, FAMILIES);
    apply("eni3", "c", VERDICT_DROP, &terms);
    expect_own("eni1=a:1 eni2~b:2 eni3=c:0 *=:0");
    for (size_t i = 0; i < FAMILIES; i++) {
        assert_int_equal(world.commits[i], 1);
        assert_false(world.tables[i].old.exists);
        assert_int_equal(world.tables[i].old_hook.rule_count, 0);
    }
    expect_listed(&terms, VERDICT_DROP, 3, 0);
}

/* Somebody else's jump to a chain that is not even needed keeps no pod from starting. */
static void an_old_chain_that_cannot_go_fails_no_apply(void **state)
{
    const struct selection everything = {.everything = true};
    const struct terms terms = terms_with(VERDICT_DROP);
    struct error err = {0};

    (void)state;
    begin_world("eni1=a");
    world.tables[0].old.exists = true;
    world.referenced = "IMDS-GUARD-OUT";
    apply("eni1", "a", VERDICT_DROP, &terms);
    expect_own("eni1=a:1 *=:0");

    world.tables[0].old.exists = true;
    assert_int_equal(backend_iptables.remove(&everything, &terms, NULL, &err), -1);
    assert_non_null(strstr(err.msg, "IMDS-GUARD-OUT"));
}

static void an_add_only_tightens(void **state)
{
    const struct terms audit = terms_with(VERDICT_PASS);
    const struct terms enforce = terms_with(VERDICT_DROP);
    struct terms wider = enforce;

    (void)state;
    begin_world("eni1=a *=");
    apply("eni2", "b", VERDICT_PASS, &audit);
    expect_own("eni1=a:1 eni2~b:0 *=:2");
    begin_world("eni1=a *~");
    apply("eni1", "a", VERDICT_DROP, &enforce);
    expect_own("eni1=a:1 *=:0");

    wider.endpoints = more;
    wider.endpoint_count = 3;
    apply("eni1", "a", VERDICT_DROP, &wider);
    assert_chain(&world.tables[0].hook, ">169.254.169.254:0 >192.0.2.7:0 x:2");
    assert_int_equal(world.commits[1], 1);
    apply("eni1", "a", VERDICT_DROP, &enforce);
    assert_chain(&world.tables[0].hook, ">169.254.169.254:0 >192.0.2.7:0 x:2");
    assert_int_equal(world.commits[0], 2);
}

static void exactly_sets_what_the_terms_say(void **state)
{
    struct terms audit = terms_with(VERDICT_PASS);
    struct terms enforce = terms_with(VERDICT_DROP);
    struct terms wider = enforce;
    cleanup(listing) struct listing listing = {0};
    struct error err;

    (void)state;
    audit.exactly = enforce.exactly = true;
    wider.endpoints = more;
    wider.endpoint_count = 3;
    begin_world("eni1=a *=");
    apply("eni1", "a", VERDICT_DROP, &wider);
    /* Looser than wanted, or more: to be written, but no fault. */
    assert_int_equal(backend_iptables.list(&audit, &listing, &err), 0);
    assert_int_equal(listing.surplus_count, 1);
    assert_int_equal(listing.fault_count, 0);
    apply("eni1", "a", VERDICT_DROP, &audit);
    expect_own("eni1=a:1 *~:0");
    assert_chain(&world.tables[0].hook, ">169.254.169.254:0 x:2");
    expect_listed(&enforce, VERDICT_PASS, 1, 0);
    apply("eni1", "a", VERDICT_DROP, &enforce);
    expect_own("eni1=a:1 *=:0");
}

static void what_is_right_is_not_written(void **state)
{
    const struct terms terms = terms_with(VERDICT_DROP);

    (void)state;
    begin_world("eni1=a *= x");
    apply("eni1", "a", VERDICT_DROP, &terms);
    assert_int_equal(world.commits[0] + world.commits[1], 0);
}

/* With `seen`, as sync has it, an ADD that came since is neither overwritten nor lifted. */
static void leaves_alone_what_came_since_it_was_seen(void **state)
{
    struct terms terms = terms_with(VERDICT_DROP);
    cleanup(listing) struct listing seen = {0};
    struct error err;

    (void)state;
    begin_world("eni1=a *=");
    assert_int_equal(backend_iptables.list(&terms, &seen, &err), 0);
    begin_world("eni1~new eni2=b *=");
    terms.seen = &seen;
    terms.exactly = true;
    apply("eni1", "a", VERDICT_DROP, &terms);
    expect_own("eni1~new:1 eni2=b:2 *=:3");
    apply("eni3", "b", VERDICT_DROP, &terms);
    expect_own("eni1~new:1 eni2=b:2 eni3=b:0 *=:3");
    terms.seen = NULL;
    apply("eni3", "b", VERDICT_DROP, &terms);
    expect_own("eni1~new:1 eni3=b:0 *=:3");
}

static void lists_both_families_as_one(void **state)
{
    const struct terms terms = terms_with(VERDICT_DROP);
    cleanup(listing) struct listing listing = {0};
    struct error err;

    (void)state;
    begin_world("eni1=a *= eni2=b");
    world.tables[1].own.rules[1].kind = RULE_FOREIGN;
    assert_int_equal(backend_iptables.list(&terms, &listing, &err), 0);
    assert_int_equal(listing.others.verdict, VERDICT_PASS);
    assert_int_equal(listing.others.packets, 2);
    assert_int_equal(listing.held_count, 2);
    assert_int_equal(listing.held[0].families, FAMILY_IPV4 | FAMILY_IPV6);
    assert_int_equal(listing.held[0].packets, 2);
    assert_int_equal(listing.fault_count, 3); /* an intruder in each, nothing for others in one */
}

/* Without a configuration nobody knows what is missing, but what stands is told. */
static void judges_nothing_that_it_does_not_know(void **state)
{
    const struct terms unknown = {0};

    (void)state;
    begin_world("eni1=a");
    world.tables[0].hook.rule_count = 0;
    expect_listed(&unknown, VERDICT_PASS, 1, 0);
    begin_world("eni1=a *=");
    expect_listed(&unknown, VERDICT_DROP, 1, 0);
}

/* As of an ADD that wants it while all stands here, until sync moves all to nftables. */
static void drops_what_it_cannot_reject(void **state)
{
    struct terms terms = terms_with(VERDICT_REJECT);

    (void)state;
    begin_world("eni2~b");
    apply("eni1", "a", VERDICT_REJECT, &terms);
    apply("eni2", "b", VERDICT_REJECT, &terms);
    expect_own("eni1=a:0 eni2=b:0 *=:0");
    begin_world("eni1=a *=");
    apply("eni1", "a", VERDICT_REJECT, &terms);
    terms.exactly = true;
    apply("eni1", "a", VERDICT_REJECT, &terms);
    assert_int_equal(world.commits[0] + world.commits[1], 0);
}

static void takes_everything_away(void **state)
{
    const struct selection everything = {.everything = true};
    const struct terms terms = terms_with(VERDICT_DROP);
    size_t removed = 0;
    struct error err;

    (void)state;
    begin_world("eni1=a eni2=b *=");
    assert_int_equal(backend_iptables.remove(&everything, &terms, &removed, &err), 0);
    assert_int_equal(removed, 2);
    for (size_t i = 0; i < FAMILIES; i++) {
        assert_false(world.tables[i].own.exists);
        assert_chain(&world.tables[i].hook, "x:2");
    }
}

static void probing_opens_only_what_is_live(void **state)
{
    const struct terms terms = {0};
    struct error err = {0};

    (void)state;
    begin_world(NULL);
    assert_int_equal(backend_iptables.probe(&terms, &err), 0);
    assert_int_equal(world.opened, 0);
    begin_world("*=");
    assert_int_equal(backend_iptables.probe(&terms, &err), 0);
    assert_int_equal(world.opened, 2);
    world.unreadable[1] = true;
    assert_int_equal(backend_iptables.probe(&terms, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_string_equal(err.msg, "cannot read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(makes_all_of_it_from_nothing, end_of_test),
        cmocka_unit_test_teardown(takes_over_what_an_older_version_left, end_of_test),
        cmocka_unit_test_teardown(an_old_chain_that_cannot_go_fails_no_apply, end_of_test),
        cmocka_unit_test_teardown(an_add_only_tightens, end_of_test),
        cmocka_unit_test_teardown(exactly_sets_what_the_terms_say, end_of_test),
        cmocka_unit_test_teardown(what_is_right_is_not_written, end_of_test),
        cmocka_unit_test_teardown(leaves_alone_what_came_since_it_was_seen, end_of_test),
        cmocka_unit_test_teardown(lists_both_families_as_one, end_of_test),
        cmocka_unit_test_teardown(judges_nothing_that_it_does_not_know, end_of_test),
        cmocka_unit_test_teardown(drops_what_it_cannot_reject, end_of_test),
        cmocka_unit_test_teardown(takes_everything_away, end_of_test),
        cmocka_unit_test_teardown(probing_opens_only_what_is_live, end_of_test),
    };

    return cmocka_run_group_tests(tests, parse_endpoints, NULL);
}
