#include "kernel/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct guard guard(const char *interface, enum direction direction, enum verdict verdict)
{
    struct guard guard = {.direction = direction, .verdict = verdict};

    strcpy(guard.interface, interface);
    return guard;
}

static void hold(struct listing *listing, const char *interface, enum direction direction,
                 enum verdict verdict)
{
    struct held held = {.guard = guard(interface, direction, verdict)};

    assert_true(listing_add(listing, &held));
}

static size_t find(const struct listing *listing, const char *interface, enum direction direction)
{
    struct guard place = guard(interface, direction, VERDICT_DROP);
    size_t count = 99;
    const struct held *found = listing_find(listing, &place, &count);

    assert_int_equal(found != NULL, count > 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(guard_compare(&found[i].guard, &place), 0);
    return count;
}

static void nothing_is_found_in_nothing(void **state)
{
    const struct listing listing = {0};

    (void)state;
    assert_int_equal(find(&listing, "eni1", DIRECTION_IN), 0);
}

static void all_at_a_place_are_found_and_no_others(void **state)
{
    cleanup(listing) struct listing listing = {0};

    (void)state;
    hold(&listing, "vlan.eth.7", DIRECTION_OUT, VERDICT_DROP);
    hold(&listing, "eni2", DIRECTION_IN, VERDICT_COUNT);
    hold(&listing, "eni1", DIRECTION_IN, VERDICT_DROP);
    hold(&listing, "eni2", DIRECTION_IN, VERDICT_DROP);
    hold(&listing, "eni2", DIRECTION_OUT, VERDICT_DROP);
    hold(&listing, "eni2", DIRECTION_IN, VERDICT_DROP);
    qsort(listing.held, listing.held_count, sizeof(*listing.held), held_compare);
    assert_int_equal(find(&listing, "eni1", DIRECTION_IN), 1);
    assert_int_equal(find(&listing, "eni2", DIRECTION_IN), 3);
    assert_int_equal(find(&listing, "eni2", DIRECTION_OUT), 1);
    assert_int_equal(find(&listing, "vlan.eth.7", DIRECTION_OUT), 1);
    assert_int_equal(find(&listing, "vlan.eth.7", DIRECTION_IN), 0);
    assert_int_equal(find(&listing, "eni0", DIRECTION_IN), 0);
    assert_int_equal(find(&listing, "zzz", DIRECTION_OUT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_nothing),
        cmocka_unit_test(all_at_a_place_are_found_and_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
