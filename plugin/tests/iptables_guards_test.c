#include "kernel/iptables/guards.h"

#include "iptables_chains.h"

static const struct terms deny_others = {.others = VERDICT_DROP};
static const struct terms pass_others = {.others = VERDICT_PASS};

/*
 * What stands in IMDS-GUARD becomes, with plans for these guards (each of its own owner, but for
 * those with the same name after '=' or '~', which are one plan's), what is expected.
 */
static void expect_set_on(const struct terms *terms, const char *before, const char *plans_text,
                          const char *expected)
{
    struct chain wishes = parse_chain(plans_text);
    struct guard guards[32];
    struct plan plans[32] = {0};
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV4};
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};
    cleanup(edits) struct edits again = {0};
    size_t count = 0;
    struct error err;

    snapshot.own = parse_chain(before);
    for (size_t i = 0; i < wishes.rule_count; i++) {
        guards[i] = wishes.rules[i].guard;
        if (count > 0 && strcmp(plans[count - 1].tag, wishes.rules[i].tag) == 0) {
            plans[count - 1].guard_count++;
            continue;
        }
        memcpy(plans[count].tag, wishes.rules[i].tag, TAG_SIZE);
        plans[count].guards = &guards[i];
        plans[count++].guard_count = 1;
    }
    free(wishes.rules);
    assert_int_equal(wanted_make(plans, count, &wanted, &err), 0);
    iptables_guards_set(&snapshot, &wanted, terms, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own, expected);
    assert_int_equal(iptables_guards_intruder(&snapshot.own), snapshot.own.rule_count);
    /* What is right is not written again. */
    iptables_guards_set(&snapshot, &wanted, terms, &again);
    assert_false(again.incomplete);
    assert_int_equal(again.count, 0);
}

static void expect_set(const char *before, const char *plans_text, const char *expected)
{
    expect_set_on(&deny_others, before, plans_text, expected);
}

static void makes_what_is_missing(void **state)
{
    (void)state;
    expect_set("", "eni1=a", "eni1=a:0 *=:0");
    expect_set("eni1=a eni2~b *=", "eni3=c eni4~d", "eni1=a:1 eni2~b:2 eni3=c:0 eni4~d:0 *=:3");
}

static void leaves_what_is_right_and_its_counters(void **state)
{
    (void)state;
    expect_set("eni1=a eni2=b *=", "eni1=a eni2=b", "eni1=a:1 eni2=b:2 *=:3");
    expect_set_on(&pass_others, "eni1=a *~ x", "eni1=a", "eni1=a:1 *~:2 x:3");
}

static void makes_anew_what_another_owner_or_verdict_had(void **state)
{
    (void)state;
    expect_set("eni0=z eni1=a eni2=b *=", "eni1=new", "eni0=z:1 eni2=b:3 eni1=new:0 *=:4");
    expect_set("eni1=a *=", "eni1~a", "eni1~a:0 *=:2");
    expect_set("eni1~a *=", "eni1=a", "eni1=a:0 *=:2");
}

/* The tags of 0.1.0 count outgoing guards too. */
static void keeps_the_counters_where_only_the_tag_is_new(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV4};
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};
    const struct owner owner = {.network = "net", .container_id = "a", .ifname = "eth0"};
    struct guard guard = {.interface = "eni1"};
    struct plan plan = {.guards = &guard, .guard_count = 1};
    char former[TAG_SIZE];
    struct error err;

    (void)state;
    snapshot.own = parse_chain("eni1=a eni1=a *=");
    tag_write(&owner, 2, "default", "web-0", former);
    snapshot.own.rules[0].tag = new_tag(former);
    snapshot.own.rules[0].packets = 9;
    tag_write(&owner, 1, "default", "web-0", plan.tag);
    assert_int_equal(wanted_make(&plan, 1, &wanted, &err), 0);
    iptables_guards_set(&snapshot, &wanted, &deny_others, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own, "eni1=a:9 *=:3");
    assert_string_equal(snapshot.own.rules[0].tag, plan.tag);
}

static void leaves_one_guard_on_an_interface(void **state)
{
    (void)state;
    expect_set("eni1~a eni1=b eni1=a eni1=c *=", "eni1=a", "eni1=a:0 *=:5");
    expect_set("eni1=a eni1=a *=", "eni1=a", "eni1=a:1 *=:3");
}

