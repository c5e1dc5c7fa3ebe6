#include "guard/cni_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void knows_each_version_and_its_order(void **state)
{
    static const char *const versions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
    const int count = sizeof(versions) / sizeof(*versions);

    (void)state;
    assert_int_equal(CNI_VERSION_NEWEST, count - 1);
    for (int i = 0; i < count; i++) {
        assert_int_equal(cni_version_find(versions[i]), i);
        assert_string_equal(cni_versions[i], versions[i]);
    }
}

static void knows_no_other(void **state)
{
    static const char *const others[] = {"",      "0.1.0",  "0.2.0", "0.3",    "1",     "1.1.00",
                                         "1.2.0", " 1.1.0", "1.1.",  "1.0.0 ", "v1.0.0"};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_int_equal(cni_version_find(others[i]), -1);
    assert_int_equal(cni_version_find("0.3.0 0.3.1"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_version_and_its_order),
        cmocka_unit_test(knows_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
