/*
 * Installing into directories of the test's own. The binary that is installed is this test.
 */
#include "node/conflist.h"
#include "node/entry.h"
#include "node/file.h"
#include "node/install.h"
#include "node/replace.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CONFLIST TEST_DATA "/conflists/aws.conflist"
#define EXPECTED TEST_DATA "/conflists/aws.expected"

/* The world of one test: <top>/net.d, <top>/bin and a conflist. */
struct world {
    char top[64], conf_dir[128], bin_dir[128], conflist[256], binary[256];
    struct install_options options;
    struct install_report report;
    struct error err;
};

static char *read_text(const char *path)
{
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;

    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &length, &err) < 0)
        fail_msg("%s", err.msg);
    return text;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void copy_text(const char *from, const char *to)
{
    cleanup(free_text) char *text = read_text(from);

    write_text(to, text);
}

static void assert_file_is(const char *path, const char *expected_path)
{
    cleanup(free_text) char *text = read_text(path);
    cleanup(free_text) char *expected = read_text(expected_path);

    assert_string_equal(text, expected);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    strcpy(world->top, "/tmp/imds-guard-test-XXXXXX");
    if (!mkdtemp(world->top))
        return -1;
    snprintf(world->conf_dir, sizeof(world->conf_dir), "%s/net.d", world->top);
    snprintf(world->bin_dir, sizeof(world->bin_dir), "%s/bin", world->top);
    snprintf(world->conflist, sizeof(world->conflist), "%s/10-aws.conflist", world->conf_dir);
    snprintf(world->binary, sizeof(world->binary), "%s/imds-guard", world->bin_dir);
    world->options.conf_dir = world->conf_dir;
    world->options.bin_dir = world->bin_dir;
    if (mkdir(world->conf_dir, 0755) < 0 || mkdir(world->bin_dir, 0755) < 0)
        return -1;
    copy_text(CONFLIST, world->conflist);
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    int failed = nftw(world->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);

    free(world);
    return failed;
}

static void install(struct world *world)
{
    if (install_all(&world->options, &world->report, &world->err) < 0)
        fail_msg("%s", world->err.msg);
}

static void assert_install_fails(struct world *world, const char *says)
{
    assert_int_equal(install_all(&world->options, &world->report, &world->err), -1);
    if (!strstr(world->err.msg, says))
        fail_msg("\"%s\" says nothing of \"%s\"", world->err.msg, says);
}

static void uninstall(struct world *world)
{
    if (uninstall_entry(&world->options, &world->report, &world->err) < 0)
        fail_msg("%s", world->err.msg);
}

static void in_world(char path[static 512], const struct world *world, const char *name)
{
    snprintf(path, 512, "%s/%s", world->top, name);
}

static bool exists(const struct world *world, const char *name)
{
    char path[512];
    struct stat status;

    in_world(path, world, name);
    return lstat(path, &status) == 0;
}

static struct stat status_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void installs_and_uninstalls(void **state)
{
    struct world *world = *state;

    install(world);
    assert_true(world->report.binary_written);
    assert_true(world->report.conflist_written);
    assert_false(world->report.no_conflist);
    assert_string_equal(world->report.path, world->conflist);
    assert_file_is(world->conflist, EXPECTED);
    assert_int_equal(status_of(world->binary).st_mode, S_IFREG | 0755);
    uninstall(world);
    assert_true(world->report.conflist_written);
    assert_file_is(world->conflist, CONFLIST);
    assert_true(exists(world, "bin/imds-guard"));
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
    assert_false(exists(world, "bin/" REPLACE_TEMPORARY));
}

static void changes_nothing_the_second_time(void **state)
{
    struct world *world = *state;
    struct stat conflist, binary;

    install(world);
    conflist = status_of(world->conflist);
    binary = status_of(world->binary);
    install(world);
    assert_false(world->report.binary_written);
    assert_false(world->report.conflist_written);
    assert_int_equal(status_of(world->conflist).st_ino, conflist.st_ino);
    assert_int_equal(status_of(world->conflist).st_ctim.tv_nsec, conflist.st_ctim.tv_nsec);
    assert_int_equal(status_of(world->binary).st_ino, binary.st_ino);
    assert_int_equal(status_of(world->binary).st_ctim.tv_nsec, binary.st_ctim.tv_nsec);
    uninstall(world);
    uninstall(world);
    assert_false(world->report.conflist_written);
}

