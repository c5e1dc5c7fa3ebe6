/*
 * Every allocation of the room fails once: the function then reports it, leaves its output alone
 * and loses nothing (AddressSanitizer looks).
 */
#include "guard_text.h"
#include "starving.h"

#include "guard/plan.h"

#define CONFIG                                                                                     \
    "{\"exempt\":[{\"namespace\":\"a\",\"pod\":\"b\"},{\"namespace\":\"c\",\"annotation\":"        \
    "{\"d\":\"e\",\"f\":\"g\"}}],\"endpoints\":[\"169.254.169.254\"]}"

static int parse_json(struct error *err)
{
    cleanup(json) cJSON *tree = NULL;
    int result = json_parse((struct span){.start = CONFIG, .length = strlen(CONFIG)}, &tree, err);

    assert_true((tree != NULL) == (result == 0));
    return result;
}

static cJSON *tree_for_next; /* made while memory was plenty */

static int parse_config(struct error *err)
{
    struct config config = {.exempt_count = 99};

    if (config_parse(tree_for_next, &config, err) < 0) {
        assert_int_equal(config.exempt_count, 99);
        return -1;
    }
    config_free(&config);
    return 0;
}

static int parse_defaults(struct error *err)
{
    struct config config = {.exempt_count = 99};

    if (config_parse(NULL, &config, err) < 0) {
        assert_int_equal(config.exempt_count, 99);
        return -1;
    }
    config_free(&config);
    return 0;
}

static int parse_result(struct error *err)
{
    struct result result = {.interface_count = 99};

    if (result_parse(tree_for_next, &result, err) < 0) {
        assert_int_equal(result.interface_count, 99);
        return -1;
    }
    result_free(&result);
    return 0;
}

static int make_plan(struct error *err)
{
    static const struct config config = {.mode = MODE_ENFORCE};
    static const struct attachment attachment = {
        .owner = {.network = "n", .container_id = "c", .ifname = "eth0"}};
    struct pod_link pod = {.link = {.name = "eth0", .index = 2, .kind = "veth"},
                           .host_peer = {.name = "h", .index = 3, .kind = "veth"}};
    struct facts facts = {.pod = &pod, .pod_count = 1};
    struct plan plan = {.guard_count = 99};

    if (plan_make(&attachment, &config, &facts, false, &plan, err) < 0) {
        assert_int_equal(plan.guard_count, 99);
        return -1;
    }
    assert_int_equal(plan.guard_count, 1);
    plan_free(&plan);
    return 0;
}

static void json_survives(void **state)
{
    (void)state;
    assert_true(starve(parse_json, NULL) >= 20);
}

static void config_survives(void **state)
{
    cleanup(json) cJSON *tree = tree_of(CONFIG);

    (void)state;
    tree_for_next = tree;
    assert_true(starve(parse_config, NULL) >= 10);
    assert_true(starve(parse_defaults, NULL) >= 1);
}

static void result_survives(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{\"interfaces\":[{\"name\":\"a\"}]}");

    (void)state;
    tree_for_next = tree;
    assert_true(starve(parse_result, NULL) >= 1);
}

static void plan_survives(void **state)
{
    (void)state;
    assert_true(starve(make_plan, NULL) >= 3);
}

/* A value that cannot be printed for want of memory is still refused by its key. */
static void a_refusal_needs_no_memory(void **state)
{
    cleanup(json) cJSON *tree = tree_of("{\"mode\":7}");
    struct config config = {.exempt_count = 99};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    memory_ends(1, true);
    assert_int_equal(config_parse(tree, &config, &err), -1);
    assert_true(memory_is_back());
    assert_string_equal(err.msg, "config key \"mode\" is ?: it must be \"enforce\" or \"audit\"");
}

/* cJSON is a library of its own, which --wrap does not reach. */
static int hook_cjson(void **state)
{
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

    (void)state;
    cJSON_InitHooks(&hooks);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_survives),
        cmocka_unit_test(config_survives),
        cmocka_unit_test(result_survives),
        cmocka_unit_test(plan_survives),
        cmocka_unit_test(a_refusal_needs_no_memory),
    };

    return cmocka_run_group_tests(tests, hook_cjson, NULL);
}
