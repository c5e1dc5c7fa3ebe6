#include "guard_text.h"

#include "guard/role.h"

#define PATH "/run/netns/x"

static void sandbox_and_name_tell_the_role(void **state)
{
    static const struct {
        struct result_interface interface;
        enum role role;
    } cases[] = {
        {{"eni0d7763386da", "", ""}, ROLE_HOST},
        {{"veth5d2f8a1c", "8e:0c:6d:2f:11:42", ""}, ROLE_HOST},
        {{"eth0", "254", PATH}, ROLE_CONTAINER},
        {{"dummy0d7763386da", "0", "0"}, ROLE_DUMMY},
        {{"dummy0d7763386da", "37", ""}, ROLE_DUMMY},
        {{"dummy0d7763386da", "37", PATH}, ROLE_CONTAINER},
        {{"tap0", "", "vm-7"}, ROLE_FOREIGN},
        {{"eth0", "", "0"}, ROLE_FOREIGN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(interface_role(&cases[i].interface), cases[i].role);
}

static void only_a_dummy_gives_a_vlan(void **state)
{
    static const struct {
        struct result_interface interface;
        const char *link; /* "": none */
    } cases[] = {
        {{"dummy0d7763386da", "37", ""}, "vlan.eth.37"},
        {{"dummy0d7763386da", "37", "0"}, "vlan.eth.37"},
        {{"dummy0d7763386da", "1", ""}, "vlan.eth.1"},
        {{"dummy0d7763386da", "4094", ""}, "vlan.eth.4094"},
        {{"dummy0d7763386da", "0", ""}, ""},
        {{"dummy0d7763386da", "4095", ""}, ""},
        {{"dummy0d7763386da", "65573", ""}, ""},
        {{"dummy0d7763386da", "4294967333", ""}, ""},
        {{"dummy0d7763386da", "037", ""}, ""},
        {{"dummy0d7763386da", "-37", ""}, ""},
        {{"dummy0d7763386da", "37 ", ""}, ""},
        {{"dummy0d7763386da", "0x25", ""}, ""},
        {{"dummy0d7763386da", "", ""}, ""},
        {{"dummy0d7763386da", "12:5c:4d:90:aa:03", ""}, ""},
        {{"dummy0d7763386da", "37", PATH}, ""},
        {{"eth0", "37", PATH}, ""}, /* a route table */
        {{"veth", "37", ""}, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char link[INTERFACE_NAME_SIZE] = "";

        assert_int_equal(interface_vlan_link(&cases[i].interface, link), cases[i].link[0] != '\0');
        assert_string_equal(link, cases[i].link);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandbox_and_name_tell_the_role),
        cmocka_unit_test(only_a_dummy_gives_a_vlan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
