#include "guard_text.h"

#include "guard/owner.h"

static const struct owner web = {.network = "aws-cni", .container_id = "4f3c", .ifname = "eth0"};

static void a_tag_reads_as_documented(void **state)
{
    char tag[TAG_SIZE] = "";

    (void)state;
    tag_write(&web, 1, "default", "web-0", tag);
    assert_string_equal(tag, "aws-cni/4f3c/eth0 1 default/web-0");
    tag_write(&web, 12, NULL, "web-0", tag);
    assert_string_equal(tag, "aws-cni/4f3c/eth0 12 -");
    tag_write(&web, 12, "default", NULL, tag);
    assert_string_equal(tag, "aws-cni/4f3c/eth0 12 -");
}

static void foreign_bytes_of_a_pod_become_underscores(void **state)
{
    char tag[TAG_SIZE] = "";

    (void)state;
    tag_write(&web, 1, "a/b \"c\"\n", "%s*'\xC3\xA4.\\", tag);
    assert_string_equal(tag, "aws-cni/4f3c/eth0 1 a_b__c__/_s____._");
}

static void a_tag_is_read_as_it_was_written(void **state)
{
    char tag[TAG_SIZE] = "";
    struct tag read = {.guards = 0};

    (void)state;
    tag_write(&web, 999, "default", "web-0", tag);
    assert_true(tag_parse(tag, &read));
    assert_string_equal(read.owner.network, "aws-cni");
    assert_string_equal(read.owner.container_id, "4f3c");
    assert_string_equal(read.owner.ifname, "eth0");
    assert_string_equal(read.pod, "default/web-0");
    assert_int_equal(read.guards, 999);
    assert_int_equal(tag_guards(tag), 999);
    tag_write(&web, 2, NULL, NULL, tag);
    assert_true(tag_parse(tag, &read));
    assert_string_equal(read.pod, "-");
}

/* Any lengths of the owner's names, any pod: the tag fits, is its owner's, and only the pod
 * is cut. */
static void every_owner_that_fits_round_trips(void **state)
{
    char id[OWNER_BYTES_MAX + 2] = "";
    char name[254] = "";

    (void)state;
    memset(name, 'p', 253);
    for (size_t length = 1; length <= OWNER_BYTES_MAX; length++) {
        struct owner owner = {.network = "n", .container_id = id, .ifname = "e"};
        char tag[TAG_SIZE] = "";
        size_t names_end = 0;
        struct tag read = {.guards = 0};

        id[length - 1] = 'c';
        if (!owner_fits(&owner)) {
            assert_int_equal(length, OWNER_BYTES_MAX - 1);
            return;
        }
        tag_write(&owner, OWNER_GUARDS_MAX, "kube-system", name, tag);
        names_end = strlen("n/") + length + strlen("/e 999 ");
        assert_int_equal(strlen(tag), names_end < TAG_POD_END ? TAG_POD_END : names_end + 1);
        assert_true(tag_parse(tag, &read));
        assert_string_equal(read.owner.container_id, id);
        assert_int_equal(owner_compare(&read.owner, &owner), 0);
        assert_true(tags_have_same_owner(tag, tag));
    }
    fail_msg("everything fits");
}

