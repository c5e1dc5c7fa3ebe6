#include "cni/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ALL (VARIABLE_CONTAINER_ID | VARIABLE_NETNS | VARIABLE_IFNAME | VARIABLE_PATH)

static void reads_the_variables(void **state)
{
    char *variables[] = {(char[]){"HOME=/root"},
                         (char[]){"CNI_COMMAND=ADD"},
                         (char[]){"CNI_CONTAINERID=abc"},
                         (char[]){"CNI_NETNS="},
                         (char[]){"CNI_IFNAME=eth0"},
                         (char[]){"CNI_IFNAMES=wrong"},
                         (char[]){"CNI_ARGS=A=1;B=2"},
                         (char[]){"CNI_CONTAINERID=second"},
                         NULL};
    struct environment environment;

    (void)state;
    environment_read(variables, &environment);
    assert_string_equal(environment.command, "ADD");
    assert_string_equal(environment.container_id, "abc");
    assert_null(environment.netns);
    assert_string_equal(environment.ifname, "eth0");
    assert_string_equal(environment.args, "A=1;B=2");
    assert_null(environment.path);
}

static void tells_a_runtime_from_a_shell(void **state)
{
    char *shell[] = {(char[]){"HOME=/root"}, (char[]){"CNI_CONF_DIR=/etc/cni/net.d"}, NULL};
    char *runtime[] = {(char[]){"HOME=/root"}, (char[]){"CNI_PATH="}, NULL};

    (void)state;
    assert_false(environment_is_cni(shell));
    assert_true(environment_is_cni(runtime));
}

static void names_all_that_are_missing(void **state)
{
    struct environment environment = {.command = "ADD", .netns = "/proc/1/ns/net"};
    struct error err;

    (void)state;
    assert_int_equal(environment_check(&environment, ALL, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
    assert_string_equal(err.msg,
                        "CNI_CONTAINERID is not set; CNI_IFNAME is not set; CNI_PATH is not set");
}

static void names_what_is_bad_beside_what_is_missing(void **state)
{
    struct environment environment = {.container_id = "../etc", .ifname = "a b"};
    struct error err;

    (void)state;
    assert_int_equal(environment_check(&environment, ALL, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "CNI_CONTAINERID is \"../etc\", but must be "));
    assert_non_null(strstr(err.msg, "CNI_NETNS is not set"));
    assert_non_null(strstr(err.msg, "CNI_IFNAME is \"a b\", but must be "));
    assert_non_null(strstr(err.msg, "CNI_PATH is not set"));
}

/* However long the values, every variable's name is in the message. */
static void bounds_what_it_shows(void **state)
{
    char endless[4096];
    struct environment environment = {.container_id = endless, .ifname = endless};
    struct error err;

    (void)state;
    memset(endless, '/', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_int_equal(environment_check(&environment, ALL, &err), -1);
    assert_non_null(strstr(err.msg, "CNI_CONTAINERID"));
    assert_non_null(strstr(err.msg, "CNI_NETNS"));
    assert_non_null(strstr(err.msg, "CNI_IFNAME"));
    assert_non_null(strstr(err.msg, "CNI_PATH is not set"));
}

static void judges_only_what_is_required(void **state)
{
    struct environment environment = {.container_id = "/", .ifname = "a/b", .path = "/opt"};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    assert_int_equal(environment_check(&environment, VARIABLE_PATH, &err), 0);
    assert_int_equal(environment_check(&environment, 0, &err), 0);
    assert_int_equal(err.code, ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_variables),
        cmocka_unit_test(tells_a_runtime_from_a_shell),
        cmocka_unit_test(names_all_that_are_missing),
        cmocka_unit_test(names_what_is_bad_beside_what_is_missing),
        cmocka_unit_test(bounds_what_it_shows),
        cmocka_unit_test(judges_only_what_is_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
