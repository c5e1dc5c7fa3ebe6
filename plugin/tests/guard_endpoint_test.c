#include "guard_text.h"

#include "guard/endpoint.h"

static void text_comes_back_in_its_shortest_form(void **state)
{
    static const struct {
        const char *text;
        const char *shortest;
    } cases[] = {
        {"169.254.169.254", "169.254.169.254"},
        {"169.254.169.254/32", "169.254.169.254"},
        {"fd00:ec2::254", "fd00:ec2::254"},
        {"FD00:0EC2:0:0:0:0:0:254/128", "fd00:ec2::254"},
        {"169.254.0.0/16", "169.254.0.0/16"},
        {"128.0.0.0/1", "128.0.0.0/1"},
        {"10.128.0.0/9", "10.128.0.0/9"},
        {"fd00:ec2::/32", "fd00:ec2::/32"},
        {"8000::/1", "8000::/1"},
        {"64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {.code = ERROR_NONE};
        struct endpoint endpoint = {.prefix = 0};
        struct endpoint again = {.prefix = 0};
        char text[ENDPOINT_TEXT_SIZE] = "";

        assert_int_equal(endpoint_parse(cases[i].text, &endpoint, &err), 0);
        endpoint_text(&endpoint, text);
        assert_string_equal(text, cases[i].shortest);
        assert_int_equal(endpoint_parse(text, &again, &err), 0);
        assert_memory_equal(&endpoint, &again, sizeof(endpoint));
    }
}

static void bytes_are_in_network_order(void **state)
{
    static const uint8_t imds[16] = {169, 254, 169, 254};
    struct error err = {.code = ERROR_NONE};
    struct endpoint endpoint = {.prefix = 0};

    (void)state;
    assert_int_equal(endpoint_parse("169.254.169.254", &endpoint, &err), 0);
    assert_int_equal(endpoint.family, FAMILY_IPV4);
    assert_int_equal(endpoint.prefix, 32);
    assert_memory_equal(endpoint.address, imds, sizeof(imds));
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"", "no IPv4 or IPv6 address"},
        {"imds", "no IPv4 or IPv6 address"},
        {"169.254.169", "no IPv4 or IPv6 address"},
        {"169.254.169.0254", "no IPv4 or IPv6 address"},
        {"169.254.169.254 ", "no IPv4 or IPv6 address"},
        {"fe80::1%eth0", "no IPv4 or IPv6 address"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "no IPv4 or IPv6 address"},
        {"169.254.169.254/", "not 1 to 32"},
        {"169.254.169.254/33", "not 1 to 32"},
        {"169.254.169.254/032", "not 1 to 32"},
        {"169.254.169.254/-1", "not 1 to 32"},
        {"169.254.169.254/32/32", "not 1 to 32"},
        {"169.254.169.254/4294967328", "not 1 to 32"},
        {"0.0.0.0/0", "not 1 to 32"},
        {"::/0", "not 1 to 128"},
        {"fd00:ec2::254/129", "not 1 to 128"},
        {"169.254.169.254/16", "the network is 169.254.0.0/16"},
        {"169.254.169.255/31", "the network is 169.254.169.254/31"},
        {"fd00:ec2::254/64", "the network is fd00:ec2::/64"},
        {"::ffff:169.254.169.254", "write the IPv4 address"},
        {"::ffff:0:0/96", "write the IPv4 address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {.code = ERROR_NONE};
        struct endpoint endpoint = {.prefix = 99};

        assert_int_equal(endpoint_parse(cases[i].text, &endpoint, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        assert_contains(err.msg, cases[i].part);
        assert_contains(err.msg, cases[i].text);
        assert_int_equal(endpoint.prefix, 99);
    }
}

static void assert_normalised(const char *const *texts, size_t count, const char *expected)
{
    struct endpoint endpoints[8];
    struct error err = {.code = ERROR_NONE};
    char joined[512] = "";

    for (size_t i = 0; i < count; i++)
        assert_int_equal(endpoint_parse(texts[i], &endpoints[i], &err), 0);
    count = endpoints_normalise(endpoints, count);
    for (size_t i = 0; i < count; i++) {
        char text[ENDPOINT_TEXT_SIZE] = "";

        endpoint_text(&endpoints[i], text);
        strcat(strcat(joined, text), " ");
    }
    assert_string_equal(joined, expected);
}

static void equal_sets_become_equal_arrays(void **state)
{
    static const char *const one[] = {"fd00:ec2::254", "169.254.169.254", "169.254.169.254/32",
                                      "10.0.0.0/9",    "10.128.0.0/9",    "a00::/16"};
    static const char *const nested[] = {"10.1.2.3", "10.1.0.0/16", "10.0.0.0/8",  "10.0.0.0/9",
                                         "11.0.0.1", "fd00::/8",    "fd00:ec2::1", "11.0.0.2"};

    (void)state;
    assert_normalised(one, 6, "10.0.0.0/9 10.128.0.0/9 169.254.169.254 a00::/16 fd00:ec2::254 ");
    assert_normalised(nested, 8, "10.0.0.0/8 11.0.0.1 11.0.0.2 fd00::/8 ");
    assert_normalised(nested, 1, "10.1.2.3 ");
    assert_normalised(NULL, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_comes_back_in_its_shortest_form),
        cmocka_unit_test(bytes_are_in_network_order),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(equal_sets_become_equal_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
