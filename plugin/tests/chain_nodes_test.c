/*
 * Directories of conflists as nodes have them, with what others write there: data/conflists/nodes/
 * NAME/before becomes NAME/after by installing, and by uninstalling NAME/without, or before again
 * where there is no such directory. From public reports and pasted files.
 */
#include "chain_install_world.h"

#define NODES TEST_DATA "/conflists/nodes/"

static bool is_any(const char *name)
{
    return name[0] != '.' || strcmp(name, REPLACE_TEMPORARY) == 0;
}

static struct names files_of(const char *path)
{
    struct names names = {0};
    struct error err = {0};

    assert_int_equal(names_read(path, false, is_any, &names, &err), 0);
    return names;
}

static void copy_files(const char *from, const char *to)
{
    cleanup(names) struct names names = files_of(from);

    assert_true(names.count > 0);
    for (size_t i = 0; i < names.count; i++) {
        char source[512], target[512];

        snprintf(source, sizeof(source), "%s/%s", from, names.items[i]);
        snprintf(target, sizeof(target), "%s/%s", to, names.items[i]);
        copy_text(source, target);
    }
}

static void assert_files(const char *path, const char *expected)
{
    cleanup(names) struct names names = files_of(path);
    cleanup(names) struct names wanted = files_of(expected);

    assert_int_equal(names.count, wanted.count);
    for (size_t i = 0; i < names.count; i++) {
        char one[512], other[512];

        assert_string_equal(names.items[i], wanted.items[i]);
        snprintf(one, sizeof(one), "%s/%s", path, names.items[i]);
        snprintf(other, sizeof(other), "%s/%s", expected, names.items[i]);
        assert_file_is(one, other);
    }
}

/* What is done on one node. */
struct node {
    const char *name;
    size_t lists;        /* that make its pods */
    const char *network; /* --network, or NULL */
    const char *says;    /* a note, or NULL */
};

static void installs_and_uninstalls(const struct node *node)
{
    void *state = NULL;
    struct world *world;
    cleanup(names) struct names named = {0};
    char before[256], after[256], without[256];

    assert_int_equal(set_up(&state), 0);
    world = state;
    snprintf(before, sizeof(before), NODES "%s/before", node->name);
    snprintf(after, sizeof(after), NODES "%s/after", node->name);
    snprintf(without, sizeof(without), NODES "%s/without", node->name);
    assert_int_equal(remove(world->conflist), 0);
    copy_files(before, world->conf_dir);
    if (node->network)
        assert_int_equal(names_add(&named, node->network, &world->err), 0);
    world->options.networks = &named;
    install(world);
    assert_int_equal(world->report.lists, node->lists);
    if (node->says)
        assert_said(world, NOTE_DONE, node->says);
    assert_files(world->conf_dir, after);
    install(world);
    assert_false(world->report.entry_written);
    assert_files(world->conf_dir, after);
    uninstall(world);
    assert_int_equal(world->report.named, 0);
    assert_files(world->conf_dir, access(without, F_OK) == 0 ? without : before);
    assert_int_equal(tear_down(&state), 0);
}

static void every_node(void **state)
{
    static const struct node nodes[] = {
        {"vpc-cni-1.10", 1, NULL, NULL},
        {"antrea", 1, NULL, "antrea had come after it"},
        {"multus", 1, NULL, NULL},
        {"podman-and-crio", 0, NULL, "does not make this node's pods"},
        {"istio", 2, NULL, "02-istio-cni.conflist: entry written"},
        {"cilium", 1, NULL, NULL},
        {"named", 1, "kindnet", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        print_message("%s\n", nodes[i].name);
        installs_and_uninstalls(&nodes[i]);
    }
}

/* Where no edit gets at it, or nobody can tell, the binary has to stay. */
static void says_what_still_names_it(void **state)
{
    static const char *const texts[] = {
        "{\"type\":\"multus\",\"delegates\":[{\"plugins\":[{\"type\":\"imds-guard\"}]}]}",
        "{\"plugins\":[{\"type\":\"imds-guard\"}",
        "{\"name\":\"x\",\"type\":\"imds-guard\"}",
        "{\"name\":\"x\",\"plugins\":[{\"type\":\"imds-guard\"}]}",
    };
    struct world *world = *state;
    char path[512];

    in_world(path, world, "net.d/00-multus.conf");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(path, texts[i]);
        install_report_free(&world->report);
        assert_int_equal(uninstall_entry(&world->options, &world->report, &world->err), 0);
        assert_int_equal(world->report.named, 1);
        assert_said(world, NOTE_PROBLEM, path);
    }
}

/* A file that is broken keeps none of the others from being right. */
static void does_what_can_be_done(void **state)
{
    struct world *world = *state;
    char path[512];

    in_world(path, world, "net.d/05-broken.conflist");
    write_text(path, "{\"name\": ");
    assert_install_fails(world, "05-broken.conflist");
    assert_int_equal(world->report.failed, 1);
    assert_int_equal(world->report.lists, 1);
    assert_file_is(world->conflist, EXPECTED);
    uninstall(world);
    assert_file_is(world->conflist, CONFLIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node),
        TEST(says_what_still_names_it),
        TEST(does_what_can_be_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
