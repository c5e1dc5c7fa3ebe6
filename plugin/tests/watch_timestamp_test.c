#include "node/watch/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(time_t when, const char *wanted)
{
    char text[TIMESTAMP_SIZE];

    timestamp_write(when, text);
    assert_string_equal(text, wanted);
}

static void times_that_people_know(void **state)
{
    (void)state;
    expect(0, "1970-01-01T00:00:00Z");
    expect(86399, "1970-01-01T23:59:59Z");
    expect(951782400, "2000-02-29T00:00:00Z");
    expect(1000000000, "2001-09-09T01:46:40Z");
    expect(1234567890, "2009-02-13T23:31:30Z");
    expect(2147483648, "2038-01-19T03:14:08Z");
    expect(4107542400, "2100-03-01T00:00:00Z");
}

static void what_cannot_be_written_is_the_nearest_that_can(void **state)
{
    (void)state;
    expect(-1, "1970-01-01T00:00:00Z");
    expect(253402300799, "9999-12-31T23:59:59Z");
    expect(253402300800, "9999-12-31T23:59:59Z");
}

/* libc is asked for every day of 600 years, at another second of each. (valgrind looks at other
 * things than the date: for it, every 89th will do.) */
static void libc_says_the_same(void **state)
{
    const time_t step = getenv("UNDER_VALGRIND") ? 89 : 1;

    (void)state;
    for (time_t day = 0; day < 600 * 366; day += step) {
        time_t when = day * 86400 + day * 7919 % 86400;
        char wanted[64];
        struct tm utc;

        assert_non_null(gmtime_r(&when, &utc));
        assert_int_not_equal(strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ", &utc), 0);
        expect(when, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_that_people_know),
        cmocka_unit_test(what_cannot_be_written_is_the_nearest_that_can),
        cmocka_unit_test(libc_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
