/*
 * Every call that installing and uninstalling make fails once. Whatever happens, the conflist is the
 * one before or the one after, whole; an error is said; and when the same is done again, it is done,
 * and nothing is left behind. What was only interrupted, or read and written in parts, is done at
 * once.
 */
#include "faulty_calls.h"

#include "guard/cleanup.h"
#include "node/chain/drop_ins.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"
#include "node/file.h"

#include <cjson/cJSON.h>
#include <ftw.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CONFLIST TEST_DATA "/conflists/aws.conflist"
#define EXPECTED TEST_DATA "/conflists/aws.expected"
#define CONFIG   "{\"type\": \"imds-guard\", \"mode\": \"audit\"}"

/* The world of one test: <top>/net.d with a conflist, <top>/bin, <top>/entry. */
static struct world {
    char top[64], conf_dir[96], bin_dir[96], conflist[128], drop_in[160], entry[96];
    struct install_options options;
} world;

static char before[65536];
static char after[65536];

static void read_into(char text[static 65536], const char *path)
{
    FILE *file = fopen(path, "re");
    size_t length;

    assert_non_null(file);
    length = fread(text, 1, 65535, file);
    text[length] = '\0';
    fclose(file);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static void make_world(const char *conflist)
{
    world = (struct world){.top = "/tmp/imds-guard-faults-XXXXXX"};
    assert_non_null(mkdtemp(world.top));
    snprintf(world.conf_dir, sizeof(world.conf_dir), "%s/net.d", world.top);
    snprintf(world.bin_dir, sizeof(world.bin_dir), "%s/bin", world.top);
    snprintf(world.entry, sizeof(world.entry), "%s/entry", world.top);
    snprintf(world.conflist, sizeof(world.conflist), "%s/10-aws.conflist", world.conf_dir);
    snprintf(world.drop_in, sizeof(world.drop_in), "%s/aws-cni/" DROP_IN_NAME, world.conf_dir);
    world.options = (struct install_options){.conf_dir = world.conf_dir, .bin_dir = world.bin_dir};
    assert_int_equal(mkdir(world.conf_dir, 0755), 0);
    assert_int_equal(mkdir(world.bin_dir, 0755), 0);
    write_text(world.conflist, conflist);
    write_text(world.entry, CONFIG);
}

static void remove_world(void)
{
    assert_int_equal(nftw(world.top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void assert_nothing_is_left(const char *directory)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/" REPLACE_TEMPORARY, directory);
    assert_int_equal(access(path, F_OK), -1);
}

/* What is tried. */
static struct trial {
    int (*act)(const struct install_options *, struct install_report *, struct error *);
    const char *from, *to; /* the conflist */
    bool drop_in;
    bool drop_in_before, drop_in_after;
    bool with_config;
} trial;

int __real_install_binary(const struct install_options *options, struct install_report *report,
                          struct error *err);
int __wrap_install_binary(const struct install_options *options, struct install_report *report,
                          struct error *err);

/* Whose calls fail in `installs`: once is enough. */
int __wrap_install_binary(const struct install_options *options, struct install_report *report,
                          struct error *err)
{
    return trial.drop_in ? 0 : __real_install_binary(options, report, err);
}

int __real_file_read(int directory, const char *path, enum file_link link, char **out, size_t *size,
                     struct error *err);
int __wrap_file_read(int directory, const char *path, enum file_link link, char **out, size_t *size,
                     struct error *err);

/* Something small for our own binary: to copy megabytes hundreds of times shows nothing more. */
int __wrap_file_read(int directory, const char *path, enum file_link link, char **out, size_t *size,
                     struct error *err)
{
    if (strcmp(path, "/proc/self/exe") == 0)
        path = CONFLIST;
    return __real_file_read(directory, path, link, out, size, err);
}

static void assert_done(void)
{
    static char text[65536];

    read_into(text, world.conflist);
    assert_string_equal(text, trial.to);
    assert_int_equal(access(world.drop_in, F_OK) == 0, trial.drop_in_after);
    assert_nothing_is_left(world.conf_dir);
    assert_nothing_is_left(world.bin_dir);
}

static void assert_whole(void)
{
    static char text[65536];

    read_into(text, world.conflist);
    assert_true(strcmp(text, trial.from) == 0 || strcmp(text, trial.to) == 0);
}

/* What one file could not have done to it is a note. */
static int act(struct error *err)
{
    cleanup(install_report) struct install_report report = {0};
    int result = trial.act(&world.options, &report, err);

    if (result == 0 && report.failed + report.named > 0)
        return error_set(err, ERROR_IO, "%s", report.notes.items[report.notes.count - 1].text);
    return result;
}

/* False once there is no such call any more. */
static bool act_with(unsigned long at, int error)
{
    struct error err = {.code = ERROR_NONE};
    bool happened;
    int result;

    make_world(trial.from);
    if (trial.drop_in_before) {
        char directory[160];

        snprintf(directory, sizeof(directory), "%s/aws-cni", world.conf_dir);
        assert_int_equal(mkdir(directory, 0755), 0);
        write_text(world.drop_in, CONFIG);
    }
    world.options.drop_in = trial.drop_in;
    world.options.config_file = trial.with_config ? world.entry : NULL;
    faulty_from_now(at, error);
    result = act(&err);
    happened = faulty.happened;
    faulty.at = 0;
    if (happened && (error == EINTR || error == FAULT_PARTLY))
        assert_int_equal(result, 0);
    if (result < 0) {
        assert_true(err.msg[0] != '\0');
        assert_whole();
        assert_int_equal(act(&err), 0);
    }
    assert_done();
    remove_world();
    return happened;
}

/* Of hundreds, valgrind looks at every seventh: all of them take it half a minute. */
static void fail_each_call(void)
{
    static const int errors[] = {EIO, EINTR, FAULT_PARTLY};
    const unsigned long step = getenv("UNDER_VALGRIND") ? 7 : 1;

    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        unsigned long at = 1;

        while (act_with(at, errors[i])) {
            at += step;
            assert_true(at < 5000);
        }
        assert_true(at > (errors[i] == EIO ? 300 : 5));
    }
}

static void installs(void **state)
{
    (void)state;
    trial = (struct trial){.act = install_all, .from = before, .to = after};
    fail_each_call();
}

static void installs_a_drop_in(void **state)
{
    (void)state;
    trial = (struct trial){.act = install_all,
                           .from = before,
                           .to = before,
                           .drop_in = true,
                           .drop_in_after = true,
                           .with_config = true};
    fail_each_call();
    /* Over another one, and over an entry in the conflist. */
    trial.drop_in_before = true;
    fail_each_call();
    trial.from = after;
    fail_each_call();
}

static void uninstalls(void **state)
{
    (void)state;
    trial = (struct trial){.act = uninstall_entry, .from = after, .to = before};
    fail_each_call();
    trial.drop_in_before = true;
    fail_each_call();
}

enum {
    FLUSH = 1,
    EXCHANGE,
    COMPARE,
    EXCHANGE_BACK,
    UNMARK = EXCHANGE_BACK + 1
}; /* the calls of replacement_commit_over */

/* Puts "ours" in the conflist's place, if it is still `old`; one call fails. */
static int commit_over(const struct stat *old, unsigned long at, int error, bool *done,
                       struct error *err)
{
    cleanup(close_fd) int directory = -1;
    cleanup(replacement) struct replacement replacement = {.fd = -1};
    int result;

    assert_int_equal(replace_lock(world.conf_dir, 0, &directory, err), 0);
    assert_int_equal(replacement_begin(directory, old, &replacement, err), 0);
    assert_int_equal(replacement_write(&replacement, (struct span){"ours", 4}, err), 0);
    faulty_from_now(at, error);
    result = replacement_commit_over(&replacement, "10-aws.conflist", old, done, err);
    faulty.at = 0;
    assert_true(faulty.happened);
    return result;
}

static void assert_conflist(const char *expected)
{
    static char text[65536];

    read_into(text, world.conflist);
    assert_string_equal(text, expected);
}

/* The two files have changed names, another program's came out, and they cannot change back. */
static void loses_nobodys_file(void **state)
{
    static char text[65536];
    char kept[160];
    struct error err;
    struct stat old;
    bool done = false;

    (void)state;
    make_world(before);
    assert_int_equal(stat(world.conflist, &old), 0);
    write_text(world.conflist, "newer");
    assert_int_equal(commit_over(&old, EXCHANGE_BACK, EIO, &done, &err), -1);
    snprintf(kept, sizeof(kept), "%s/" REPLACE_TEMPORARY, world.conf_dir);
    read_into(text, kept);
    assert_string_equal(text, "newer");
    assert_non_null(strstr(err.msg, REPLACE_TEMPORARY));
    /* Whoever comes next, that may be after a crash, puts it back. */
    {
        cleanup(close_fd) int directory = -1;

        assert_int_equal(replace_lock(world.conf_dir, 0, &directory, &err), 0);
    }
    assert_conflist("newer");
    assert_nothing_is_left(world.conf_dir);
    remove_world();
}

/* rename(2): EINVAL, as on NFS. */
static void does_without_an_exchange(void **state)
{
    struct error err;
    struct stat old;
    bool done = false;

    (void)state;
    make_world(before);
    assert_int_equal(stat(world.conflist, &old), 0);
    assert_int_equal(commit_over(&old, EXCHANGE, EINVAL, &done, &err), 0);
    assert_true(done);
    assert_conflist("ours");
    assert_nothing_is_left(world.conf_dir);
    write_text(world.conflist, "newer");
    assert_int_equal(commit_over(&old, EXCHANGE, EINVAL, &done, &err), 0);
    assert_false(done);
    assert_conflist("newer");
    assert_nothing_is_left(world.conf_dir);
    remove_world();
}

/* Deleted by another program: there is nothing to replace, and the caller looks again. */
static void what_is_gone_is_not_replaced(void **state)
{
    struct error err;
    struct stat old;
    bool done = true;

    (void)state;
    make_world(before);
    assert_int_equal(stat(world.conflist, &old), 0);
    assert_int_equal(commit_over(&old, EXCHANGE, ENOENT, &done, &err), 0);
    assert_false(done);
    assert_nothing_is_left(world.conf_dir);
    remove_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installs),
        cmocka_unit_test(installs_a_drop_in),
        cmocka_unit_test(uninstalls),
        cmocka_unit_test(loses_nobodys_file),
        cmocka_unit_test(does_without_an_exchange),
        cmocka_unit_test(what_is_gone_is_not_replaced),
    };
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

    cJSON_InitHooks(&hooks);
    read_into(before, CONFLIST);
    read_into(after, EXPECTED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
