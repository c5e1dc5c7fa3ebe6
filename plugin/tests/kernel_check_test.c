/* CHECK's question to the kernel, with holdings made by hand: what is wrong is named, all of it. */
#include "kernel_holdings.h"

#include "kernel/backends.h"

static struct holdings node; /* what the next look finds; it takes it */

int __wrap_holdings_gather(const struct terms *terms, struct holdings *out, struct error *err);

int __wrap_holdings_gather(const struct terms *terms, struct holdings *out, struct error *err)
{
    (void)terms, (void)err;
    *out = node;
    node = empty_holdings();
    return 0;
}

static struct guard wanted[] = {{.interface = "eni1"}, {.interface = "eni2"}};

static void expect(enum verdict others, const char *details)
{
    const struct plan plan = {.tag = TAG_X, .guards = wanted, .guard_count = 2};
    const struct terms terms = {.others = others};
    struct error err = {.code = ERROR_NONE};

    if (!details) {
        assert_int_equal(guards_check(&plan, &terms, &err), 0);
        assert_int_equal(err.code, ERROR_NONE);
        return;
    }
    assert_int_equal(guards_check(&plan, &terms, &err), -1);
    assert_int_equal(err.code, ERROR_GUARD_MISSING);
    assert_non_null(strstr(err.msg, "aws-cni/x/eth0: re-create the pod, or run imds-guard sync"));
    assert_string_equal(err.details, details);
}

static void a_whole_plan_is_right(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_DROP, "eni0=pass:y eni1=drop:x eni2=drop:x");
    expect(VERDICT_DROP, NULL);
}

static void a_plan_may_stand_in_two_backends(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    holds(&node, IPTABLES, VERDICT_DROP, "eni2=drop:x");
    expect(VERDICT_DROP, NULL);
}

static void nothing_held_is_all_open(void **state)
{
    (void)state;
    node = empty_holdings();
    expect(VERDICT_DROP, "eni1 (drop): open: packets pass that should be denied; "
                         "eni2 (drop): open: packets pass that should be denied; "
                         "nothing stops the packets of who has no guard");
}

static void everything_wrong_is_named(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_DROP, "eni1=drop:y");
    node.items[IPTABLES].unread = strdup("iptables: no memory");
    expect(VERDICT_DROP, "eni1 (drop): its guard belongs to another attachment; "
                         "eni2 (drop): no guard of its own: it has the verdict for others; "
                         "iptables: no memory");
}

static void an_exemption_that_is_lost_is_named(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_DROP, "eni1=drop:x");
    wanted[1].verdict = VERDICT_PASS;
    expect(VERDICT_DROP, "eni2 (pass): packets are denied that should pass");
    wanted[1].verdict = VERDICT_DROP;
}

static void the_skeletons_faults_are_named_with_what_they_break(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_DROP, "eni1=drop:x eni2=drop:x");
    listing_fault(&node.items[NFTABLES].listing, "chain %s is gone", "X");
    listing_fault(&node.items[NFTABLES].listing, "set %s is gone", "Y");
    expect(VERDICT_DROP, "eni1 (drop): open: packets pass that should be denied; "
                         "eni2 (drop): open: packets pass that should be denied; "
                         "nothing stops the packets of who has no guard; "
                         "nftables: chain X is gone; nftables: set Y is gone");
}

/* The pod's own guard is right, but the node would be open to whatever the chain has missed. */
static void others_that_pass_are_wrong_where_they_shall_not(void **state)
{
    (void)state;
    node = empty_holdings();
    holds(&node, NFTABLES, VERDICT_PASS, "eni1=drop:x eni2=drop:x");
    expect(VERDICT_DROP, "nothing stops the packets of who has no guard");
    holds(&node, NFTABLES, VERDICT_PASS, "eni1=drop:x eni2=drop:x");
    expect(VERDICT_PASS, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_plan_is_right),
        cmocka_unit_test(a_plan_may_stand_in_two_backends),
        cmocka_unit_test(nothing_held_is_all_open),
        cmocka_unit_test(everything_wrong_is_named),
        cmocka_unit_test(an_exemption_that_is_lost_is_named),
        cmocka_unit_test(the_skeletons_faults_are_named_with_what_they_break),
        cmocka_unit_test(others_that_pass_are_wrong_where_they_shall_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
