/*
 * Endpoints beyond the terms: read back from nf_tables' intervals, kept or let go.
 */
#include "kernel/nftables/endpoints.h"
#include "kernel/nftables/intervals.h"
#include "kernel/surplus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "10.0.0.0/8 fd00::1" into endpoints, as many as there are. */
static size_t parse(const char *list, struct endpoint *out)
{
    char text[400];
    char *rest = NULL;
    size_t count = 0;
    struct error err;

    snprintf(text, sizeof(text), "%s", list);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        assert_int_equal(endpoint_parse(word, &out[count++], &err), 0);
    return count;
}

static void expect(const struct endpoint *endpoints, size_t count, const char *expected)
{
    char all[400] = "";
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < count; i++) {
        endpoint_text(&endpoints[i], text);
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? " " : "", text);
    }
    assert_string_equal(all, expected);
}

/* Written as for the kernel, and read back as if it had sent that, are the same endpoints. */
static void expect_back(const char *list)
{
    cleanup(nft_messages) struct nft_messages messages = {0};
    cleanup(nft_intervals) struct nft_intervals intervals = {0};
    struct endpoint endpoints[16];
    const struct terms terms = {.endpoints = endpoints, .endpoint_count = parse(list, endpoints)};
    struct endpoint back[16];
    size_t count = 0;
    size_t cursor = 0;
    struct error err;

    for (size_t i = 0; i < ENDPOINT_SETS; i++)
        assert_int_equal(endpoints_make(&messages, &endpoint_sets[i], &terms, &err), 0);
    nft_messages_each(message, &messages)
        assert_int_equal(nft_intervals_take(&intervals, message, &err), 0);
    nft_intervals_sort(&intervals);
    while (nft_intervals_next(&intervals, &cursor, &back[count]))
        assert_true(++count < 16);
    expect(back, count, list);
}

static void reads_back_what_was_written(void **state)
{
    (void)state;
    expect_back("");
    expect_back("169.254.169.254 fd00:ec2::254");
    expect_back("10.64.0.0/10 10.128.0.0/9 128.0.0.0/1 fd00::/8 ff00::/8");
    expect_back("0.0.0.0/1 128.0.0.0/2 192.0.0.0/2");
    expect_back("10.0.0.255 10.0.1.0/24 10.0.2.0/31 255.255.255.255");
    expect_back("::/1 8000::/1");
    expect_back("2001:db8::1 2001:db8::2/127 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* What others have put there, and no configuration can say. */
static void skips_what_is_no_network(void **state)
{
    struct nft_edge edges[] = {
        {FAMILY_IPV4, {10, 0, 0, 1}, false},  {FAMILY_IPV4, {10, 0, 0, 3}, true},
        {FAMILY_IPV4, {10, 0, 1, 0}, false},  {FAMILY_IPV4, {10, 0, 1, 3}, true},
        {FAMILY_IPV4, {10, 0, 2, 0}, false},  {FAMILY_IPV4, {10, 0, 2, 2}, true},
        {FAMILY_IPV4, {10, 0, 3, 0}, true},   {FAMILY_IPV4, {10, 0, 4, 0}, false},
        {FAMILY_IPV4, {10, 0, 5, 0}, false},  {FAMILY_IPV4, {10, 0, 5, 1}, true},
        {FAMILY_IPV4, {192, 0, 0, 1}, false},
    };
    const struct nft_intervals intervals = {edges, sizeof(edges) / sizeof(*edges)};
    struct endpoint found[4];
    size_t count = 0;
    size_t cursor = 0;

    (void)state;
    while (nft_intervals_next(&intervals, &cursor, &found[count]))
        assert_true(++count < 4);
    expect(found, count, "10.0.2.0/31 10.0.5.0");
}

static void unites(const char *terms_list, const char *standing_list, const char *surplus,
                   const char *all)
{
    cleanup(listing) struct listing listing = {0};
    cleanup(free_memory) struct endpoint *room = NULL;
    struct endpoint wanted[8];
    struct endpoint standing[8];
    const struct terms terms = {.endpoints = wanted, .endpoint_count = parse(terms_list, wanted)};
    size_t count = parse(standing_list, standing);
    struct terms united;
    struct error err;

    for (size_t i = 0; i < count; i++)
        assert_true(surplus_add(&listing, &terms, &standing[i]));
    expect(listing.surplus, listing.surplus_count, surplus);
    assert_int_equal(surplus_unite(&listing, &terms, &room, &united, &err), 0);
    expect(united.endpoints, united.endpoint_count, all);
}

static void adds_to_what_stands(void **state)
{
    (void)state;
    unites("10.0.0.1", "", "", "10.0.0.1");
    unites("10.0.0.1", "10.0.0.1", "", "10.0.0.1");
    unites("10.0.0.1", "10.0.0.2 fd00::1 10.0.0.2", "10.0.0.2 fd00::1",
           "10.0.0.1 10.0.0.2 fd00::1");
    unites("10.0.0.0/24", "10.0.0.1", "", "10.0.0.0/24");
    unites("10.0.0.1", "10.0.0.0/24", "10.0.0.0/24", "10.0.0.0/24");
}

static void goes_only_if_all_agree(void **state)
{
    struct held held[] = {{.tag = "net/a/eth0 1 -"}, {.tag = "net/b/eth0 1 -"}};
    const struct listing listing = {.held = held, .held_count = 2};
    const char *both[] = {held[0].tag, held[1].tag};
    const struct tags all = {both, 2};
    const struct tags one = {both, 1};
    const struct tags none = {0};

    (void)state;
    assert_true(surplus_may_go(&listing, &(struct terms){.agreed = &all}));
    assert_false(surplus_may_go(&listing, &(struct terms){.agreed = &one}));
    assert_false(surplus_may_go(&listing, &(struct terms){.agreed = &none}));
    assert_false(surplus_may_go(&listing, &(struct terms){.agreed = NULL}));
    assert_true(surplus_may_go(&(struct listing){0}, &(struct terms){.agreed = &none}));
    assert_false(surplus_may_go(&(struct listing){0}, &(struct terms){.agreed = NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(skips_what_is_no_network),
        cmocka_unit_test(adds_to_what_stands),
        cmocka_unit_test(goes_only_if_all_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
