/* What is a network namespace and what is not, and what to say if it cannot be entered. */
#include "kernel/links/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define OWN "/proc/self/ns/net"

int __real_setns(int fd, int type);
int __wrap_setns(int fd, int type);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

static int setns_error;
static int socket_error;
static unsigned entered; /* namespaces: there and back is two */

/* Nobody needs to be root to stay where he is; what is no network namespace the kernel says to anybody. */
int __wrap_setns(int fd, int type)
{
    assert_int_equal(type, CLONE_NEWNET);
    errno = setns_error;
    if (setns_error != 0 || (__real_setns(fd, type) < 0 && errno != EPERM))
        return -1;
    entered++;
    return 0;
}

int __wrap_socket(int domain, int type, int protocol)
{
    errno = socket_error;
    return socket_error != 0 ? -1 : __real_socket(domain, type, protocol);
}

static void assert_does_not_open(const char *path, enum error_code code, const char *says)
{
    struct error err = {.code = ERROR_NONE};
    struct netns netns = NETNS_NONE;

    assert_int_equal(netns_open(path, &netns, &err), -1);
    assert_int_equal(netns.fd, -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.msg, path));
    if (strstr(err.msg, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

static void opens_a_network_namespace(void **state)
{
    cleanup(netns) struct netns netns = NETNS_NONE;
    cleanup(netns) struct netns own = NETNS_NONE;
    struct netns other;
    struct error err;

    (void)state;
    assert_int_equal(netns_open(OWN, &netns, &err), 0);
    assert_int_equal(netns_open_own(&own, &err), 0);
    assert_true(fcntl(netns.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(own.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(netns_are_same(&netns, &own));
    other = own;
    other.inode++;
    assert_false(netns_are_same(&netns, &other));
}

static int socket_in(const char *path, struct error *err)
{
    cleanup(netns) struct netns netns = NETNS_NONE;
    cleanup(netns) struct netns own = NETNS_NONE;
    int fd = -1;

    entered = 0;
    assert_int_equal(netns_open(path, &netns, err), 0);
    assert_int_equal(netns_open_own(&own, err), 0);
    if (netns_netlink_socket(&netns, &own, 0, &fd, err) < 0) {
        assert_int_equal(fd, -1);
        return -1;
    }
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    return 0;
}

static void assert_is_none(const char *path)
{
    struct error err = {.code = ERROR_NONE};

    assert_int_equal(socket_in(path, &err), -1);
    assert_int_equal(entered, 0);
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
    struct netns netns = NETNS_NONE, own = NETNS_NONE;
    struct error err, err_own;
    int opened, opened_own;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    opened = netns_open(OWN, &netns, &err);
    opened_own = netns_open_own(&own, &err_own);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(opened, -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_int_equal(opened_own, -1);
    assert_int_equal(err_own.code, ERROR_KERNEL);
    assert_int_equal(own.fd, -1);
}

static void makes_a_socket_there_and_comes_back(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(socket_in(OWN, &err), 0);
    assert_int_equal(entered, 2);
    socket_error = ENOBUFS;
    assert_int_equal(socket_in(OWN, &err), -1);
    socket_error = 0;
    assert_int_equal(entered, 2);
    assert_non_null(strstr(err.msg, "No buffer space available"));
}

static void says_what_entering_needs(void **state)
{
    struct error err;

    (void)state;
    setns_error = EPERM;
    assert_int_equal(socket_in(OWN, &err), -1);
    assert_non_null(strstr(err.msg, "CAP_SYS_ADMIN is needed"));
    setns_error = ENOMEM;
    assert_int_equal(socket_in(OWN, &err), -1);
    assert_null(strstr(err.msg, "CAP_SYS_ADMIN"));
    setns_error = 0;
    assert_int_equal(entered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_a_network_namespace),
        cmocka_unit_test(nothing_else_is_one),
        cmocka_unit_test(what_is_not_the_paths_fault_is_told_apart),
        cmocka_unit_test(makes_a_socket_there_and_comes_back),
        cmocka_unit_test(says_what_entering_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
