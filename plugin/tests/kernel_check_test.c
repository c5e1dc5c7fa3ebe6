#include "kernel/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BOTH   (FAMILY_IPV4 | FAMILY_IPV6)
#define OURS   "aws-cni/0123abc/eth0 2 default/web-0"
#define THEIRS "aws-cni/0123ab/eth0 1 default/web-0"

static struct guard wanted[] = {
    {.interface = "eni1", .direction = DIRECTION_IN, .verdict = VERDICT_DROP},
    {.interface = "vlan.eth.7", .direction = DIRECTION_OUT, .verdict = VERDICT_DROP},
};

static const struct plan plan = {.tag = OURS, .guards = wanted, .guard_count = 2};

static void hold(struct listing *listing, const char *interface, enum direction direction,
                 enum verdict verdict, const char *tag, unsigned families)
{
    struct held held = {.guard = {.direction = direction, .verdict = verdict},
                        .families = families};

    strcpy(held.guard.interface, interface);
    strcpy(held.tag, tag);
    assert_true(listing_add(listing, &held));
}

static void hold_plan(struct listing *listing)
{
    listing->present = true;
    listing->families = BOTH;
    hold(listing, "eni0", DIRECTION_IN, VERDICT_COUNT, THEIRS, BOTH);
    hold(listing, "eni1", DIRECTION_IN, VERDICT_DROP, OURS, BOTH);
    hold(listing, "vlan.eth.7", DIRECTION_OUT, VERDICT_DROP, OURS, BOTH);
}

static void expect(const struct listing *listing, size_t held, size_t wrong, const char *details)
{
    struct error findings = {0};
    struct check check = check_plan(&plan, "b", listing, &findings);

    assert_string_equal(findings.details, details);
    assert_int_equal(check.held, held);
    assert_int_equal(check.wrong, wrong);
}

static void a_whole_plan_is_right(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    expect(&listing, 2, 0, "");
}

static void a_family_that_the_kernel_lacks_is_not_missed(void **state)
{
    cleanup(listing) struct listing listing = {.families = FAMILY_IPV4, .present = true};

    (void)state;
    hold(&listing, "eni1", DIRECTION_IN, VERDICT_DROP, OURS, FAMILY_IPV4);
    hold(&listing, "vlan.eth.7", DIRECTION_OUT, VERDICT_DROP, OURS, FAMILY_IPV4);
    expect(&listing, 2, 0, "");
}

static void a_guard_may_be_listed_once_a_family(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    listing.held[1].families = FAMILY_IPV4;
    expect(&listing, 2, 1, "b: eni1 (in) is not guarded in IPv6");
    hold(&listing, "eni1", DIRECTION_IN, VERDICT_DROP, OURS, FAMILY_IPV6);
    expect(&listing, 3, 0, "");
}

static void nothing_held_is_all_missing(void **state)
{
    cleanup(listing) struct listing listing = {.families = BOTH};

    (void)state;
    expect(&listing, 0, 2,
           "b: eni1 (in) is not guarded in IPv4 and IPv6; "
           "b: vlan.eth.7 (out) is not guarded in IPv4 and IPv6");
    listing.families = 0; /* a backend that is not there at all */
    expect(&listing, 0, 2,
           "b: eni1 (in) is not guarded in IPv4 and IPv6; "
           "b: vlan.eth.7 (out) is not guarded in IPv4 and IPv6");
}

static void the_other_direction_is_no_guard(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    listing.held[1].guard.direction = DIRECTION_OUT;
    expect(&listing, 1, 1, "b: eni1 (in) is not guarded in IPv4 and IPv6");
}

static void everything_wrong_is_named(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    listing.held[1].guard.verdict = VERDICT_COUNT;
    listing.held[1].families = FAMILY_IPV6;
    strcpy(listing.held[2].tag, THEIRS);
    assert_true(listing_fault(&listing, "chain %s is gone", "X"));
    expect(&listing, 2, 4,
           "b: eni1 (in) has verdict count, not drop, in IPv6; "
           "b: eni1 (in) is not guarded in IPv4; "
           "b: vlan.eth.7 (out) belongs to " THEIRS ", in IPv4 and IPv6; "
           "b: chain X is gone");
}

static void a_rule_without_tag_is_nobodys(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    strcpy(listing.held[1].tag, "");
    expect(&listing, 2, 1, "b: eni1 (in) belongs to nobody (it has no tag), in IPv4 and IPv6");
}

/* Pod and number of guards are not the owner. */
static void the_rest_of_the_tag_does_not_matter(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    strcpy(listing.held[1].tag, "aws-cni/0123abc/eth0 1 -");
    expect(&listing, 2, 0, "");
}

static void a_fault_alone_is_wrong(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold_plan(&listing);
    for (int i = 0; i < 5; i++)
        assert_true(listing_fault(&listing, "fault %d", i));
    expect(&listing, 2, 5, "b: fault 0; b: fault 1; b: fault 2; b: fault 3; b: fault 4");
}

static void a_drop_elsewhere_contradicts_count(void **state)
{
    cleanup(listing) struct listing listing = {0};
    struct guard guards[] = {wanted[0], wanted[1]};
    struct plan counting = {.tag = OURS, .guards = guards, .guard_count = 2};
    struct error findings = {0};

    (void)state;
    hold_plan(&listing);
    assert_int_equal(check_contradictions(&counting, "b", &listing, &findings), 0);
    guards[0].verdict = VERDICT_COUNT;
    strcpy(listing.held[1].tag, THEIRS);
    assert_int_equal(check_contradictions(&counting, "b", &listing, &findings), 1);
    assert_string_equal(findings.details,
                        "b: eni1 (in) drops, but should only count; it belongs to " THEIRS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_plan_is_right),
        cmocka_unit_test(a_family_that_the_kernel_lacks_is_not_missed),
        cmocka_unit_test(a_guard_may_be_listed_once_a_family),
        cmocka_unit_test(nothing_held_is_all_missing),
        cmocka_unit_test(the_other_direction_is_no_guard),
        cmocka_unit_test(everything_wrong_is_named),
        cmocka_unit_test(a_rule_without_tag_is_nobodys),
        cmocka_unit_test(the_rest_of_the_tag_does_not_matter),
        cmocka_unit_test(a_fault_alone_is_wrong),
        cmocka_unit_test(a_drop_elsewhere_contradicts_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
