/* The entry in a file of its own, below the directory of the conflist. */
#include "chain_install_world.h"

#include <sys/inotify.h>

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

    in_world(expected, world, "net.d/aws-cni/zz-imds-guard.conf");
    assert_true(inotify_add_watch(watcher, world->conf_dir,
                                  IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE) >= 0);
    world->options.drop_in = true;
    install(world);
    assert_true(world->report.entry_written);
    assert_said(world, NOTE_DONE, expected);
    assert_entry(world, ENTRY_DEFAULT);
    assert_file_is(world->conflist, CONFLIST);
    assert_int_equal(status_of(expected).st_mode, S_IFREG | 0644);
    assert_watcher_noticed(watcher, true);

    install(world);
    assert_false(world->report.entry_written);
    assert_watcher_noticed(watcher, false);

    use_config(world, path, "{\"mode\":\"audit\"}");
    install(world);
    assert_true(world->report.entry_written);
    assert_watcher_noticed(watcher, true);
    world->options.config_file = NULL;
    install(world);
    assert_false(world->report.entry_written);

    world->options.drop_in = false;
    uninstall(world);
    assert_true(world->report.entry_written);
    assert_watcher_noticed(watcher, true);
    assert_false(exists(world, "net.d/aws-cni"));
    assert_file_is(world->conflist, CONFLIST);
}

static void make_drop_in(struct world *world, const char *name, const char *text)
{
    char path[512];

    in_world(path, world, "net.d/aws-cni");
    (void)!mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/aws-cni/%s", world->conf_dir, name);
    write_text(path, text);
}

static void uninstalls_both_and_nothing_else(void **state)
{
    struct world *world = *state;

    install(world);
    make_drop_in(world, "zz-imds-guard.conf", ENTRY_DEFAULT);
    make_drop_in(world, "other.conf", "{\"type\":\"other\"}");
    uninstall(world);
    assert_file_is(world->conflist, CONFLIST);
    assert_false(exists(world, "net.d/aws-cni/zz-imds-guard.conf"));
    assert_true(exists(world, "net.d/aws-cni/other.conf"));
}

/* The one that runs last has had the last word, and keeps it in whichever place is asked for. */
static void makes_one_of_two(void **state)
{
    struct world *world = *state;

    install(world);
    make_drop_in(world, "zz-imds-guard.conf", "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    install(world);
    assert_false(exists(world, "net.d/aws-cni"));
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    world->options.drop_in = true;
    install(world);
    assert_file_is(world->conflist, CONFLIST);
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    make_drop_in(world, "imds-guard.conf", ENTRY_DEFAULT);
    install(world);
    assert_false(exists(world, "net.d/aws-cni/imds-guard.conf"));
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
}

static void is_the_last_of_its_directory(void **state)
{
    struct world *world = *state;

    world->options.drop_in = true;
    make_drop_in(world, "chaos.conf", "{\"type\":\"chaos\"}");
    install(world);
    assert_true(exists(world, "net.d/aws-cni/zz-imds-guard.conf"));
    make_drop_in(world, "zzz-later.conf", "{\"type\":\"later\"}");
    install(world);
    assert_string_equal(world->report.follower, "later");
    assert_false(exists(world, "net.d/aws-cni/zz-imds-guard.conf"));
    assert_true(exists(world, "net.d/aws-cni/zzz-laterzz-imds-guard.conf"));
    install(world);
    assert_false(world->report.entry_written);
    make_drop_in(world, "~.conf", "{\"type\":\"last\"}");
    install(world);
    assert_string_equal(world->report.follower, "last");
    assert_false(exists(world, "net.d/aws-cni/zzz-laterzz-imds-guard.conf"));
    assert_true(exists(world, "net.d/aws-cni/~zz-imds-guard.conf"));
    assert_entry(world, ENTRY_DEFAULT);
    /* In the list it would come before all of them: that is said, and done. */
    world->options.drop_in = false;
    install(world);
    assert_said(world, NOTE_PROBLEM, "use --drop-in");
    uninstall(world);
    assert_false(exists(world, "net.d/aws-cni/~zz-imds-guard.conf"));
    assert_true(exists(world, "net.d/aws-cni/zzz-later.conf"));
}

static void refuses_a_drop_in_that_nobody_reads(void **state)
{
    struct world *world = *state;

    write_text(world->conflist,
               "{\"cniVersion\": \"1.1.0\", \"name\":\"n\",\"loadOnlyInlinedPlugins\":true,"
               "\"plugins\":[{\"type\":\"aws-cni\"}]}");
    world->options.drop_in = true;
    assert_install_fails(world, "loadOnlyInlinedPlugins");
    assert_false(exists(world, "net.d/n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(installs_a_drop_in),
        TEST(uninstalls_both_and_nothing_else),
        TEST(makes_one_of_two),
        TEST(is_the_last_of_its_directory),
        TEST(refuses_a_drop_in_that_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
