#include "cni/input.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

#define LIMIT 100000

/* A file with `size` bytes, at its start. */
static int file_of(size_t size)
{
    cleanup(free_text) char *bytes = calloc(1, size + 1);
    int fd = memfd_create("input", MFD_CLOEXEC);

    assert_true(fd >= 0);
    memset(bytes, 'x', size);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void reads_every_size_up_to_the_limit(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65536, LIMIT};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        cleanup(close_fd) int fd = file_of(sizes[i]);
        cleanup(free_text) char *text = NULL;
        size_t length = 1;
        struct error err;

        assert_int_equal(input_read(fd, LIMIT, 5, &text, &length, &err), 0);
        assert_int_equal(length, sizes[i]);
        assert_non_null(text);
        for (size_t at = 0; at < length; at++)
            assert_int_equal(text[at], 'x');
    }
}

static void refuses_one_byte_more(void **state)
{
    cleanup(close_fd) int fd = file_of(LIMIT + 1);
    cleanup(free_text) char *text = NULL;
    size_t length = 0;
    struct error err;

    (void)state;
    assert_int_equal(input_read(fd, LIMIT, 5, &text, &length, &err), -1);
    assert_int_equal(err.code, ERROR_DECODING);
    assert_non_null(strstr(err.msg, "100000 bytes"));
    assert_null(text);
}

/* A caller that writes slowly, and in between interrupts us with signals. */
static void *write_slowly(void *fd)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    for (int i = 0; i < 5; i++) {
        nanosleep(&pause, NULL);
        assert_int_equal(write(*(int *)fd, "ab", 2), 2);
    }
    close(*(int *)fd);
    return NULL;
}

static void ignore_signal(int number)
{
    (void)number;
}

static void waits_for_a_slow_caller_through_signals(void **state)
{
    struct sigaction interrupt = {.sa_handler = ignore_signal}; /* no SA_RESTART: EINTR */
    struct itimerval often = {{.tv_usec = 5000}, {.tv_usec = 5000}};
    struct itimerval never = {{0}, {0}};
    cleanup(free_text) char *text = NULL;
    size_t length = 0;
    pthread_t writer;
    struct error err;
    int pipe_ends[2];

    (void)state;
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(sigaction(SIGALRM, &interrupt, NULL), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &pipe_ends[1]), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    assert_int_equal(input_read(pipe_ends[0], LIMIT, 300, &text, &length, &err), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(length, 10);
    assert_memory_equal(text, "ababababab", 10);
    close(pipe_ends[0]);
}

static void gives_up_on_a_caller_that_never_ends(void **state)
{
    cleanup(free_text) char *text = NULL;
    size_t length = 0;
    struct error err;
    int pipe_ends[2];

    (void)state;
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    assert_int_equal(write(pipe_ends[1], "{", 1), 1);
    assert_int_equal(input_read(pipe_ends[0], LIMIT, 1, &text, &length, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, "within 1 s"));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void says_why_reading_fails(void **state)
{
    cleanup(close_fd) int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = NULL;
    size_t length = 0;
    struct error err;

    (void)state;
    assert_int_equal(input_read(directory, LIMIT, 5, &text, &length, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, strerror(EISDIR)));
    assert_int_equal(input_read(1 << 20, LIMIT, 5, &text, &length, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, strerror(EBADF)));
    assert_null(text);
}

static void says_why_waiting_fails(void **state)
{
    cleanup(close_fd) int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct rlimit files;
    char *text = NULL;
    size_t length = 0;
    struct error err;

    (void)state;
    if (getenv("UNDER_VALGRIND"))
        skip(); /* it has limits of its own, and keeps these to itself */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max}), 0);
    assert_int_equal(input_read(directory, LIMIT, 5, &text, &length, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.msg, "poll"));
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_size_up_to_the_limit),
        cmocka_unit_test(refuses_one_byte_more),
        cmocka_unit_test(waits_for_a_slow_caller_through_signals),
        cmocka_unit_test(gives_up_on_a_caller_that_never_ends),
        cmocka_unit_test(says_why_reading_fails),
        cmocka_unit_test(says_why_waiting_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
