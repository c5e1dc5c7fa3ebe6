#include "guard_text.h"

#include "guard/names.h"

static void identifiers_follow_the_specification(void **state)
{
    static const char *const good[] = {"a", "Z", "0", "4f3c0b", "a_b.c-d", "a.", "a-", "9_"};
    static const char *const bad[] = {"",    ".",    "-a",   "_a",    "a b",      "a/b",
                                      "a\n", "a\"b", "a*",   "a%s",   "\xC3\xA4", "a\xC3\xA4",
                                      "..",  "a:b",  "a\tb", "$(id)", "a\x7F"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(name_is_container_id(good[i]));
        assert_true(name_is_network(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(name_is_container_id(bad[i]));
        assert_false(name_is_network(bad[i]));
    }
}

static void long_container_ids_are_legal(void **state)
{
    char id[201] = "";

    (void)state;
    memset(id, 'f', 200);
    assert_true(name_is_container_id(id));
}

static void interfaces_follow_the_kernel(void **state)
{
    static const char *const good[] = {"e",   "eth0", "vlan.eth.4094", "fifteen-bytes-x",
                                       "...", "a@b",  "\"'`",          "\xC3\xA4",
                                       "-j",  "a\x01"};
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "sixteen-bytes-xx",
                                      "dummy0d7763386da",
                                      "a/b",
                                      "a:0",
                                      "a b",
                                      "a\tb",
                                      "a\nb",
                                      "a\vb",
                                      "a\fb",
                                      "a\rb",
                                      "a\xA0",
                                      " ",
                                      "eth0 ",
                                      "/",
                                      "\xC2\xA0"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(name_is_interface(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(name_is_interface(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_follow_the_specification),
        cmocka_unit_test(long_container_ids_are_legal),
        cmocka_unit_test(interfaces_follow_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
