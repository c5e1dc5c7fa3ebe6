#include "chain_install_world.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static void installs_and_uninstalls(void **state)
{
    struct world *world = *state;

    install(world);
    assert_true(world->report.binary_written);
    assert_true(world->report.entry_written);
    assert_int_equal(world->report.lists, 1);
    assert_file_is(world->conflist, EXPECTED);
    assert_int_equal(status_of(world->binary).st_mode, S_IFREG | 0755);
    uninstall(world);
    assert_true(world->report.entry_written);
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
    assert_false(world->report.entry_written);
    assert_int_equal(status_of(world->conflist).st_ino, conflist.st_ino);
    assert_int_equal(status_of(world->conflist).st_ctim.tv_nsec, conflist.st_ctim.tv_nsec);
    assert_int_equal(status_of(world->binary).st_ino, binary.st_ino);
    assert_int_equal(status_of(world->binary).st_ctim.tv_nsec, binary.st_ctim.tv_nsec);
    uninstall(world);
    uninstall(world);
    assert_false(world->report.entry_written);
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
        assert_true(world->report.entry_written);
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
        assert_int_equal(world->report.lists, 0);
        assert_true(exists(world, "bin/imds-guard"));
        uninstall(world);
        assert_int_equal(world->report.lists, 0);
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
    assert_false(world->report.entry_written);
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
        _exit(install_all(&world->options, &world->report, &world->err) < 0);
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
    for (int tries = 0; tries < 60000; tries++) {
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
        execl(world->binary, "sleep", "3600", (char *)NULL);
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

/* aws-node writes anew, under a temporary name and with a rename, while we are about to replace. */
static void leaves_a_newer_file_in_place(void **state)
{
    struct world *world = *state;
    cleanup(replacement) struct replacement file = {.fd = -1};
    struct stat old = status_of(world->conflist);
    cleanup(close_fd) int directory = -1;
    char path[512];
    bool done = true;

    assert_int_equal(replace_lock(world->conf_dir, 0, &directory, &world->err), 0);
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

/* Killed between the two changes of names: what came out under the temporary name goes back. */
static void puts_back_what_a_killed_one_has_taken(void **state)
{
    struct world *world = *state;
    char path[512];

    in_world(path, world, "net.d/" REPLACE_TEMPORARY);
    assert_int_equal(rename(world->conflist, path), 0); /* what aws-node had just written */
    write_text(world->conflist, "ours, of the one before");
    assert_int_equal(chmod(world->conflist, 01644), 0);
    install(world);
    assert_file_is(world->conflist, EXPECTED);
    assert_int_equal(status_of(world->conflist).st_mode, S_IFREG | 0644);
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
    /* Somebody has written anew since: that is newer than what came out. */
    write_text(path, "{}");
    install(world);
    assert_file_is(world->conflist, EXPECTED);
    assert_false(exists(world, "net.d/" REPLACE_TEMPORARY));
}

/* A file whose version is another: what is wrong in ours is the number alone. */
static void make_binary(struct world *world, const char *version)
{
    char path[512], *mark;
    FILE *file;
    cleanup(free_text) char *bytes = NULL;
    size_t length = 0, at = 0, size = strlen(IMDS_GUARD_VERSION);
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;

    assert_int_equal(fstat(self, &status), 0);
    length = (size_t)status.st_size;
    bytes = malloc(length);
    while (at < length)
        at += (size_t)read(self, bytes + at, length - at);
    close(self);
    mark = memmem(bytes, length, "imds-guard binary, version " IMDS_GUARD_VERSION, 27 + size);
    assert_non_null(mark);
    assert_int_equal(strlen(version), size);
    memcpy(mark + 27, version, size);
    in_world(path, world, "bin/imds-guard");
    unlink(path);
    file = fopen(path, "we");
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void leaves_a_newer_binary_alone(void **state)
{
    struct world *world = *state;

    make_binary(world, "9.9.9");
    install(world);
    assert_false(world->report.binary_written);
    assert_said(world, NOTE_SKIPPED, "9.9.9");
    assert_file_is(world->conflist, EXPECTED);
    make_binary(world, "0.0.9");
    install(world);
    assert_true(world->report.binary_written);
    /* One that nobody but root may run is none. */
    make_binary(world, "9.9.9");
    assert_int_equal(chmod(world->binary, 0700), 0);
    install(world);
    assert_true(world->report.binary_written);
}

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
        TEST(refuses_a_link),
        TEST(leaves_a_newer_file_in_place),
        TEST(puts_back_what_a_killed_one_has_taken),
        TEST(leaves_a_newer_binary_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
