/*
 * For tests of installing: directories of the test's own, and what is in them. The binary that is
 * installed is the test itself.
 */
#ifndef IMDS_GUARD_TESTS_NODE_INSTALL_WORLD_H
#define IMDS_GUARD_TESTS_NODE_INSTALL_WORLD_H

#include "node/chain/directory.h"
#include "node/chain/entry.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"
#include "node/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static inline char *read_text(const char *path)
{
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;

    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &length, &err) < 0)
        fail_msg("%s", err.msg);
    return text;
}

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void copy_text(const char *from, const char *to)
{
    cleanup(free_text) char *text = read_text(from);

    write_text(to, text);
}

static inline void assert_file_is(const char *path, const char *expected_path)
{
    cleanup(free_text) char *text = read_text(path);
    cleanup(free_text) char *expected = read_text(expected_path);

    assert_string_equal(text, expected);
}

static inline int set_up(void **state)
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

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    int failed = nftw(world->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);

    install_report_free(&world->report);
    free(world);
    return failed;
}

/* What the report says is wrong, as the error. */
static inline int done(struct world *world, int result)
{
    const struct notes *notes = &world->report.notes;

    for (size_t i = 0; result == 0 && world->report.failed > 0 && i < notes->count; i++)
        if (notes->items[i].kind == NOTE_PROBLEM)
            return error_set(&world->err, ERROR_IO, "%s", notes->items[i].text);
    return result;
}

static inline int try_install(struct world *world)
{
    install_report_free(&world->report);
    world->err = (struct error){.code = ERROR_NONE};
    return done(world, install_all(&world->options, &world->report, &world->err));
}

static inline void install(struct world *world)
{
    if (try_install(world) < 0)
        fail_msg("%s", world->err.msg);
}

static inline void assert_install_fails(struct world *world, const char *says)
{
    assert_int_equal(try_install(world), -1);
    if (!strstr(world->err.msg, says))
        fail_msg("\"%s\" says nothing of \"%s\"", world->err.msg, says);
}

static inline void uninstall(struct world *world)
{
    install_report_free(&world->report);
    if (done(world, uninstall_entry(&world->options, &world->report, &world->err)) < 0)
        fail_msg("%s", world->err.msg);
}

/* Whether a note says this. */
static inline bool said(const struct world *world, enum note_kind kind, const char *text)
{
    for (size_t i = 0; i < world->report.notes.count; i++)
        if (world->report.notes.items[i].kind == kind &&
            strstr(world->report.notes.items[i].text, text))
            return true;
    return false;
}

static inline void assert_said(const struct world *world, enum note_kind kind, const char *text)
{
    for (size_t i = 0; !said(world, kind, text) && i < world->report.notes.count; i++)
        print_message("%d %s\n", (int)world->report.notes.items[i].kind,
                      world->report.notes.items[i].text);
    assert_true(said(world, kind, text));
}

static inline void in_world(char path[static 512], const struct world *world, const char *name)
{
    snprintf(path, 512, "%s/%s", world->top, name);
}

static inline bool exists(const struct world *world, const char *name)
{
    char path[512];
    struct stat status;

    in_world(path, world, name);
    return lstat(path, &status) == 0;
}

static inline struct stat status_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static inline void use_config(struct world *world, char path[static 512], const char *text)
{
    in_world(path, world, "entry");
    write_text(path, text);
    world->options.config_file = path;
}

static inline cJSON *entry_of(const struct world *world)
{
    cleanup(directory) struct directory directory = {0};
    const struct conflist *first;
    struct error err = {0};

    if (directory_load(world->conf_dir, world->options.networks, &directory, &err) < 0)
        fail_msg("%s", err.msg);
    first = directory_entry(&directory, NULL);
    return first ? cJSON_Duplicate(first->entry, true) : NULL;
}

static inline void assert_entry(const struct world *world, const char *expected)
{
    cleanup(json) cJSON *entry = entry_of(world);
    cleanup(free_text) char *text = cJSON_PrintUnformatted(entry);

    assert_string_equal(text, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
