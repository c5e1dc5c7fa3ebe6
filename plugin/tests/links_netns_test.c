/* What is a network namespace and what is not. Asks the kernel that the test runs on: numbers, as far as
 * they are not new ones, are told to anybody. */
#include "kernel/links/netns.h"
#include "kernel/links/rtnetlink.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define OWN "/proc/self/ns/net"

static void assert_does_not_open(const char *path, enum error_code code, const char *says)
{
    struct error err = {.code = ERROR_NONE};
    int fd = -1;

    assert_int_equal(netns_open(path, &fd, &err), -1);
    assert_int_equal(fd, -1);
    assert_int_equal(err.code, code);
    if (strstr(err.msg, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

static void opens_a_network_namespace(void **state)
{
    cleanup(close_fd) int fd = -1;
    struct error err;

    (void)state;
    assert_int_equal(netns_open(OWN, &fd, &err), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void assert_is_none(const char *path)
{
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};
    struct netns netns = {.fd = -1};
    struct error err = {.code = ERROR_NONE};
    int numbered;

    assert_int_equal(rtnetlink_open(&rtnetlink, &err), 0);
    assert_int_equal(netns_open(path, &netns.fd, &err), 0);
    numbered = netns_number(&rtnetlink, &netns, 1, &err);
    close(netns.fd);
    assert_int_equal(numbered, -1);
    assert_int_equal(err.code, ERROR_INVALID_NETNS);
    assert_string_equal(err.msg, "not a network namespace");
}

static void nothing_else_is_one(void **state)
{
    char link[] = "/tmp/imds-guard-netns-XXXXXX";
    char fifo[sizeof(link) + 8];

    (void)state;
    assert_does_not_open("/nonexistent/ns", ERROR_INVALID_NETNS, "No such file or directory");
    assert_does_not_open("/dev/null/ns", ERROR_INVALID_NETNS, "Not a directory");
    assert_is_none("/proc/self/status");
    assert_is_none("/proc/self/ns/uts");
    assert_non_null(mkdtemp(link));
    snprintf(fifo, sizeof(fifo), "%s/it", link);
    assert_int_equal(symlink(fifo, fifo), 0);
    assert_does_not_open(fifo, ERROR_INVALID_NETNS, "symbolic links");
    assert_int_equal(unlink(fifo), 0);
    /* Does not wait for somebody to write into it. */
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_is_none(fifo);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(rmdir(link), 0);
}

/* Whether the pod is there is then not known: a DEL must be tried again. */
static void what_is_not_the_paths_fault_is_told_apart(void **state)
{
    struct rlimit before, none;
    struct error err;
    int fd = -1;
    int opened;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    opened = netns_open(OWN, &fd, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(opened, -1);
    assert_int_equal(fd, -1);
    assert_int_equal(err.code, ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_a_network_namespace),
        cmocka_unit_test(nothing_else_is_one),
        cmocka_unit_test(what_is_not_the_paths_fault_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
