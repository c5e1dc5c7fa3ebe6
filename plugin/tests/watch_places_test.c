#include "node/watch/places.h"

#include "node/chain/replace.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <cmocka.h>

static char top[64];

static char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
    return path;
}

static int make_top(void **state)
{
    (void)state;
    strcpy(top, "/tmp/imds-guard-places-XXXXXX");
    return mkdtemp(top) && mkdir(path_of("net.d"), 0700) == 0 ? 0 : -1;
}

static int remove_top(void **state)
{
    static const char *const names[] = {"net.d/file", "net.d/a", "net.d", "old/file", "old", "a"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        remove(path_of(names[i]));
    return rmdir(top);
}

static void touch(const char *name)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void watch(struct places *places, const char *name)
{
    struct error err = {0};

    places_open(places);
    assert_int_equal(places_add(places, path_of(name), false, &err), 0);
    places_arm(places);
}

/* Events are queued by the call that causes them, so there is nothing to wait for. */
static void a_file_that_is_written_renamed_or_removed_is_seen(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};

    (void)state;
    watch(&places, "net.d/");
    assert_int_equal(places_read(&places), 0);
    touch("net.d/file");
    assert_int_equal(places_read(&places), 1);
    touch("a");
    assert_int_equal(places_read(&places), 0);
    assert_int_equal(rename(path_of("a"), path_of("net.d/file")), 0);
    assert_int_equal(places_read(&places), 1);
    assert_int_equal(remove(path_of("net.d/file")), 0);
    assert_int_equal(places_read(&places), 1);
    assert_int_equal(places_read(&places), 0);
}

static void our_own_temporary_file_is_no_news(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};

    (void)state;
    watch(&places, "net.d");
    touch("net.d/" REPLACE_TEMPORARY);
    assert_int_equal(remove(path_of("net.d/" REPLACE_TEMPORARY)), 0);
    assert_int_equal(places_read(&places), 0);
}

static void a_directory_that_is_replaced_is_watched_again(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};

    (void)state;
    watch(&places, "net.d");
    assert_int_equal(rename(path_of("net.d"), path_of("old")), 0);
    assert_int_equal(mkdir(path_of("net.d"), 0700), 0);
    assert_int_equal(places_read(&places), 1);
    touch("old/file");
    assert_int_equal(places_read(&places), 0);
    touch("net.d/file");
    assert_int_equal(places_read(&places), 1);
}

static void a_directory_that_comes_later_is_watched(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};

    (void)state;
    assert_int_equal(rmdir(path_of("net.d")), 0);
    watch(&places, "net.d");
    assert_int_equal(places.items[0].watch, -1);
    assert_int_equal(mkdir(path_of("net.d"), 0700), 0);
    assert_int_equal(places_read(&places), 1);
    touch("net.d/file");
    assert_int_equal(places_read(&places), 1);
    assert_int_equal(remove(path_of("net.d/file")), 0);
    assert_int_equal(rmdir(path_of("net.d")), 0);
    assert_int_equal(places_read(&places), 1);
    assert_int_equal(places.items[0].watch, -1);
    assert_int_equal(mkdir(path_of("net.d"), 0700), 0);
    assert_int_equal(places_read(&places), 1);
}

static void two_places_may_be_one_directory(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};
    struct error err = {0};

    (void)state;
    watch(&places, "net.d");
    assert_int_equal(places_add(&places, path_of("net.d"), false, &err), 0);
    places_arm(&places);
    touch("net.d/file");
    assert_int_equal(places_read(&places), 3);
}

/* As where the node's instances or watches are used up (EMFILE, ENOSPC). */
static int refusal;

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __wrap_inotify_init1(int flags)
{
    if (refusal != EMFILE)
        return __real_inotify_init1(flags);
    errno = EMFILE;
    return -1;
}

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (refusal != ENOSPC)
        return __real_inotify_add_watch(fd, path, mask);
    errno = ENOSPC;
    return -1;
}

