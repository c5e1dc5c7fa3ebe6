#include "kernel/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hold(struct listing *listing, const char *interface)
{
    struct held held = {.families = FAMILY_IPV4};

    strcpy(held.guard.interface, interface);
    listing_add(listing, &held);
    assert_false(listing->incomplete);
}

static size_t find(const struct listing *listing, const char *interface)
{
    size_t count = 99;
    const struct held *found = listing_find(listing, interface, &count);

    assert_int_equal(found != NULL, count > 0);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(found[i].guard.interface, interface);
    return count;
}

static void nothing_is_found_in_nothing(void **state)
{
    const struct listing listing = {0};

    (void)state;
    assert_int_equal(find(&listing, "eni1"), 0);
}

static void all_on_an_interface_are_found_and_no_others(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold(&listing, "vlan1");
    hold(&listing, "eni2");
    hold(&listing, "eni1");
    hold(&listing, "eni2");
    hold(&listing, "eni2");
    qsort(listing.held, listing.held_count, sizeof(*listing.held), held_compare);
    assert_int_equal(find(&listing, "eni1"), 1);
    assert_int_equal(find(&listing, "eni2"), 3);
    assert_int_equal(find(&listing, "vlan1"), 1);
    assert_int_equal(find(&listing, "eni0"), 0);
    assert_int_equal(find(&listing, "eni"), 0);
    assert_int_equal(find(&listing, "zzz"), 0);
}

static struct endpoint endpoint(const char *text)
{
    struct endpoint endpoint = {0};
    struct error err = {0};

    assert_int_equal(endpoint_parse(text, &endpoint, &err), 0);
    return endpoint;
}

static void add_surplus(struct listing *listing, const struct terms *terms, const char *text)
{
    const struct endpoint standing = endpoint(text);

    listing_surplus(listing, terms, &standing);
    assert_false(listing->incomplete);
}

static void assert_endpoints(const struct endpoint *endpoints, size_t count, const char *expected)
{
    char all[256] = "";

    for (size_t i = 0; i < count; i++) {
        char text[ENDPOINT_TEXT_SIZE];

        endpoint_text(&endpoints[i], text);
        strcat(strcat(all, text), " ");
    }
    assert_string_equal(all, expected);
}

/* What stands for 10.0.0.1 alone, with 10.0.1.0/24 and others that pass or do not. */
static void expect_terms(struct terms terms, enum verdict others, const char *endpoints)
{
    const struct endpoint wanted = endpoint("10.0.0.1");
    cleanup(listing) struct listing listing = {.present = true, .others.verdict = VERDICT_DROP};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms out;
    struct error err = {0};

    terms.endpoints = &wanted;
    terms.endpoint_count = 1;
    terms.lock_timeout_seconds = 7;
    add_surplus(&listing, &terms, "10.0.1.0/24");
    assert_int_equal(listing_terms(&listing, &terms, &room, &out, &err), 0);
    assert_endpoints(out.endpoints, out.endpoint_count, endpoints);
    assert_int_equal(out.others, others);
    assert_int_equal(out.lock_timeout_seconds, 7);
}

static void surplus_is_what_the_terms_do_not_have_once_each(void **state)
{
    const struct endpoint wanted[] = {endpoint("10.0.0.0/24"), endpoint("fd00::1")};
    const struct terms terms = {.endpoints = wanted, .endpoint_count = 2};
    cleanup(listing) struct listing listing = {0};

    (void)state;
    add_surplus(&listing, &terms, "10.0.0.9");
    add_surplus(&listing, &terms, "fd00::1");
    assert_int_equal(listing.surplus_count, 0);
    add_surplus(&listing, &terms, "10.0.0.0/8");
    add_surplus(&listing, &terms, "10.1.0.1"); /* within the one before */
    add_surplus(&listing, &terms, "fd00::2");
    add_surplus(&listing, &terms, "fd00::2");
    assert_endpoints(listing.surplus, listing.surplus_count, "10.0.0.0/8 fd00::2 ");
}

static void who_knows_one_pod_only_tightens(void **state)
{
    (void)state;
    expect_terms((struct terms){.others = VERDICT_PASS}, VERDICT_DROP, "10.0.0.1 10.0.1.0/24 ");
    expect_terms((struct terms){.others = VERDICT_REJECT}, VERDICT_DROP, "10.0.0.1 10.0.1.0/24 ");
}

static void who_knows_the_node_sets_exactly(void **state)
{
    (void)state;
    expect_terms((struct terms){.others = VERDICT_PASS, .exactly = true}, VERDICT_PASS,
                 "10.0.0.1 ");
    expect_terms((struct terms){.others = VERDICT_REJECT, .exactly = true}, VERDICT_REJECT,
                 "10.0.0.1 ");
}

static void beside_nothing_terms_are_as_they_are(void **state)
{
    const struct terms terms = {.others = VERDICT_PASS};
    const struct listing nothing = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct terms out;
    struct error err = {0};

    (void)state;
    assert_int_equal(listing_terms(&nothing, &terms, &room, &out, &err), 0);
    assert_int_equal(out.others, VERDICT_PASS);
    assert_int_equal(out.endpoint_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_nothing),
        cmocka_unit_test(all_on_an_interface_are_found_and_no_others),
        cmocka_unit_test(surplus_is_what_the_terms_do_not_have_once_each),
        cmocka_unit_test(who_knows_one_pod_only_tightens),
        cmocka_unit_test(who_knows_the_node_sets_exactly),
        cmocka_unit_test(beside_nothing_terms_are_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
