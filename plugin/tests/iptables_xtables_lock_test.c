#include "kernel/iptables/xtables_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static char directory[] = "/tmp/imds-guard-lock.XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/lock", directory);
    return setenv("XTABLES_LOCKFILE", path, 1);
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_locked(void)
{
    cleanup(close_fd) int other = open(path, O_RDONLY);

    return flock(other, LOCK_EX | LOCK_NB) < 0;
}

static void holds_the_lock_until_it_is_closed(void **state)
{
    struct error err;
    struct stat status;
    int fd = -1;

    (void)state;
    assert_int_equal(xtables_lock(0, &fd, &err), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(is_locked());
    close(fd);
    assert_false(is_locked());
}

static void gives_up_in_time_and_names_the_holder(void **state)
{
    cleanup(close_fd) int holder = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    struct error err;
    char expected[32];
    int64_t start = milliseconds();
    int64_t waited;
    int fd = -1;

    (void)state;
    assert_int_equal(flock(holder, LOCK_EX), 0);
    assert_int_equal(xtables_lock(1000, &fd, &err), -1);
    waited = milliseconds() - start;
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_int_equal(fd, -1);
    assert_in_range(waited, 1000, 120000);
    assert_non_null(strstr(err.msg, path));
    snprintf(expected, sizeof(expected), "process %d ", getpid());
    assert_non_null(strstr(err.msg, expected));
}

static void tries_once_if_there_is_no_time(void **state)
{
    cleanup(close_fd) int holder = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    struct error err;
    int fd = -1;

    (void)state;
    assert_int_equal(flock(holder, LOCK_EX), 0);
    assert_int_equal(xtables_lock(0, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_int_equal(flock(holder, LOCK_UN), 0);
    assert_int_equal(xtables_lock(0, &fd, &err), 0);
    close(fd);
}

/* A process that has the lock when this returns, and lets it go after so long. */
static pid_t hold_for(unsigned milliseconds)
{
    int holder = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    pid_t process;

    assert_int_equal(flock(holder, LOCK_EX), 0);
    process = fork(); /* the lock is both's, until both have closed it */
    if (process == 0) {
        usleep(milliseconds * 1000);
        _exit(0);
    }
    close(holder);
    return process;
}

static void has_it_once_it_is_let_go(void **state)
{
    int64_t start = milliseconds();
    pid_t process = hold_for(300);
    struct error err;
    int fd = -1;

    (void)state;
    assert_int_equal(xtables_lock(60000, &fd, &err), 0);
    assert_in_range(milliseconds() - start, 250, 30000);
    assert_true(is_locked());
    close(fd);
    assert_int_equal(waitpid(process, NULL, 0), process);
}

/* Whatever a runtime has done with the signal that ends the wait; and it is left as it was. */
static void waits_no_longer_though_the_signal_is_blocked_and_ignored(void **state)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    pid_t process = hold_for(60000);
    struct sigaction action;
    struct itimerval timer;
    struct error err;
    sigset_t before;
    sigset_t after;
    int fd = -1;

    (void)state;
    sigemptyset(&before);
    sigaddset(&before, SIGALRM);
    assert_int_equal(sigaction(SIGALRM, &ignore, NULL), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &before, NULL), 0);
    assert_int_equal(xtables_lock(200, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_non_null(strstr(err.msg, "for 0.2 s"));

    assert_int_equal(sigaction(SIGALRM, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_IGN);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &before, &after), 0);
    assert_int_equal(sigismember(&after, SIGALRM), 1);
    assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
    assert_false(timerisset(&timer.it_value));
    kill(process, SIGKILL);
    assert_int_equal(waitpid(process, NULL, 0), process);
}

/* Many at once each have it in turn, and nobody waits for a clock. */
static void serves_all_who_wait(void **state)
{
    pid_t holder = hold_for(100);
    struct error err;
    int status;

    (void)state;
    for (int i = 0; i < 20; i++) {
        if (fork() == 0) {
            int fd = -1;

            _exit(xtables_lock(60000, &fd, &err) == 0 ? 0 : 1);
        }
    }
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    for (int i = 0; i < 20; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

static void a_directory_is_no_lock(void **state)
{
    struct error err;
    int fd = -1;

    (void)state;
    setenv("XTABLES_LOCKFILE", directory, 1);
    assert_int_equal(xtables_lock(0, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, "is a directory"));
    assert_int_equal(xtables_lock_usable(&err), -1);
    assert_non_null(strstr(err.msg, "is a directory"));
    setenv("XTABLES_LOCKFILE", path, 1);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

static int flock_error; /* of the next flock(2) of ours */

int __wrap_flock(int fd, int operation)
{
    int error = flock_error;

    flock_error = 0;
    errno = error;
    return error != 0 ? -1 : __real_flock(fd, operation);
}

static void says_why_it_cannot_lock(void **state)
{
    struct error err;
    int fd = -1;

    (void)state;
    flock_error = ENOLCK;
    assert_int_equal(xtables_lock(1, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, "No locks available"));
    setenv("XTABLES_LOCKFILE", "/nonexistent/imds-guard/lock", 1);
    assert_int_equal(xtables_lock(1, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, "/nonexistent/imds-guard/lock: No such file or directory"));
    assert_int_equal(fd, -1);
    setenv("XTABLES_LOCKFILE", path, 1);
}

static void a_signal_does_not_end_the_wait(void **state)
{
    struct error err;
    int fd = -1;

    (void)state;
    flock_error = EINTR;
    assert_int_equal(xtables_lock(1, &fd, &err), 0);
    close(fd);
}

/* In another PID namespace, or without /proc. */
static void a_holder_that_cannot_be_seen_is_not_guessed(void **state)
{
    cleanup(close_fd) int holder = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    struct error err;
    int fd = -1;

    (void)state;
    assert_true(holder >= 0);
    flock_error = EWOULDBLOCK;
    assert_int_equal(xtables_lock(0, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_non_null(strstr(err.msg, "another process held the xtables lock"));
    assert_non_null(strstr(err.msg, "lslocks(8)"));
}

static void a_lock_that_is_there_is_usable(void **state)
{
    cleanup(close_fd) int made = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    struct error err;

    (void)state;
    assert_true(made >= 0);
    assert_int_equal(xtables_lock_usable(&err), 0);
}

static void a_lock_without_a_directory_is_made_here(void **state)
{
    char before[512];
    struct error err;
    int usable;

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(directory), 0);
    setenv("XTABLES_LOCKFILE", "no-such-lock", 1);
    usable = xtables_lock_usable(&err);
    setenv("XTABLES_LOCKFILE", path, 1);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(usable, 0);
}

static void looking_makes_nothing(void **state)
{
    struct error err;

    (void)state;
    unlink(path);
    assert_int_equal(xtables_lock_usable(&err), 0);
    assert_int_equal(access(path, F_OK), -1);
    setenv("XTABLES_LOCKFILE", "/nonexistent/imds-guard/lock", 1);
    assert_int_equal(xtables_lock_usable(&err), -1);
    assert_int_equal(err.code, ERROR_IO);
    setenv("XTABLES_LOCKFILE", path, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_lock_until_it_is_closed),
        cmocka_unit_test(gives_up_in_time_and_names_the_holder),
        cmocka_unit_test(tries_once_if_there_is_no_time),
        cmocka_unit_test(has_it_once_it_is_let_go),
        cmocka_unit_test(waits_no_longer_though_the_signal_is_blocked_and_ignored),
        cmocka_unit_test(serves_all_who_wait),
        cmocka_unit_test(a_directory_is_no_lock),
        cmocka_unit_test(looking_makes_nothing),
        cmocka_unit_test(says_why_it_cannot_lock),
        cmocka_unit_test(a_signal_does_not_end_the_wait),
        cmocka_unit_test(a_holder_that_cannot_be_seen_is_not_guessed),
        cmocka_unit_test(a_lock_that_is_there_is_usable),
        cmocka_unit_test(a_lock_without_a_directory_is_made_here),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
