/* What the operator asks for with --config, and what stands in the conflist already. */
#include "chain_install_world.h"

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
        {"{\"type\":\"imds-guard\",\"type\":\"imds-guard\"}", "\"type\" is given more than once"},
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

static void takes_the_operators_keys_and_keeps_them(void **state)
{
    struct world *world = *state;
    char path[512];

    use_config(world, path, " { \"mode\" : \"audit\" }\n");
    install(world);
    assert_entry(world, "{" ENTRY_TYPE "," ENTRY_CAPABILITIES ",\"mode\":\"audit\"}");
    world->options.config_file = NULL;
    install(world);
    assert_false(world->report.entry_written);
    use_config(world, path, "{\"capabilities\":{},\"lockTimeoutSeconds\":3}");
    install(world);
    assert_true(world->report.entry_written);
    assert_entry(world, "{" ENTRY_TYPE ",\"capabilities\":{},\"lockTimeoutSeconds\":3}");
    use_config(world, path, "{\"type\":\"imds-guard\"}");
    install(world);
    assert_entry(world, "{" ENTRY_CAPABILITIES "," ENTRY_TYPE "}");
    use_config(world, path, "{}");
    install(world);
    assert_false(world->report.entry_written);
}

static void says_that_the_present_entry_is_bad(void **state)
{
    struct world *world = *state;
    char path[512];

    write_text(world->conflist,
               "{\"cniVersion\": \"0.4.0\", \"name\":\"n\",\"plugins\":[{\"type\":\"aws-cni\"},"
               "{\"type\":\"imds-guard\",\"mode\":\"auditt\"}]}");
    assert_install_fails(world, "auditt");
    assert_non_null(strstr(world->err.msg, "--config"));
    /* What was in force is known: it comes back. */
    world->options.known = "{" ENTRY_TYPE ",\"mode\":\"audit\"}";
    install(world);
    assert_said(world, NOTE_DONE, "auditt");
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    use_config(world, path, "{}");
    install(world);
    assert_entry(world, ENTRY_DEFAULT);
}

/* aws-node writes its file anew, and nobody has said --config. */
static void brings_back_the_keys_that_were_there(void **state)
{
    struct world *world = *state;
    char path[512];

    world->options.known = "{" ENTRY_TYPE ",\"mode\":\"audit\"}";
    install(world);
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    /* A second list, as Istio copies it, without it: the first one's keys count, not what is known. */
    world->options.known = ENTRY_DEFAULT;
    world->options.known_origin = world->conflist;
    in_world(path, world, "net.d/05-copy.conflist");
    copy_text(CONFLIST, path);
    install(world);
    assert_entry(world, "{" ENTRY_TYPE ",\"mode\":\"audit\"}");
    assert_file_is(path, world->conflist);
}

/* The list in force is written anew, and what it said is not in the other one. */
static void puts_back_what_was_in_force_and_not_what_another_list_says(void **state)
{
    struct world *world = *state;
    char path[512];

    in_world(path, world, "net.d/20-more.conflist");
    write_text(path, "{\"cniVersion\":\"0.4.0\",\"name\":\"more\",\"plugins\":[{\"type\":"
                     "\"aws-cni\"},{" ENTRY_TYPE ",\"mode\":\"audit\"}]}");
    world->options.known = "{" ENTRY_TYPE ",\"lockTimeoutSeconds\":3}";
    world->options.known_origin = world->conflist;
    install(world);
    assert_entry(world, "{" ENTRY_TYPE ",\"lockTimeoutSeconds\":3}");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_a_bad_config_before_all),
        TEST(takes_the_operators_keys_and_keeps_them),
        TEST(says_that_the_present_entry_is_bad),
        TEST(brings_back_the_keys_that_were_there),
        TEST(puts_back_what_was_in_force_and_not_what_another_list_says),
        TEST(refuses_a_version_that_no_pod_would_start_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