static void what_cannot_be_watched_is_polled(void **state)
{
    static const int refusals[] = {EMFILE, ENOSPC};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        cleanup(places) struct places places = {.inotify = -1};
        char problem[512];

        refusal = refusals[i];
        watch(&places, "net.d");
        assert_true(places_must_poll(&places));
        places_problem(&places, problem, sizeof(problem));
        assert_non_null(strstr(problem, strerror(refusal)));
        places_poll(&places);
        assert_int_equal(places_poll(&places), 0);
        touch("net.d/file");
        assert_int_equal(places_poll(&places), 1);
        touch("net.d/" REPLACE_TEMPORARY);
        assert_int_equal(remove(path_of("net.d/" REPLACE_TEMPORARY)), 0);
        places_poll(&places);
        assert_int_equal(truncate(path_of("net.d/file"), 7), 0);
        assert_int_equal(places_poll(&places), 1);
        assert_int_equal(remove(path_of("net.d/file")), 0);
        assert_int_equal(places_poll(&places), 1);
        assert_int_equal(rmdir(path_of("net.d")), 0);
        assert_int_equal(places_poll(&places), 1);
        assert_int_equal(places_poll(&places), 0);
        /* Watches are free again. */
        refusal = 0;
        assert_int_equal(mkdir(path_of("net.d"), 0700), 0);
        assert_int_equal(places_poll(&places), 1);
        assert_int_equal(places_must_poll(&places), refusals[i] == EMFILE);
    }
}

/* Of a directory that a bind mount shows although it has been deleted, the kernel says this. */
static bool has_no_name;

int __real_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out)
{
    int result = __real_stat(path, out);

    if (has_no_name)
        out->st_nlink = 0;
    return result;
}

static void a_former_self_of_the_directory_is_told(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};
    char problem[512];

    (void)state;
    watch(&places, "net.d");
    places_problem(&places, problem, sizeof(problem));
    assert_string_equal(problem, "");
    has_no_name = true;
    places_poll(&places);
    has_no_name = false;
    places_problem(&places, problem, sizeof(problem));
    assert_non_null(strstr(problem, "was deleted"));
    places_poll(&places);
    places_problem(&places, problem, sizeof(problem));
    assert_string_equal(problem, "");
}

static bool take(void *context, unsigned number, const char *name)
{
    assert_int_equal(number, 0);
    strcat(strcat(context, name), " ");
    return strcmp(name, "a") != 0;
}

static void whoever_takes_a_name_is_told_it(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};
    char names[64] = "";

    (void)state;
    watch(&places, "net.d");
    places.take = take;
    places.context = names;
    touch("net.d/file");
    assert_int_equal(places_read(&places), 0);
    touch("net.d/a");
    assert_int_equal(places_read(&places), 1); /* not taken */
    assert_string_equal(names, "file a ");
}

/* As a lock is used: no more than opened and closed. */
static void a_file_has_changed_when_it_is_closed(void **state)
{
    cleanup(places) struct places places = {.inotify = -1};
    struct error err = {0};
    int fd;

    (void)state;
    places_open(&places);
    assert_int_equal(places_add(&places, path_of("a"), true, &err), 0);
    places_arm(&places);
    touch("a");
    assert_int_equal(places_read(&places), 1);
    fd = open(path_of("a"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(places_read(&places), 0);
    close(fd);
    assert_int_equal(places_read(&places), 1);
    assert_int_equal(places_read(&places), 0);
    assert_int_equal(remove(path_of("a")), 0);
    assert_int_equal(places_read(&places), 1);
    touch("a");
    assert_int_equal(places_read(&places), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_is_written_renamed_or_removed_is_seen, make_top,
                                        remove_top),
        cmocka_unit_test_setup_teardown(our_own_temporary_file_is_no_news, make_top, remove_top),
        cmocka_unit_test_setup_teardown(a_directory_that_is_replaced_is_watched_again, make_top,
                                        remove_top),
        cmocka_unit_test_setup_teardown(a_directory_that_comes_later_is_watched, make_top,
                                        remove_top),
        cmocka_unit_test_setup_teardown(two_places_may_be_one_directory, make_top, remove_top),
        cmocka_unit_test_setup_teardown(whoever_takes_a_name_is_told_it, make_top, remove_top),
        cmocka_unit_test_setup_teardown(a_file_has_changed_when_it_is_closed, make_top, remove_top),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_polled, make_top, remove_top),
        cmocka_unit_test_setup_teardown(a_former_self_of_the_directory_is_told, make_top,
                                        remove_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
