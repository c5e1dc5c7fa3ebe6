#include "kernel/iptables/guards.h"

#include "iptables_chains.h"

/*
 * What stands in IMDS-GUARD becomes, with plans for these guards (each of its own owner, but for
 * those with the same name after '=' or '~', which are one plan's), what is expected.
 */
static void expect_set(const char *before, const char *plans_text, const char *expected)
{
    struct chain wishes = parse_chain(plans_text, DIRECTION_IN);
    struct guard guards[32];
    struct plan plans[32] = {0};
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV4};
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};
    cleanup(edits) struct edits again = {0};
    size_t count = 0;
    struct error err;

    snapshot.own[DIRECTION_IN] = parse_chain(before, DIRECTION_IN);
    snapshot.own[DIRECTION_OUT] = parse_chain("", DIRECTION_OUT);
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
    assert_int_equal(iptables_wanted_make(plans, count, &wanted, &err), 0);
    assert_int_equal(iptables_guards_set(&snapshot, &wanted, &edits, &err), 0);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own[DIRECTION_IN], expected);
    assert_int_equal(snapshot.own[DIRECTION_OUT].rule_count, 0);
    /* What is right is not written again. */
    assert_int_equal(iptables_guards_set(&snapshot, &wanted, &again, &err), 0);
    assert_int_equal(again.count, 0);
}

static void makes_what_is_missing(void **state)
{
    (void)state;
    expect_set("", "eni1=a", "eni1=a:0");
    expect_set("eni1=a eni2~b", "eni3=c eni4~d", "eni1=a:1 eni2~b:2 eni3=c:0 eni4~d:0");
}

static void leaves_what_is_right_and_its_counters(void **state)
{
    (void)state;
    expect_set("eni1=a eni2=b", "eni1=a eni2=b", "eni1=a:1 eni2=b:2");
}

static void overwrites_in_place_what_another_owner_or_verdict_had(void **state)
{
    (void)state;
    expect_set("eni0=z eni1=a eni2=b", "eni1=new", "eni0=z:1 eni1=new:0 eni2=b:3");
    expect_set("eni1=a", "eni1~a", "eni1~a:0");
    expect_set("eni1~a", "eni1=a", "eni1=a:0");
}

static void leaves_one_guard_on_an_interface(void **state)
{
    (void)state;
    expect_set("eni1~a eni1=b eni1=a eni1=c", "eni1=a", "eni1=a:0");
    expect_set("eni1=a eni1=a", "eni1=a", "eni1=a:1");
}

static void takes_away_what_a_plan_no_longer_has(void **state)
{
    (void)state;
    expect_set("eni1=a eni2=a eni3=b", "eni2=a", "eni2=a:2 eni3=b:3");
    expect_set("eni1=a eni2=ab", "eni9=a", "eni2=ab:2 eni9=a:0");
}

static void keeps_guards_in_front_of_what_is_foreign(void **state)
{
    (void)state;
    expect_set("x eni1=a eni2=b", "eni1=a", "eni1=a:2 eni2=b:3 x:1");
    expect_set("eni1=a x eni2=b x", "eni3=c", "eni1=a:1 eni2=b:3 eni3=c:0 x:2 x:4");
    expect_set("x eni1=old", "eni1=new", "eni1=new:0 x:1");
    expect_set("x x", "eni1=a", "eni1=a:0 x:1 x:2");
    expect_set("eni1=old x eni1=new", "eni1=new", "eni1=new:0 x:2");
}

static void of_two_plans_for_an_interface_the_later_counts(void **state)
{
    (void)state;
    expect_set("", "eni1=a eni1~b eni2=c", "eni1~b:0 eni2=c:0");
}

