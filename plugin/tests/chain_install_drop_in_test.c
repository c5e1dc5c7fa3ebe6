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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(installs_a_drop_in),
        TEST(uninstalls_both_and_nothing_else),
        TEST(refuses_a_drop_in_that_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