static void takes_away_what_a_plan_no_longer_has(void **state)
{
    (void)state;
    expect_set("eni1=a eni2=a eni3=b *=", "eni2=a", "eni2=a:2 eni3=b:3 *=:4");
    expect_set("eni1=a eni2=ab *=", "eni9=a", "eni2=ab:2 eni9=a:0 *=:3");
}

static void keeps_guards_in_front_of_what_is_foreign(void **state)
{
    (void)state;
    expect_set("x eni1=a eni2=b *=", "eni1=a", "eni1=a:2 eni2=b:3 *=:4 x:1");
    expect_set("eni1=a x eni2=b x *=", "eni3=c", "eni1=a:1 eni2=b:3 eni3=c:0 *=:5 x:2 x:4");
    expect_set("x eni1=old *=", "eni1=new", "eni1=new:0 *=:3 x:1");
    expect_set("x x", "eni1=a", "eni1=a:0 *=:0 x:1 x:2");
    expect_set("eni1=old x eni1=new", "eni1=new", "eni1=new:0 *=:0 x:2");
}

/* As version 0.1.0 left them: no rule for others, which is made behind the guards. */
static void others_get_a_rule_where_there_was_none(void **state)
{
    (void)state;
    expect_set("eni1=a eni2~b", "eni1=a", "eni1=a:1 eni2~b:2 *=:0");
    expect_set("eni1=a eni2~b x", "", "eni1=a:1 eni2~b:2 *=:0 x:3");
    expect_set_on(&pass_others, "eni1=a", "eni2=b", "eni1=a:1 eni2=b:0 *~:0");
}

static void others_are_behind_all_guards_and_before_all_else(void **state)
{
    (void)state;
    expect_set("*=", "eni1=a", "eni1=a:0 *=:1");
    expect_set("*= eni1=a eni2~b", "eni1=a", "eni1=a:2 eni2~b:3 *=:1");
    expect_set("eni1=a x *=", "eni1=a", "eni1=a:1 *=:3 x:2");
    expect_set("x *= eni1=a x", "eni1~a", "eni1~a:0 *=:2 x:1 x:4");
    expect_set("eni1=a *= eni2=a", "eni1=a", "eni1=a:1 *=:2");
}

static void others_have_the_wanted_verdict_once(void **state)
{
    (void)state;
    expect_set("eni1=a *~", "eni1=a", "eni1=a:1 *=:0");
    expect_set_on(&pass_others, "eni1=a *=", "eni1=a", "eni1=a:1 *~:0");
    expect_set("eni1=a *= *= x *~", "eni1=a", "eni1=a:1 *=:2 x:4");
    expect_set("eni1=a *~ *=", "eni1=a", "eni1=a:1 *=:3");
    expect_set("x *~ *~", "eni1=a", "eni1=a:0 *=:0 x:1");
}

static void of_two_plans_for_an_interface_the_stricter_counts(void **state)
{
    (void)state;
    expect_set("", "eni1~a eni1=b eni2=c", "eni1=b:0 eni2=c:0 *=:0");
    expect_set("", "eni1=b eni1~a eni2=c", "eni1=b:0 eni2=c:0 *=:0");
}

/* What came since the plans were made, with an ADD, is newer than they are. */
static void takes_over_only_what_was_seen(void **state)
{
    cleanup(snapshot) struct snapshot before = {.family = FAMILY_IPV4};
    cleanup(listing) struct listing seen = {0};
    const struct terms terms = {.others = VERDICT_DROP, .seen = &seen};

    (void)state;
    before.own = parse_chain("eni1~old eni2~a eni4=d");
    iptables_guards_list(&before, &seen);
    assert_false(seen.incomplete);

    expect_set_on(&terms, "eni1~old *=", "eni1=a", "eni1=a:0 *=:2");
    expect_set_on(&terms, "eni1~new *=", "eni1=a", "eni1~new:1 *=:2");
    expect_set_on(&terms, "eni3~a *=", "eni3=a", "eni3=a:0 *=:2"); /* its own it may always */
    expect_set_on(&terms, "x eni1~new", "eni1=a", "eni1~new:2 *=:0 x:1");
    /* What its owner's ADD has set meanwhile elsewhere is not for a plan from before to lift. */
    expect_set_on(&terms, "eni5~d *=", "eni4=d", "eni5~d:1 eni4=d:0 *=:2");
}