static void what_is_not_written_so_is_no_tag(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "-",
        "aws-cni",
        "aws-cni/4f3c",
        "aws-cni/4f3c/eth0",
        "aws-cni/4f3c/eth0 1",
        "aws-cni/4f3c/eth0 1 ",
        "aws-cni/4f3c/eth0 1 default",
        "aws-cni/4f3c/eth0 1 default/web-0 ",
        "aws-cni/4f3c/eth0 1 default/web-0/x",
        "aws-cni/4f3c/eth0 1 default/web 0",
        "aws-cni/4f3c/eth0 1 default/web\xC3\xA4",
        "aws-cni/4f3c/eth0 1  default/web-0",
        " aws-cni/4f3c/eth0 1 default/web-0",
        "aws-cni/4f3c/eth0  1 default/web-0",
        "aws-cni/4f3c/eth0 01 default/web-0",
        "aws-cni/4f3c/eth0 +1 default/web-0",
        "aws-cni/4f3c/eth0 -1 default/web-0",
        "aws-cni/4f3c/eth0 0 default/web-0",
        "aws-cni/4f3c/eth0 1000 default/web-0",
        "aws-cni/4f3c/eth0 18446744073709551617 default/web-0",
        "aws-cni/4f3c/eth0 x default/web-0",
        "aws-cni/4f3c/eth0 1x default/web-0",
        "-aws/4f3c/eth0 1 default/web-0",
        "aws-cni/.4f3c/eth0 1 default/web-0",
        "aws-cni//eth0 1 default/web-0",
        "/4f3c/eth0 1 default/web-0",
        "aws-cni/4f3c/ 1 default/web-0",
        "aws-cni/4f3c/.. 1 default/web-0",
        "aws-cni/4f3c/et:0 1 default/web-0",
        "aws-cni/4f3c/eth0/x 1 default/web-0",
        "aws-cni/4f3c/sixteen-bytes-xx 1 default/web-0",
        "aws-cni/4f3c/eth0\t1 default/web-0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tag read = {.guards = 77};

        if (tag_parse(bad[i], &read))
            fail_msg("\"%s\" is read as a tag", bad[i]);
        assert_int_equal(read.guards, 77);
        assert_int_equal(tag_guards(bad[i]), 0);
        assert_false(tags_have_same_owner(bad[i], bad[i]));
    }
}

static void a_tag_too_long_is_none(void **state)
{
    char text[2 * TAG_SIZE] = "";
    char names[OWNER_BYTES_MAX] = "";

    (void)state;
    memset(names, 'c', OWNER_BYTES_MAX - 1);
    snprintf(text, sizeof(text), "aws-cni/4f3c/eth0 1 default/%s", names);
    assert_int_equal(tag_guards(text), 0);
    snprintf(text, sizeof(text), "n/%.*s/e 1 -", OWNER_BYTES_MAX - 1, names);
    assert_int_equal(tag_guards(text), 0); /* it has TAG_SIZE - 1 bytes, but no such owner fits */
    snprintf(text, sizeof(text), "n/%.*s/e 1 -", OWNER_BYTES_MAX - 2, names);
    assert_int_equal(tag_guards(text), 1);
}

/* Names that are prefixes of others, or would collide if joined without care. */
static void no_owner_is_taken_for_another(void **state)
{
    static const struct owner others[] = {
        {.network = "aws-cni", .container_id = "4f3", .ifname = "eth0"},
        {.network = "aws-cni", .container_id = "4f3c0", .ifname = "eth0"},
        {.network = "aws-cni", .container_id = "4f3c", .ifname = "eth"},
        {.network = "aws-cni", .container_id = "4f3c", .ifname = "eth01"},
        {.network = "aws-cn", .container_id = "4f3c", .ifname = "eth0"},
        {.network = "aws-cni.4f3c", .container_id = "eth0", .ifname = "eth0"},
        {.network = "AWS-CNI", .container_id = "4f3c", .ifname = "eth0"},
        {.network = "aws-cni/4f3c", .container_id = "eth0", .ifname = ""},
    };
    char tag[TAG_SIZE] = "";
    char again[TAG_SIZE] = "";

    (void)state;
    tag_write(&web, 1, "default", "web-0", tag);
    tag_write(&web, 3, NULL, NULL, again);
    assert_true(tags_have_same_owner(tag, again));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        tag_write(&others[i], 1, "default", "web-0", again);
        assert_false(tags_have_same_owner(tag, again));
        assert_false(tags_have_same_owner(again, tag));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_reads_as_documented),
        cmocka_unit_test(foreign_bytes_of_a_pod_become_underscores),
        cmocka_unit_test(a_tag_is_read_as_it_was_written),
        cmocka_unit_test(every_owner_that_fits_round_trips),
        cmocka_unit_test(what_is_not_written_so_is_no_tag),
        cmocka_unit_test(a_tag_too_long_is_none),
        cmocka_unit_test(no_owner_is_taken_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
