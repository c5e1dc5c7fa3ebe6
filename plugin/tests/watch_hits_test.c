#include "node/watch/hits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct owner owner = {"aws-cni", "c0ffee", "eth0"};
static struct held held[] = {
    {.guard = {.interface = "eni1", .verdict = VERDICT_DROP},
     .tag = "aws-cni/c0ffee/eth0 1 shop/web-0"},
    {.guard = {.interface = "eni2", .verdict = VERDICT_PASS},
     .tag = "aws-cni/decaf0/eth0 1 kube-system/csi"},
};
static struct holdings holdings;
static char told[256];

static void tell(void *context, const char *tag, const struct guard *guard, uint64_t packets)
{
    char text[128];

    (void)context;
    snprintf(text, sizeof(text), "%s%.20s:%d;", guard->interface, tag, (int)packets);
    strcat(told, text);
}

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        holdings.items[i] = (struct holding){.backend = backends[i]};
    holdings.items[0].listing = (struct listing){.held = held, .held_count = 2, .present = true};
    held[0].packets = held[1].packets = 7;
    told[0] = '\0';
    return 0;
}

static void expect(struct hits *hits, time_t now, const char *what)
{
    hits_look(hits, &holdings, now, tell, NULL);
    assert_string_equal(told, what);
    told[0] = '\0';
}

static time_t last(const struct hits *hits)
{
    return hits_last(hits, "nftables", &owner, "eni1", VERDICT_DROP);
}

static void the_first_look_only_remembers(void **state)
{
    struct hits hits = {0};

    (void)state;
    expect(&hits, 1000, "");
    assert_int_equal(last(&hits), 0);
    expect(&hits, 1001, "");
    assert_int_equal(last(&hits), 0);
    hits_free(&hits);
}

static void a_counter_that_moves_has_its_time_and_is_told_once(void **state)
{
    struct hits hits = {0};

    (void)state;
    expect(&hits, 1000, "");
    held[0].packets += 3;
    expect(&hits, 1001, "eni1aws-cni/c0ffee/eth0 :3;");
    assert_int_equal(last(&hits), 1001);
    expect(&hits, 1002, "");
    assert_int_equal(last(&hits), 1001);
    held[0].packets++;
    expect(&hits, 1003, "");
    assert_int_equal(last(&hits), 1003);
    held[0].packets++;
    expect(&hits, 1003 + HITS_QUIET_SECONDS + 1, "eni1aws-cni/c0ffee/eth0 :1;");
    hits_free(&hits);
}

static void what_passes_has_its_time_and_is_not_told(void **state)
{
    const struct owner exempt = {"aws-cni", "decaf0", "eth0"};
    struct hits hits = {0};

    (void)state;
    expect(&hits, 1000, "");
    held[1].packets++;
    expect(&hits, 1001, "");
    assert_int_equal(hits_last(&hits, "nftables", &exempt, "eni2", VERDICT_PASS), 1001);
    hits_free(&hits);
}

static void a_guard_that_was_set_anew_counts_from_nothing(void **state)
{
    struct hits hits = {0};

    (void)state;
    expect(&hits, 1000, "");
    held[0].packets = 0;
    expect(&hits, 1001, "");
    assert_int_equal(last(&hits), 0);
    held[0].packets = 2;
    expect(&hits, 1002, "eni1aws-cni/c0ffee/eth0 :2;");
    hits_free(&hits);
}

static void a_pod_that_comes_and_asks_is_told(void **state)
{
    struct hits hits = {0};

    (void)state;
    holdings.items[0].listing.held_count = 0;
    expect(&hits, 1000, "");
    holdings.items[0].listing.held_count = 1;
    expect(&hits, 1001, "eni1aws-cni/c0ffee/eth0 :7;");
    hits_free(&hits);
}

static void others_have_a_counter_as_well(void **state)
{
    struct hits hits = {0};

    (void)state;
    expect(&hits, 1000, "");
    holdings.items[0].listing.others.packets = 1;
    expect(&hits, 1001, ":1;");
    assert_int_equal(hits_last(&hits, "nftables", NULL, "", VERDICT_DROP), 1001);
    assert_int_equal(hits_last(&hits, "iptables", NULL, "", VERDICT_DROP), 0);
    hits_free(&hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_look_only_remembers, begin),
        cmocka_unit_test_setup(a_counter_that_moves_has_its_time_and_is_told_once, begin),
        cmocka_unit_test_setup(what_passes_has_its_time_and_is_not_told, begin),
        cmocka_unit_test_setup(a_guard_that_was_set_anew_counts_from_nothing, begin),
        cmocka_unit_test_setup(a_pod_that_comes_and_asks_is_told, begin),
        cmocka_unit_test_setup(others_have_a_counter_as_well, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