/* Asked again at the edge to the kernel, whoever may have asked before. */
static void refuses_names_that_must_not_get_into_a_rule(void **state)
{
    static const char *const names[] = {"", ".", "a b", "a/b", "eni+"};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct guard guard = {0};
        struct plan plan = {.guards = &guard, .guard_count = 1};

        strcpy(guard.interface, names[i]);
        write_tag("a", plan.tag);
        assert_int_equal(iptables_accept(&plan, &err), -1);
        assert_int_equal(err.code, ERROR_KERNEL);
        strcpy(guard.interface, "eni1");
        strcpy(plan.tag, "nobody");
        assert_int_equal(iptables_accept(&plan, &err), -1);
        assert_int_equal(err.code, ERROR_KERNEL);
    }
}

static bool is_of(const struct held *held, const void *container)
{
    struct owner owner = {.network = "net", .container_id = container, .ifname = "eth0"};
    struct tag tag;

    assert_int_equal(held->families, FAMILY_IPV6);
    return tag_parse(held->tag, &tag) && owner_compare(&tag.owner, &owner) == 0;
}

static void takes_away_what_is_selected(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV6};
    cleanup(edits) struct edits edits = {0};
    struct selection selection = {.goes = is_of, .context = "a"};

    (void)state;
    snapshot.own = parse_chain("eni1=a x eni2=b eni3~a *= x");
    iptables_guards_unset(&snapshot, &selection, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own, "x:2 eni2=b:3 *=:5 x:6");
}

static void finds_what_stands_before_guards_and_others(void **state)
{
    static const struct {
        const char *chain;
        size_t intruder;
    } cases[] = {
        {"", 0},
        {"eni1=a", 1},
        {"eni1=a x", 2},
        {"x", 1},
        {"x eni1=a", 0},
        {"eni1=a x x eni2=a", 1},
        {"eni1=a *=", 2},
        {"eni1=a *= x", 3},
        {"eni1=a x *=", 1},
        {"*= eni1~a", 0},
        {"eni1=a *~ x eni2=a", 1},
        {"eni1=a *= x *=", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct chain chain = parse_chain(cases[i].chain);

        assert_int_equal(iptables_guards_intruder(&chain), cases[i].intruder);
        free(chain.rules);
    }
}

static void expect_others(const char *ipv4, const char *ipv6, enum verdict verdict,
                          uint64_t packets)
{
    cleanup(snapshot) struct snapshot first = {.family = FAMILY_IPV4, .own = parse_chain(ipv4)};
    cleanup(snapshot) struct snapshot second = {.family = FAMILY_IPV6, .own = parse_chain(ipv6)};
    struct listing listing = {0};

    iptables_guards_others(&first, &listing);
    iptables_guards_others(&second, &listing);
    assert_int_equal(listing.others.verdict, verdict);
    assert_int_equal(listing.others.packets, packets);
}

static void others_of_both_families_are_one(void **state)
{
    (void)state;
    expect_others("eni1=a *=", "*=", VERDICT_DROP, 3);
    expect_others("*=", "eni1=a *~", VERDICT_PASS, 3);
    expect_others("*~", "*=", VERDICT_PASS, 2);
    expect_others("eni1=a eni2=b *=", "", VERDICT_PASS, 3);
    expect_others("*=", NULL, VERDICT_PASS, 1);
    expect_others("*= *~", "*=", VERDICT_DROP, 2); /* the first one gets all packets */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_what_is_missing),
        cmocka_unit_test(leaves_what_is_right_and_its_counters),
        cmocka_unit_test(makes_anew_what_another_owner_or_verdict_had),
        cmocka_unit_test(keeps_the_counters_where_only_the_tag_is_new),
        cmocka_unit_test(leaves_one_guard_on_an_interface),
        cmocka_unit_test(takes_away_what_a_plan_no_longer_has),
        cmocka_unit_test(keeps_guards_in_front_of_what_is_foreign),
        cmocka_unit_test(others_get_a_rule_where_there_was_none),
        cmocka_unit_test(others_are_behind_all_guards_and_before_all_else),
        cmocka_unit_test(others_have_the_wanted_verdict_once),
        cmocka_unit_test(of_two_plans_for_an_interface_the_stricter_counts),
        cmocka_unit_test(takes_over_only_what_was_seen),
        cmocka_unit_test(refuses_names_that_must_not_get_into_a_rule),
        cmocka_unit_test(takes_away_what_is_selected),
        cmocka_unit_test(finds_what_stands_before_guards_and_others),
        cmocka_unit_test(others_of_both_families_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
