/* What is in force: the first source that can be used, and what is wrong with those before it. */
#include "chain_install_world.h"

#include "node/chain/settings.h"

#define ENTRY(mode) "{" ENTRY_TYPE ",\"mode\":\"" mode "\"}"

struct case_of {
    struct world *world;
    struct settings_sources sources;
    struct settings settings;
    struct error err;
};

static struct case_of start(void **state)
{
    struct world *world = *state;

    return (struct case_of){.world = world, .sources = {.conf_dir = world->conf_dir}};
}

static void load(struct case_of *this, const char *path, size_t problems)
{
    settings_free(&this->settings);
    if (settings_load(&this->sources, &this->settings, &this->err) < 0)
        fail_msg("%s", this->err.msg);
    assert_string_equal(this->settings.path, path);
    if (this->settings.problems.count != problems)
        for (size_t i = 0; i < this->settings.problems.count; i++)
            print_message("%s\n", this->settings.problems.items[i].text);
    assert_int_equal(this->settings.problems.count, problems);
}

static bool has_problem(const struct case_of *this, const char *text)
{
    for (size_t i = 0; i < this->settings.problems.count; i++)
        if (strstr(this->settings.problems.items[i].text, text))
            return true;
    return false;
}

static void takes_the_first_source_that_works(void **state)
{
    struct case_of this = start(state);
    struct world *world = this.world;
    char config[512];

    assert_int_equal(settings_load(&this.sources, &this.settings, &this.err), -1);
    assert_int_equal(this.err.code, ERROR_NOT_AVAILABLE);
    assert_non_null(strstr(this.err.msg, "(run imds-guard install)"));

    this.sources.known = ENTRY("audit");
    this.sources.known_origin = "before";
    load(&this, "before", 1);
    assert_true(has_problem(&this, "has no entry"));
    assert_int_equal(this.settings.config.mode, MODE_AUDIT);
    assert_string_equal(this.settings.network, "aws-cni");

    install(world);
    load(&this, world->conflist, 0);
    assert_int_equal(this.settings.config.mode, MODE_ENFORCE);

    use_config(world, config, "{\"mode\":\"audit\"}");
    this.sources.config_file = config;
    load(&this, config, 0);
    assert_int_equal(this.settings.config.mode, MODE_AUDIT);
    write_text(config, "{\"mode\":\"audi");
    load(&this, world->conflist, 1);
    assert_true(has_problem(&this, config));
    assert_int_equal(this.settings.config.mode, MODE_ENFORCE);

    /* The conflist is broken, then gone: what is known holds, network included. */
    write_text(world->conflist, "{");
    this.sources.networks = &(struct names){(char *[]){(char[]){"aws-cni"}}, 1};
    this.sources.config_file = NULL;
    load(&this, "before", 2);
    assert_true(has_problem(&this, world->conflist));
    assert_true(names_have(&this.settings.networks, "aws-cni"));
    assert_int_equal(unlink(world->conflist), 0);
    load(&this, "before", 1);
    assert_true(has_problem(&this, "no conflist"));
    this.sources.known = NULL;
    settings_free(&this.settings);
    assert_int_equal(settings_load(&this.sources, &this.settings, &this.err), -1);
    assert_non_null(strstr(this.err.msg, "no conflist"));
}

static void knows_all_networks(void **state)
{
    struct case_of this = start(state);
    struct world *world = this.world;
    char path[512];

    in_world(path, world, "net.d/05-cilium.conflist");
    write_text(
        path,
        "{\"cniVersion\":\"0.4.0\",\"name\":\"cilium\",\"plugins\":[{\"type\":\"aws-cni\"}]}");
    this.sources.networks = &(struct names){(char *[]){(char[]){"later"}}, 1};
    install(world);
    load(&this, path, 0);
    assert_string_equal(this.settings.network, "cilium");
    assert_int_equal(this.settings.networks.count, 3);
    assert_true(names_have(&this.settings.networks, "cilium"));
    assert_true(names_have(&this.settings.networks, "aws-cni"));
    assert_true(names_have(&this.settings.networks, "later"));
    assert_false(names_have(&this.settings.networks, "podman"));
    settings_free(&this.settings);
}

/* A second list, whose pods have an entry of their own. */
static void write_more(struct world *world, const char *keys)
{
    char path[512], text[512];

    in_world(path, world, "net.d/20-more.conflist");
    snprintf(
        text, sizeof(text),
        "{\"cniVersion\":\"0.4.0\",\"name\":\"more\",\"plugins\":[{\"type\":\"aws-cni\"},{%s%s}]}",
        ENTRY_TYPE, keys);
    write_text(path, text);
}

