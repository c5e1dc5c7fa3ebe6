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
    struct link_reply *links = NULL;
    struct error err;
    size_t count, found = 0;

    (void)state;
    assert_int_equal(links_all(&links, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        found += strcmp(links[i].link.name, "lo") == 0;
        assert_string_not_equal(links[i].link.name, MISSING);
    }
    assert_int_equal(found, 1);
    free(links);
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
