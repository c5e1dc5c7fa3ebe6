/* Asks the kernel that the test runs on: anybody may ask what links there are. */
#include "kernel/links/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define MISSING "no-such-link-00"

static void links_exist_by_name(void **state)
{
    (void)state;
    assert_true(link_exists("lo"));
    assert_false(link_exists(MISSING));
}

static void in_doubt_a_link_exists(void **state)
{
    struct rlimit before, none;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(link_exists(MISSING));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(link_exists(MISSING));
}

static void the_list_says_the_same(void **state)
{
    char(*names)[INTERFACE_NAME_SIZE] = NULL;
    struct error err;
    size_t count;

    (void)state;
    assert_int_equal(links_names(&names, &count, &err), 0);
    assert_true(links_have(names, count, "lo"));
    assert_false(links_have(names, count, MISSING));
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(names[i - 1], names[i]) < 0);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_exist_by_name),
        cmocka_unit_test(in_doubt_a_link_exists),
        cmocka_unit_test(the_list_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
