/* What the skeleton has for IPVS: while ip_vs is loaded it is not whole without, and then not with it. */
#include "kernel/ipvs.h"
#include "kernel/nftables/skeleton.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool loaded;

bool __wrap_ipvs_is_loaded(void);

bool __wrap_ipvs_is_loaded(void)
{
    return loaded;
}

static struct endpoint endpoint = {FAMILY_IPV4, {169, 254, 169, 254}, 32};
static const struct terms terms = {.endpoints = &endpoint, .endpoint_count = 1};

/* What is made while ip_vs is loaded, or is not. */
static void make(struct netlink_messages *messages, enum verdict others, bool ipvs)
{
    loaded = ipvs;
    skeleton_make(messages, &terms,
                  &(struct shape){.others.verdict = others, .refusing = others == VERDICT_REJECT});
}

/* The first fault that is found in it while ip_vs is loaded, or is not; "" for none. */
static void judge(const struct netlink_messages *messages, enum verdict others, bool ipvs,
                  char out[static 256])
{
    cleanup(nft_facts) struct nft_facts facts = {0};
    cleanup(listing) struct listing listing = {.others = {.verdict = others}};
    struct verdict_on_skeleton verdict = {0};
    struct error err = {0};

    loaded = ipvs;
    netlink_messages_each(message, messages)
        assert_int_equal(nft_facts_take(&facts, message, &err), 0);
    assert_int_equal(skeleton_judge(&facts, &terms, &listing, &verdict, &err), 0);
    assert_int_equal(verdict.broken || verdict.rules_wrong, listing.fault_count > 0);
    snprintf(out, 256, "%s", listing.fault_count > 0 ? listing.faults[0] : "");
}

static void expect(enum verdict others, bool made, bool judged, const char *fault)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    char found[256];

    make(&messages, others, made);
    judge(&messages, others, judged, found);
    assert_string_equal(found, fault);
}

static void nothing_is_there_for_ipvs_where_it_cannot_be(void **state)
{
    cleanup(netlink_messages) struct netlink_messages with = {0};
    cleanup(netlink_messages) struct netlink_messages without = {0};

    (void)state;
    make(&with, VERDICT_DROP, true);
    make(&without, VERDICT_DROP, false);
    assert_int_equal(with.count, without.count + 1 + 1); /* a chain, and a rule for the endpoint */
    expect(VERDICT_DROP, false, false, "");
    expect(VERDICT_DROP, true, true, "");
}

static void a_table_from_before_ip_vs_lacks_it(void **state)
{
    (void)state;
    expect(VERDICT_DROP, false, true, "chain postrouting is missing");
}

static void a_table_from_before_it_went_has_too_much(void **state)
{
    (void)state;
    expect(VERDICT_PASS, true, false, "chain postrouting should not be there");
}

/* The kernel takes no chain that rejects and that POSTROUTING leads to. */
static void nobody_is_rejected_where_ipvs_can_be(void **state)
{
    (void)state;
    expect(VERDICT_REJECT, true, true, "");
    expect(VERDICT_REJECT, false, true, "rule of chain refuse 1 is another one");
    expect(VERDICT_REJECT, true, false, "rule of chain refuse 1 is another one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_there_for_ipvs_where_it_cannot_be),
        cmocka_unit_test(a_table_from_before_ip_vs_lacks_it),
        cmocka_unit_test(a_table_from_before_it_went_has_too_much),
        cmocka_unit_test(nobody_is_rejected_where_ipvs_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