static void minds_the_direction(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV4};
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};
    struct guard guards[] = {
        {.interface = "vlan.eth.1", .direction = DIRECTION_OUT},
        {.interface = "vlan.eth.1", .direction = DIRECTION_IN},
    };
    struct plan plan = {.guards = guards, .guard_count = 2};
    struct error err;

    (void)state;
    write_tag("a", plan.tag);
    snapshot.own[DIRECTION_IN] = parse_chain("", DIRECTION_IN);
    snapshot.own[DIRECTION_OUT] = parse_chain("vlan.eth.1=old eni1=a", DIRECTION_OUT);
    assert_int_equal(iptables_wanted_make(&plan, 1, &wanted, &err), 0);
    assert_int_equal(iptables_guards_set(&snapshot, &wanted, &edits, &err), 0);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own[DIRECTION_IN], "vlan.eth.1=a:0");
    assert_chain(&snapshot.own[DIRECTION_OUT], "vlan.eth.1=a:0");
}

/* Asked again at the edge to the kernel, whoever may have asked before. */
static void refuses_names_that_must_not_get_into_a_rule(void **state)
{
    static const char *const names[] = {"", ".", "a b", "a/b", "eni+"};
    struct wanted wanted;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct guard guard = {0};
        struct plan plan = {.guards = &guard, .guard_count = 1};

        strcpy(guard.interface, names[i]);
        write_tag("a", plan.tag);
        assert_int_equal(iptables_wanted_make(&plan, 1, &wanted, &err), -1);
        assert_int_equal(err.code, ERROR_KERNEL);
        strcpy(guard.interface, "eni1");
        strcpy(plan.tag, "nobody");
        assert_int_equal(iptables_wanted_make(&plan, 1, &wanted, &err), -1);
        assert_int_equal(err.code, ERROR_KERNEL);
    }
}

static bool is_of(const struct held *held, const void *container)
{
    struct owner owner = {.network = "net", .container_id = container, .ifname = "eth0"};

    assert_int_equal(held->families, FAMILY_IPV6);
    return tag_is_owned_by(held->tag, &owner);
}

static void takes_away_what_is_selected(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = {.family = FAMILY_IPV6};
    cleanup(edits) struct edits edits = {0};
    struct selection selection = {.goes = is_of, .context = "a"};
    struct error err;

    (void)state;
    snapshot.own[DIRECTION_IN] = parse_chain("eni1=a x eni2=b eni3~a x", DIRECTION_IN);
    snapshot.own[DIRECTION_OUT] = parse_chain("vlan.eth.1=a", DIRECTION_OUT);
    assert_int_equal(iptables_guards_unset(&snapshot, &selection, &edits, &err), 0);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.own[DIRECTION_IN], "x:2 eni2=b:3 x:5");
    assert_chain(&snapshot.own[DIRECTION_OUT], "");
}

static void finds_what_stands_before_guards(void **state)
{
    static const struct {
        const char *chain;
        size_t intruder;
    } cases[] = {{"", 0},  {"eni1=a", 1},   {"eni1=a x", 2},
                 {"x", 1}, {"x eni1=a", 0}, {"eni1=a x x eni2=a", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct chain chain = parse_chain(cases[i].chain, DIRECTION_IN);

        assert_int_equal(iptables_guards_intruder(&chain), cases[i].intruder);
        free(chain.rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_what_is_missing),
        cmocka_unit_test(leaves_what_is_right_and_its_counters),
        cmocka_unit_test(overwrites_in_place_what_another_owner_or_verdict_had),
        cmocka_unit_test(leaves_one_guard_on_an_interface),
        cmocka_unit_test(takes_away_what_a_plan_no_longer_has),
        cmocka_unit_test(keeps_guards_in_front_of_what_is_foreign),
        cmocka_unit_test(of_two_plans_for_an_interface_the_later_counts),
        cmocka_unit_test(minds_the_direction),
        cmocka_unit_test(refuses_names_that_must_not_get_into_a_rule),
        cmocka_unit_test(takes_away_what_is_selected),
        cmocka_unit_test(finds_what_stands_before_guards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
