#include "kernel/iptables/skeleton.h"

#include "iptables_chains.h"

static struct endpoint endpoints[3];
static struct terms terms = {.endpoints = endpoints, .endpoint_count = 3};

static int parse_endpoints(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(endpoint_parse("169.254.169.254", &endpoints[0], &err), 0);
    assert_int_equal(endpoint_parse("192.0.2.0/24", &endpoints[1], &err), 0);
    assert_int_equal(endpoint_parse("fd00:ec2::254", &endpoints[2], &err), 0);
    return 0;
}

static struct snapshot snapshot_of(enum family family, const char *hook, const char *own)
{
    return (struct snapshot){
        .family = family,
        .hook = parse_chain(hook),
        .own = parse_chain(own),
    };
}

static void expect_made(enum family family, const char *hook, const char *expected)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of(family, hook, "");
    cleanup(edits) struct edits edits = {0};
    cleanup(edits) struct edits again = {0};

    iptables_skeleton_make(&snapshot, &terms, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_chain(&snapshot.hook, expected);
    iptables_skeleton_make(&snapshot, &terms, &again);
    assert_false(again.incomplete);
    assert_int_equal(again.count, 0);
}

static void makes_everything_from_nothing(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of(FAMILY_IPV6, "x", NULL);
    cleanup(edits) struct edits edits = {0};

    (void)state;
    iptables_skeleton_make(&snapshot, &terms, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_true(snapshot.own.exists);
    assert_false(snapshot.old.exists);
    assert_chain(&snapshot.hook, ">fd00:ec2::254:0 x:1");
}

/* What 0.1.0 left on a node with branch ENIs; the guards of the other chain are not touched. */
static struct snapshot snapshot_of_old(void)
{
    struct snapshot snapshot = snapshot_of(FAMILY_IPV6, ">fd00:ec2::254 x", "eni1=a x");

    snapshot.old = parse_chain("");
    snapshot.old_hook = parse_chain(">fd00:ec2::254 x >fd00::1 x");
    return snapshot;
}

static void takes_away_what_an_older_version_left(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of_old();
    cleanup(edits) struct edits edits = {0};
    cleanup(edits) struct edits again = {0};

    (void)state;
    assert_true(iptables_skeleton_present(&snapshot));
    iptables_skeleton_make(&snapshot, &terms, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_false(snapshot.old.exists);
    assert_chain(&snapshot.old_hook, "x:2 x:4");
    assert_chain(&snapshot.hook, ">fd00:ec2::254:1 x:2");
    assert_chain(&snapshot.own, "eni1=a:1 x:2");
    iptables_skeleton_make(&snapshot, &terms, &again);
    assert_false(again.incomplete);
    assert_int_equal(again.count, 0);
}

static void takes_everything_of_an_older_version_away(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of_old();
    cleanup(snapshot) struct snapshot rest = snapshot_of(FAMILY_IPV6, "x", NULL);
    cleanup(edits) struct edits edits = {0};
    cleanup(edits) struct edits more = {0};

    (void)state;
    iptables_skeleton_unmake(&snapshot, &edits);
    assert_false(edits.incomplete);
    carry_out(&snapshot, &edits);
    assert_false(iptables_skeleton_present(&snapshot));
    assert_chain(&snapshot.hook, "x:2");
    assert_chain(&snapshot.old_hook, "x:2 x:4");
    /* Only the further chain is left, as if somebody had removed the other one. */
    rest.old = parse_chain("");
    rest.old_hook = parse_chain(">fd00:ec2::254");
    assert_true(iptables_skeleton_present(&rest));
    iptables_skeleton_unmake(&rest, &more);
    assert_false(more.incomplete);
    carry_out(&rest, &more);
    assert_false(iptables_skeleton_present(&rest));
    assert_chain(&rest.old_hook, "");
}

static void puts_the_jumps_first(void **state)
{
    (void)state;
    expect_made(FAMILY_IPV4, "", ">169.254.169.254:0 >192.0.2.0/24:0");
    expect_made(FAMILY_IPV4, "x >169.254.169.254 >192.0.2.0/24",
                ">169.254.169.254:0 >192.0.2.0/24:0 x:1");
    expect_made(FAMILY_IPV4, ">169.254.169.254 x >192.0.2.0/24 x",
                ">169.254.169.254:0 >192.0.2.0/24:0 x:2 x:4");
}

static void leaves_jumps_that_are_right(void **state)
{
    (void)state;
    expect_made(FAMILY_IPV4, ">192.0.2.0/24 >169.254.169.254 x",
                ">192.0.2.0/24:1 >169.254.169.254:2 x:3");
}

static void takes_away_jumps_that_are_stale_or_double(void **state)
{
    (void)state;
    expect_made(FAMILY_IPV6, ">fd00:ec2::254 x >fd00::1", ">fd00:ec2::254:0 x:2");
    expect_made(FAMILY_IPV6, ">fd00:ec2::254 >fd00:ec2::254 x", ">fd00:ec2::254:0 x:3");
}

static void takes_everything_away(void **state)
{
    cleanup(snapshot) struct snapshot snapshot =
        snapshot_of(FAMILY_IPV4, ">169.254.169.254 x >10.0.0.1", "eni1=a *= x");
    cleanup(edits) struct edits edits = {0};
    size_t guards = 0;

    (void)state;
    iptables_skeleton_unmake(&snapshot, &edits);
    assert_false(edits.incomplete);
    for (size_t i = 0; i < edits.count; i++)
        guards += edits.items[i].kind == EDIT_DELETE_RULE && edits.items[i].rule.kind == RULE_GUARD;
    assert_int_equal(guards, 1);
    assert_true(iptables_skeleton_present(&snapshot));
    carry_out(&snapshot, &edits);
    assert_false(iptables_skeleton_present(&snapshot));
    assert_chain(&snapshot.hook, "x:2");
}

static void nothing_there_needs_no_edit_to_take_it_away(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of(FAMILY_IPV4, "x", NULL);
    cleanup(edits) struct edits edits = {0};

    (void)state;
    iptables_skeleton_unmake(&snapshot, &edits);
    assert_false(edits.incomplete);
    assert_int_equal(edits.count, 0);
}

/* `part`: NULL, or what the one fault says. */
static void expect_fault(const char *hook, const char *own, const struct terms *known,
                         const char *part)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of(FAMILY_IPV6, hook, own);
    cleanup(listing) struct listing listing = {0};

    iptables_skeleton_faults(&snapshot, "ip6tables", known, &listing);
    assert_false(listing.incomplete);
    assert_int_equal(listing.fault_count, part ? 1 : 0);
    if (part && !strstr(listing.faults[0], part))
        fail_msg("'%s' does not say '%s'", listing.faults[0], part);
}

static void says_what_is_wrong(void **state)
{
    const struct terms unknown = {0};

    (void)state;
    expect_fault(">fd00:ec2::254 x", "eni1=a *= x", &terms, NULL);
    expect_fault("x", NULL, &terms, "ip6tables: chain IMDS-GUARD of table mangle is missing");
    expect_fault("x", "eni1=a *=", &terms, "has no jump to IMDS-GUARD for fd00:ec2::254");
    expect_fault(">fd00:ec2::254 >fd00::1", "*=", &terms, NULL); /* another's endpoint */
    expect_fault(">fd00:ec2::/32 x", "*=", &terms, NULL);
    expect_fault("x >fd00:ec2::254", "*=", &terms,
                 "rule 1 of FORWARD of table mangle stands before");
    expect_fault(">fd00:ec2::254", "eni1=a x eni2=b *=", &terms, "rule 2 of IMDS-GUARD");
    expect_fault(">fd00:ec2::254", "eni1=a x *=", &terms, "rule 2 of IMDS-GUARD");
    expect_fault(">fd00:ec2::254", "*= eni1~a", &terms, "rule 1 of IMDS-GUARD");
    expect_fault(">fd00:ec2::254", "eni1=a x", &terms,
                 "ip6tables: IMDS-GUARD of table mangle does not end with a rule for who has no");
    /* Another verdict is none: that is for who compares it with the configuration. */
    expect_fault(">fd00:ec2::254", "eni1=a *~", &terms, NULL);
    expect_fault(">fd00::1", "", &unknown, NULL);
    expect_fault("x >fd00::1", "", &unknown, "rule 1 of FORWARD");
    expect_fault(">fd00::1", "x *=", &unknown, "rule 1 of IMDS-GUARD");
}

/* Denies what is denied anyhow, and goes with the next apply. */
static void what_an_older_version_left_is_no_fault(void **state)
{
    cleanup(snapshot) struct snapshot snapshot = snapshot_of(FAMILY_IPV6, ">fd00:ec2::254", "*=");
    cleanup(listing) struct listing listing = {0};

    (void)state;
    snapshot.old.exists = true;
    iptables_skeleton_faults(&snapshot, "ip6tables", &terms, &listing);
    assert_false(listing.incomplete);
    assert_int_equal(listing.fault_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_everything_from_nothing),
        cmocka_unit_test(takes_away_what_an_older_version_left),
        cmocka_unit_test(takes_everything_of_an_older_version_away),
        cmocka_unit_test(puts_the_jumps_first),
        cmocka_unit_test(leaves_jumps_that_are_right),
        cmocka_unit_test(takes_away_jumps_that_are_stale_or_double),
        cmocka_unit_test(takes_everything_away),
        cmocka_unit_test(nothing_there_needs_no_edit_to_take_it_away),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(what_an_older_version_left_is_no_fault),
    };

    return cmocka_run_group_tests(tests, parse_endpoints, NULL);
}
