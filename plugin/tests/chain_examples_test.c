/* The files in examples/conflists/ that a person copies are what they say they are. */
#include "guard/config.h"
#include "guard/json.h"
#include "node/chain/conflist.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void load(const char *name, struct config *out)
{
    cleanup(json) cJSON *tree = NULL;
    char path[512], text[4096];
    struct error err = {.code = ERROR_NONE};
    struct span span = {text, 0};
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", EXAMPLES, name);
    file = fopen(path, "re");
    assert_non_null(file);
    span.length = fread(text, 1, sizeof(text), file);
    fclose(file);
    assert_int_equal(json_parse(span, &tree, &err), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "type")),
                        CONFIG_PLUGIN_TYPE);
    assert_int_equal(config_parse(tree, out, &err), 0);
}

static void the_conflist_has_the_default_entry_last(void **state)
{
    cleanup(conflist) struct conflist conflist = {.path = NULL};
    cleanup(config) struct config config = {.endpoints = NULL};
    const struct names networks = {.count = 0};
    const cJSON *plugins;
    struct error err = {.code = ERROR_NONE};
    bool found = false;

    (void)state;
    assert_int_equal(conflist_load(EXAMPLES, "10-aws.conflist", &networks, &conflist, &found, &err),
                     0);
    assert_true(found);
    assert_string_equal(conflist.network, "aws-cni");
    plugins = cJSON_GetObjectItemCaseSensitive(conflist.tree, "plugins");
    assert_ptr_equal(conflist.entry, cJSON_GetArrayItem(plugins, cJSON_GetArraySize(plugins) - 1));
    assert_int_equal(config_parse(conflist.entry, &config, &err), 0);
    assert_int_equal(config.mode, MODE_ENFORCE);
    assert_int_equal(config.endpoint_count, 2);
}

static void the_audit_entry_blocks_nobody(void **state)
{
    cleanup(config) struct config config = {.endpoints = NULL};

    (void)state;
    load("audit.json", &config);
    assert_int_equal(config.mode, MODE_AUDIT);
}

static void the_exemption_entry_lets_two_kinds_through(void **state)
{
    cleanup(config) struct config config = {.endpoints = NULL};

    (void)state;
    load("exempt.json", &config);
    assert_int_equal(config.mode, MODE_ENFORCE);
    assert_int_equal(config.exempt_count, 2);
    assert_string_equal(config.exempt[0].pod, "ebs-csi-node-*");
    assert_int_equal(config.exempt[1].annotation_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conflist_has_the_default_entry_last),
        cmocka_unit_test(the_audit_entry_blocks_nobody),
        cmocka_unit_test(the_exemption_entry_lets_two_kinds_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
