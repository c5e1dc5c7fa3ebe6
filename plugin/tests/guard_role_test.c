#include "guard_text.h"

#include "guard/result.h"

#define PATH "/run/netns/x"

static void sandbox_and_name_tell_the_role(void **state)
{
    static const struct {
        struct result_interface interface;
        enum role role;
    } cases[] = {
        {{"eni0d7763386da", ""}, ROLE_HOST},    {{"veth5d2f8a1c", ""}, ROLE_HOST},
        {{"eth0", PATH}, ROLE_CONTAINER},       {{"dummy0d7763386da", "0"}, ROLE_DUMMY},
        {{"dummy0d7763386da", ""}, ROLE_DUMMY}, {{"dummy0d7763386da", PATH}, ROLE_CONTAINER},
        {{"tap0", "vm-7"}, ROLE_FOREIGN},       {{"eth0", "0"}, ROLE_FOREIGN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(interface_role(&cases[i].interface), cases[i].role);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandbox_and_name_tell_the_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