static void keeps_mode_and_owner(void **state)
{
    struct world *world = *state;

    assert_int_equal(chmod(world->conflist, 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(world->conflist, 12, 34), 0);
    for (int i = 0; i < 2; i++) {
        struct stat status;

        i == 0 ? install(world) : uninstall(world);
        assert_true(world->report.conflist_written);
        status = status_of(world->conflist);
        assert_int_equal(status.st_mode, S_IFREG | 0640);
        assert_int_equal(status.st_uid, geteuid() == 0 ? 12 : geteuid());
        assert_int_equal(status.st_gid, geteuid() == 0 ? 34 : getegid());
    }
}

static void makes_no_conflist(void **state)
{
    struct world *world = *state;

    assert_int_equal(unlink(world->conflist), 0);
    for (int i = 0; i < 2; i++) {
        install(world);
        assert_true(world->report.no_conflist);
        assert_string_equal(world->report.path, "");
        assert_true(exists(world, "bin/imds-guard"));
        uninstall(world);
        assert_true(world->report.no_conflist);
        /* The second time without the directory. */
        assert_int_equal(rmdir(world->conf_dir), i == 0 ? 0 : -1);
    }
    assert_false(exists(world, "net.d"));
    assert_int_equal(world->err.code, ERROR_NONE);
}

static void says_when_there_is_no_bin_dir(void **state)
{
    struct world *world = *state;

    assert_int_equal(rmdir(world->bin_dir), 0);
    assert_install_fails(world, "--bin-dir");
    assert_file_is(world->conflist, CONFLIST);
}

/* Whatever the files of a killed installer hold: they go, and nothing loads them meanwhile. */
static void clears_what_was_left_behind(void **state)
{
    struct world *world = *state;
    char path[512];

    install(world);
    in_world(path, world, "net.d/" REPLACE_TEMPORARY);
    write_text(path, "{");
    in_world(path, world, "bin/" REPLACE_TEMPORARY);
    write_text(path, "half");
    install(world);
    assert_false(world->report.conflist_written);
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
    assert_false(exists(world, "bin/" REPLACE_TEMPORARY));
}

/* Another one at work: what it is writing is not left behind. */
static void waits_for_another_installer(void **state)
{
    struct world *world = *state;
    cleanup(close_fd) int directory = open(world->conf_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char path[512];
    pid_t child;
    int status;

    in_world(path, world, "net.d/" REPLACE_TEMPORARY);
    assert_int_equal(flock(directory, LOCK_EX), 0);
    write_text(path, "{");
    child = fork();
    if (child == 0)
        _exit(install_entry(&world->options, &world->report, &world->err) < 0);
    usleep(100 * 1000);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    assert_true(exists(world, "net.d/" REPLACE_TEMPORARY));
    assert_int_equal(flock(directory, LOCK_UN), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_file_is(world->conflist, EXPECTED);
}

static void wait_until_it_runs(pid_t child, const char *binary)
{
    char link[64], target[512];

    snprintf(link, sizeof(link), "/proc/%d/exe", child);
    for (int tries = 0; tries < 5000; tries++) {
        ssize_t length = readlink(link, target, sizeof(target));

        if (length == (ssize_t)strlen(binary) && memcmp(target, binary, (size_t)length) == 0)
            return;
        usleep(1000);
    }
    fail_msg("%s does not run", binary);
}

/* A binary that runs cannot be opened for writing; the one who runs it must not notice either. */
static void replaces_a_binary_that_runs(void **state)
{
    struct world *world = *state;
    struct stat before;
    char command[512];
    pid_t child;
    int status;

    snprintf(command, sizeof(command), "cp /bin/sleep %s", world->binary);
    assert_int_equal(system(command), 0);
    before = status_of(world->binary);
    child = fork();
    if (child == 0) {
        execl(world->binary, "sleep", "30", (char *)NULL);
        _exit(127);
    }
    wait_until_it_runs(child, world->binary);
    assert_int_equal(open(world->binary, O_WRONLY | O_CLOEXEC), -1);
    assert_int_equal(errno, ETXTBSY);
    install(world);
    assert_true(world->report.binary_written);
    assert_int_not_equal(status_of(world->binary).st_ino, before.st_ino);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    install(world);
    assert_false(world->report.binary_written);
}

static void repairs_a_binary_of_the_same_size(void **state)
{
    struct world *world = *state;
    int fd;

    install(world);
    fd = open(world->binary, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "X", 1, status_of(world->binary).st_size - 1), 1);
    close(fd);
    install(world);
    assert_true(world->report.binary_written);
    assert_int_equal(chmod(world->binary, 0644), 0);
    install(world);
    assert_true(world->report.binary_written);
    assert_int_equal(status_of(world->binary).st_mode, S_IFREG | 0755);
}

static void use_config(struct world *world, char path[static 512], const char *text)
{
    in_world(path, world, "entry");
    write_text(path, text);
    world->options.config_file = path;
}

static void refuses_a_bad_config_before_all(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{", "byte"},
        {"[]", "no JSON object"},
        {"{\"type\":\"portmap\"}", "type"},
        {"{\"mode\":\"auditt\"}", "auditt"},
        {"{\"mode\":\"audit\",\"mode\":\"audit\"}", "mode"},
        {"{\"type\":\"imds-guard\",\"type\":\"imds-guard\"}", "twice"},
        {"{\"exempt\":[{\"pod\":\"x\"}]}", "namespace"},
        {"{\"plugins\":[]}", "list"},
    };
    struct world *world = *state;
    char path[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        use_config(world, path, cases[i].text);
        assert_install_fails(world, cases[i].says);
        assert_non_null(strstr(world->err.msg, path));
        assert_false(exists(world, "bin/imds-guard"));
        assert_file_is(world->conflist, CONFLIST);
    }
    in_world(path, world, "there is none");
    assert_install_fails(world, "there is none");
}

static cJSON *entry_of(const struct world *world)
{
    struct conflist conflist = {0};
    struct error err = {0};
    bool found = false;
    cJSON *copy;

    if (conflist_load(world->conf_dir, &conflist, &found, &err) < 0)
        fail_msg("%s", err.msg);
    copy = cJSON_Duplicate(conflist.entry, true);
    conflist_free(&conflist);
    return copy;
}

static void assert_entry(const struct world *world, const char *expected)
{
    cleanup(json) cJSON *entry = entry_of(world);
    cleanup(free_text) char *text = cJSON_PrintUnformatted(entry);

    assert_string_equal(text, expected);
}

static void takes_the_operators_keys_and_keeps_them(void **state)
{
    struct world *world = *state;
    char path[512];

    use_config(world, path, " { \"mode\" : \"audit\" }\n");
    install(world);
    assert_entry(world, "{" ENTRY_TYPE "," ENTRY_CAPABILITIES ",\"mode\":\"audit\"}");
    world->options.config_file = NULL;
    install(world);
    assert_false(world->report.conflist_written);
    use_config(world, path, "{\"capabilities\":{},\"lockTimeoutSeconds\":3}");
    install(world);
    assert_true(world->report.conflist_written);
    assert_entry(world, "{" ENTRY_TYPE ",\"capabilities\":{},\"lockTimeoutSeconds\":3}");
    use_config(world, path, "{\"type\":\"imds-guard\"}");
    install(world);
    assert_entry(world, "{" ENTRY_CAPABILITIES "," ENTRY_TYPE "}");
    use_config(world, path, "{}");
    install(world);
    assert_false(world->report.conflist_written);
}

static void says_that_the_present_entry_is_bad(void **state)
{
    struct world *world = *state;
    char path[512];

    write_text(world->conflist,
               "{\"cniVersion\": \"0.4.0\", \"name\":\"n\",\"plugins\":[{\"type\":\"ptp\"},"
               "{\"type\":\"imds-guard\",\"mode\":\"auditt\"}]}");
    assert_install_fails(world, "auditt");
    assert_non_null(strstr(world->err.msg, "--config"));
    use_config(world, path, "{}");
    install(world);
    assert_entry(world, ENTRY_DEFAULT);
}

static void refuses_a_version_that_no_pod_would_start_with(void **state)
{
    static const char *const lists[] = {
        "{\"cniVersion\": \"0.2.0\", \"name\": \"n\", \"plugins\": [{\"type\": \"aws-cni\"}]}",
        "{\"name\": \"n\", \"plugins\": [{\"type\": \"aws-cni\"}]}",
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        write_text(world->conflist, lists[i]);
        assert_install_fails(world, "cniVersion");
    }
}

static void refuses_a_link(void **state)
{
    struct world *world = *state;
    char target[512];

    in_world(target, world, "elsewhere");
    assert_int_equal(rename(world->conflist, target), 0);
    assert_int_equal(symlink(target, world->conflist), 0);
    assert_install_fails(world, "symbolic link");
    assert_file_is(target, CONFLIST);
    assert_true(S_ISLNK(status_of(world->conflist).st_mode));
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
    world->options.drop_in = true;
    install(world);
    assert_entry(world, ENTRY_DEFAULT);
}

/*
 * What a watcher of the directory that does not look below it gets to see: fsnotify's Write, Rename
 * and Remove are these; IN_CREATE, IN_MOVED_TO and IN_ATTRIB alone would not make it reload.
 */
static void assert_watcher_noticed(int watcher, bool noticed)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length = read(watcher, events, sizeof(events));
    uint32_t seen = 0;

    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(events + at);

        seen |= event->mask;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    assert_int_equal((seen & (IN_MOVED_FROM | IN_DELETE | IN_MODIFY)) != 0, noticed);
}

static void installs_a_drop_in(void **state)
{
    struct world *world = *state;
    cleanup(close_fd) int watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char path[512], expected[512];

    in_world(expected, world, "net.d/aws-cni/imds-guard.conf");
    assert_true(inotify_add_watch(watcher, world->conf_dir,
                                  IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE) >= 0);
    world->options.drop_in = true;
    install(world);
    assert_true(world->report.conflist_written);
    assert_string_equal(world->report.path, expected);
    assert_entry(world, ENTRY_DEFAULT);
    assert_file_is(world->conflist, CONFLIST);
    assert_int_equal(status_of(expected).st_mode, S_IFREG | 0644);
    assert_watcher_noticed(watcher, true);

    install(world);
    assert_false(world->report.conflist_written);
    assert_watcher_noticed(watcher, false);

    use_config(world, path, "{\"mode\":\"audit\"}");
    install(world);
    assert_true(world->report.conflist_written);
    assert_watcher_noticed(watcher, true);
    world->options.config_file = NULL;
    install(world);
    assert_false(world->report.conflist_written);

    world->options.drop_in = false;
    uninstall(world);
    assert_true(world->report.conflist_written);
    assert_watcher_noticed(watcher, true);
    assert_false(exists(world, "net.d/aws-cni"));
    assert_file_is(world->conflist, CONFLIST);
}

static void uninstalls_both_and_nothing_else(void **state)
{
    struct world *world = *state;
    char path[512];

    install(world);
    world->options.drop_in = true;
    install(world);
    in_world(path, world, "net.d/aws-cni/other.conf");
    write_text(path, "{\"type\":\"other\"}");
    world->options.drop_in = false;
    uninstall(world);
    assert_file_is(world->conflist, CONFLIST);
    assert_false(exists(world, "net.d/aws-cni/imds-guard.conf"));
    assert_true(exists(world, "net.d/aws-cni/other.conf"));
}

static void refuses_a_drop_in_that_nobody_reads(void **state)
{
    struct world *world = *state;

    write_text(world->conflist,
               "{\"cniVersion\": \"1.1.0\", \"name\":\"n\",\"loadOnlyInlinedPlugins\":true,"
               "\"plugins\":[{\"type\":\"ptp\"}]}");
    world->options.drop_in = true;
    assert_install_fails(world, "loadOnlyInlinedPlugins");
    assert_false(exists(world, "net.d/n"));
}

/* aws-node writes anew, under a temporary name and with a rename, while we are about to replace. */
static void leaves_a_newer_file_in_place(void **state)
{
    struct world *world = *state;
    cleanup(replacement) struct replacement file = {.fd = -1};
    struct stat old = status_of(world->conflist);
    cleanup(close_fd) int directory = -1;
    char path[512];
    bool done = true;

    assert_int_equal(replace_lock(world->conf_dir, &directory, &world->err), 0);
    assert_int_equal(replacement_begin(directory, &old, &file, &world->err), 0);
    assert_int_equal(replacement_write(&file, (struct span){"ours", 4}, &world->err), 0);
    in_world(path, world, "net.d/10-aws.conflist.tmp");
    write_text(path, "newer");
    assert_int_equal(rename(path, world->conflist), 0);
    assert_int_equal(replacement_commit_over(&file, "10-aws.conflist", &old, &done, &world->err),
                     0);
    assert_false(done);
    replacement_drop(&file);
    in_world(path, world, "newer");
    write_text(path, "newer");
    assert_file_is(world->conflist, path);
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(installs_and_uninstalls),
        TEST(changes_nothing_the_second_time),
        TEST(keeps_mode_and_owner),
        TEST(makes_no_conflist),
        TEST(says_when_there_is_no_bin_dir),
        TEST(clears_what_was_left_behind),
        TEST(waits_for_another_installer),
        TEST(replaces_a_binary_that_runs),
        TEST(repairs_a_binary_of_the_same_size),
        TEST(refuses_a_bad_config_before_all),
        TEST(takes_the_operators_keys_and_keeps_them),
        TEST(says_that_the_present_entry_is_bad),
        TEST(refuses_a_version_that_no_pod_would_start_with),
        TEST(refuses_a_link),
        TEST(installs_a_drop_in),
        TEST(uninstalls_both_and_nothing_else),
        TEST(refuses_a_drop_in_that_nobody_reads),
        TEST(leaves_a_newer_file_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