static void unites_what_holds_for_the_node(void **state)
{
    struct case_of this = start(state);
    struct world *world = this.world;
    char config[512];

    write_text(world->conflist,
               "{\"cniVersion\":\"0.4.0\",\"name\":\"aws-cni\",\"plugins\":[{\"type\":\"aws-cni\"},"
               "{" ENTRY_TYPE ",\"others\":\"pass\",\"endpoints\":[\"10.0.0.1\",\"10.0.0.3\"]}]}");
    load(&this, world->conflist, 0);
    assert_int_equal(settings_terms(&this.settings).others, VERDICT_PASS);
    write_more(world, ",\"others\":\"pass\",\"endpoints\":[\"10.0.0.2\",\"10.0.0.3\"]");
    load(&this, world->conflist, 0);
    assert_int_equal(settings_terms(&this.settings).endpoint_count, 3);
    assert_int_equal(settings_terms(&this.settings).others, VERDICT_PASS);
    write_more(world, ",\"endpoints\":[\"10.0.0.0/24\"]");
    load(&this, world->conflist, 0);
    assert_int_equal(settings_terms(&this.settings).endpoint_count, 1);
    assert_int_equal(settings_terms(&this.settings).others, VERDICT_DROP);
    assert_true(this.settings.config.others_pass);
    /* No pod starts by it. */
    write_more(world, ",\"endpoints\":[\"10.0.0.4\"],\"mode\":1");
    load(&this, world->conflist, 0);
    assert_int_equal(settings_terms(&this.settings).endpoint_count, 2);
    assert_int_equal(settings_terms(&this.settings).others, VERDICT_PASS);
    /* Who names a file means that one for all lists. */
    write_more(world, "");
    use_config(world, config, "{\"others\":\"pass\"}");
    this.sources.config_file = config;
    load(&this, config, 0);
    assert_int_equal(settings_terms(&this.settings).endpoint_count, 2);
    assert_int_equal(settings_terms(&this.settings).others, VERDICT_PASS);
    settings_free(&this.settings);
}

/* aws-node writes its list anew, without the entry, and the other one's says something else. */
static void no_other_list_stands_in_for_what_is_known(void **state)
{
    struct case_of this = start(state);
    struct world *world = this.world;
    char more[512];

    in_world(more, world, "net.d/20-more.conflist");
    write_more(world, ",\"mode\":\"audit\",\"endpoints\":[\"10.0.0.1\"]");
    this.sources.known = ENTRY("enforce");
    this.sources.known_origin = world->conflist;
    load(&this, world->conflist, 1);
    assert_true(has_problem(&this, "has no entry"));
    assert_true(this.settings.remembered);
    assert_int_equal(this.settings.config.mode, MODE_ENFORCE);
    assert_string_equal(this.settings.network, "aws-cni");
    assert_int_equal(settings_terms(&this.settings).endpoint_count, 3);
    /* But where that is from which is known, it is read anew. */
    this.sources.known_origin = more;
    load(&this, more, 1);
    assert_false(this.settings.remembered);
    assert_int_equal(this.settings.config.mode, MODE_AUDIT);
    /* And nobody knows better. */
    this.sources.known = this.sources.known_origin = NULL;
    load(&this, more, 1);
    assert_int_equal(this.settings.config.mode, MODE_AUDIT);
    settings_free(&this.settings);
}

/* What status shows of the chain, and what helps. */
static void says_what_is_wrong_with_the_chain(void **state)
{
    struct case_of this = start(state);
    struct world *world = this.world;
    char path[512];

    write_text(
        world->conflist,
        "{\"cniVersion\":\"0.4.0\",\"name\":\"aws-cni\",\"plugins\":[{\"type\":\"aws-cni\"}," ENTRY(
            "audit") ",{\"type\":\"antrea\"}]}");
    load(&this, world->conflist, 1);
    assert_true(has_problem(&this, "antrea comes after imds-guard"));
    assert_true(has_problem(&this, "--drop-in"));
    assert_true(has_problem(&this, "cni.exclusive=false"));

    in_world(path, world, "net.d/aws-cni");
    assert_int_equal(mkdir(path, 0755), 0);
    in_world(path, world, "net.d/aws-cni/zz-imds-guard.conf");
    write_text(path, ENTRY("enforce"));
    load(&this, path, 1);
    assert_true(has_problem(&this, "2 entries of imds-guard"));
    assert_true(has_problem(&this, path));
    assert_int_equal(this.settings.config.mode, MODE_ENFORCE);
    assert_null(this.settings.drop_in);
    write_text(
        world->conflist,
        "{\"cniVersion\":\"0.4.0\",\"name\":\"aws-cni\",\"plugins\":[{\"type\":\"aws-cni\"}]}");
    load(&this, path, 0);
    assert_string_equal(this.settings.drop_in, path);
    assert_true(this.settings.drop_in_written > 0);

    in_world(path, world, "net.d/87-podman.conflist");
    write_text(path,
               "{\"name\":\"podman\",\"plugins\":[{\"type\":\"bridge\"}," ENTRY("audit") "]}");
    in_world(path, world, "net.d/aws-cni/zz-imds-guard.conf");
    load(&this, path, 1);
    assert_true(has_problem(&this, "does not make this node's pods"));
    settings_free(&this.settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_the_first_source_that_works), TEST(knows_all_networks),
        TEST(unites_what_holds_for_the_node),    TEST(no_other_list_stands_in_for_what_is_known),
        TEST(says_what_is_wrong_with_the_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
