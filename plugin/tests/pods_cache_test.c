#include "node/pods/cache.h"
#include "node/pods/in_force.h"

#include "node/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "{\"kind\":\"cniCacheV1\",\"containerId\":\"abc123\",\"config\":\"e30=\",\"ifName\":\"eth0\"," \
    "\"networkName\":\"aws-cni\","
#define ARGS                                                                                       \
    "\"cniArgs\":[[\"IgnoreUnknown\",\"1\"],[\"K8S_POD_NAMESPACE\",\"default\"],"                  \
    "[\"K8S_POD_NAME\",\"web-0\"]],"
#define RESULT                                                                                     \
    "\"result\":{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eni1\"},{\"name\":\"eth0\"," \
    "\"sandbox\":\"/run/netns/x\"},{\"name\":\"dummy0123456789a\",\"mac\":\"0\","                  \
    "\"sandbox\":\"0\"}]}}"
#define WHOLE HEAD "\"netns\":\"/run/netns/a\"," ARGS RESULT

static int parse(const char *text, struct cached_attachment *out, struct error *err)
{
    return cache_parse((struct span){text, strlen(text)}, out, err);
}

static void an_attachment_is_read_whole(void **state)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    const struct attachment *attachment = &cached.attachment;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse(WHOLE, &cached, &err), 0);
    assert_string_equal(attachment->owner.network, "aws-cni");
    assert_string_equal(attachment->owner.container_id, "abc123");
    assert_string_equal(attachment->owner.ifname, "eth0");
    assert_string_equal(attachment->netns, "/run/netns/a");
    assert_false(cached.reads_no_drop_ins);
    assert_string_equal(attachment->pod.namespace, "default");
    assert_string_equal(attachment->pod.name, "web-0");
    assert_null(attachment->pod.annotations);
    assert_int_equal(attachment->result.interface_count, 3);
    assert_string_equal(attachment->result.interfaces[0].name, "eni1");
}

static void an_old_libcni_tells_the_namespace_in_the_result_alone(void **state)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(parse(HEAD ARGS RESULT, &cached, &err), 0);
    assert_string_equal(cached.attachment.netns, "/run/netns/x");
    assert_true(cached.reads_no_drop_ins);
}

static void annotations_come_with_the_capability(void **state)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    struct error err = {0};
    const cJSON *annotations;

    (void)state;
    assert_int_equal(parse(HEAD "\"capabilityArgs\":{\"io.kubernetes.cri.pod-annotations\":"
                                "{\"imds-guard/allow\":\"true\"}}," RESULT,
                           &cached, &err),
                     0);
    annotations = cached.attachment.pod.annotations;
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(annotations, "imds-guard/allow")->valuestring, "true");
}

/* Two answers to who a pod is are none: an exemption must not hang on which one is read. */
static void a_pod_with_two_names_has_none(void **state)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(
        parse(HEAD "\"cniArgs\":[[\"K8S_POD_NAMESPACE\",\"a\"],[\"K8S_POD_NAMESPACE\",\"b\"],"
                   "[\"K8S_POD_NAME\",\"\"]]," RESULT,
              &cached, &err),
        0);
    assert_null(cached.attachment.pod.namespace);
    assert_null(cached.attachment.pod.name);
}

static void what_is_no_attachment_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{\"cniVersion\":\"0.4.0\"}", "kind is missing"},
        {"{\"kind\":1}", "kind is not a string"},
        {"{\"kind\":\"cniCacheV2\"}", "kind is not cniCacheV1"},
        {"{\"kind\":\"cniCacheV1\",\"kind\":\"cniCacheV1\"}", "\"kind\" is given more than once"},
        {"{\"kind\":\"cniCacheV1\",\"networkName\":\"a/b\",\"containerId\":\"c\","
         "\"ifName\":\"eth0\"}",
         "networkName is no name of a network"},
        {"{\"kind\":\"cniCacheV1\",\"networkName\":\"a\",\"containerId\":\"../c\","
         "\"ifName\":\"eth0\"}",
         "containerId is no container id"},
        {"{\"kind\":\"cniCacheV1\",\"networkName\":\"a\",\"containerId\":\"c\","
         "\"ifName\":\"a/b\"}",
         "ifName is no name of an interface"},
        {HEAD "\"netns\":7," RESULT, "netns is not a string"},
        {HEAD "\"result\":{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"0\"}]}}",
         "neither netns nor the result's interface eth0 says where the pod is"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(cached_attachment) struct cached_attachment cached = {0};
        struct error err = {0};

        assert_int_equal(parse(cases[i].text, &cached, &err), -1);
        assert_string_equal(err.msg, cases[i].why);
        assert_null(cached.texts);
    }
}

static void half_a_file_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(WHOLE); length++) {
        cleanup(cached_attachment) struct cached_attachment cached = {0};
        struct error err = {0};

        assert_int_equal(cache_parse((struct span){WHOLE, length}, &cached, &err), -1);
    }
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_files(const char *directory)
{
    static const char *const names[] = {"b", "a", "raw", "fifo", "link", "huge", "directory"};
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (unlinkat(fd, names[i], 0) < 0)
            unlinkat(fd, names[i], AT_REMOVEDIR);
    close(fd);
    assert_int_equal(rmdir(directory), 0);
}

static void a_directory_gives_what_can_be_read_and_names_the_rest(void **state)
{
    char directory[] = "/tmp/imds-guard-cache-XXXXXX", path[256];
    const struct config config = {0};
    cleanup(cache) struct cache cache = {0};
    struct error err = {0};
    bool fifo = false, link = false, huge = false;
    size_t unread = 0;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_file(directory, "b", WHOLE);
    write_file(directory, "a", HEAD ARGS RESULT);
    write_file(directory, "raw", "{\"cniVersion\":\"0.4.0\"}");
    snprintf(path, sizeof(path), "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof(path), "%s/link", directory);
    assert_int_equal(symlink("a", path), 0);
    snprintf(path, sizeof(path), "%s/directory", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(directory, "huge", "");
    snprintf(path, sizeof(path), "%s/huge", directory);
    assert_int_equal(truncate(path, FILE_BYTES_MAX + 1), 0);

    assert_int_equal(cache_read(directory, NULL, &config, NULL, NULL, &cache, &err), 0);
    remove_files(directory);
    assert_int_equal(cache.count, 2);
    assert_string_equal(cache.attachments[0].file, "a");
    assert_string_equal(cache.attachments[1].file, "b");
    assert_true(cache.attachments[1].written > 0);
    assert_int_equal(cache.skipped_count, 5);
    for (size_t i = 0; i < cache.skipped_count; i++) {
        fifo |= strcmp(cache.skipped[i].reason, "fifo is not a regular file") == 0;
        link |= strncmp(cache.skipped[i].reason, "link cannot be read", 19) == 0;
        huge |= strncmp(cache.skipped[i].reason, "huge has more than", 18) == 0;
        unread += cache.skipped[i].unread;
    }
    assert_true(fifo && link && huge);
    assert_int_equal(unread, 1); /* huge; the others are no attachments */
}

/* A pod's author can write 87,000 annotations, and each takes memory many times its bytes. */
static void what_no_exemption_asks_for_is_forgotten(void **state)
{
    char allow[] = "imds-guard/allow", b[] = "b", any[] = "*";
    struct annotation_match asked[] = {{allow, any}, {b, any}};
    struct exemption exempt = {.namespace = any, .annotations = asked, .annotation_count = 2};
    const struct config config = {.exempt = &exempt, .exempt_count = 1};
    char directory[] = "/tmp/imds-guard-cache-XXXXXX";
    cleanup(cache) struct cache cache = {0};
    const cJSON *annotations, *found = NULL;
    struct error err = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_file(directory, "a",
               HEAD ARGS
               "\"capabilityArgs\":{\"portMappings\":[{\"hostPort\":1}],"
               "\"io.kubernetes.cri.pod-annotations\":{\"x\":\"\",\"b\":\"1\",\"y\":\"\","
               "\"b\":\"2\",\"imds-guard/allow\":\"true\",\"z\":\"\"},\"dns\":{}}," RESULT);
    assert_int_equal(cache_read(directory, NULL, &config, NULL, NULL, &cache, &err), 0);
    remove_files(directory);
    assert_int_equal(cache.count, 1);
    annotations = cache.attachments[0].attachment.pod.annotations;
    assert_int_equal(cJSON_GetArraySize(annotations), 3);
    assert_int_equal(json_find(annotations, "b", &found, &err), -1); /* it is there twice */
    assert_int_equal(json_find(annotations, "imds-guard/allow", &found, &err), 0);
    assert_non_null(found);
    assert_ptr_equal(annotations, cache.attachments[0].annotations);
}

static void no_directory_is_told(void **state)
{
    const struct config config = {0};
    cleanup(cache) struct cache cache = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(cache_read("/nonexistent/results", NULL, &config, NULL, NULL, &cache, &err),
                     0);
    assert_int_equal(cache.count, 0);
    assert_int_equal(cache.skipped_count, 1);
    assert_true(cache.skipped[0].unread);
    assert_non_null(strstr(cache.skipped[0].reason, "/nonexistent/results is not there"));
}

#define CHAINED(config)                                                                            \
    "{\"kind\":\"cniCacheV1\",\"containerId\":\"abc123\",\"config\":\"" config                     \
    "\",\"ifName\":\"eth0\",\"networkName\":\"cilium\",\"netns\":\"/run/netns/a\"," RESULT

/* {"plugins":[{"type":"bridge"}]} */
#define BRIDGE "eyJwbHVnaW5zIjpbeyJ0eXBlIjoiYnJpZGdlIn1dfQ=="
/* {"plugins":[{"type":"aws-cni"}]} */
#define PLAIN "eyJwbHVnaW5zIjpbeyJ0eXBlIjoiYXdzLWNuaSJ9XX0="
/* {"plugins":[{"type":"aws-cni"},{"type":"imds-guard","mode":"audit"}]} */
#define AUDIT                                                                                      \
    "eyJwbHVnaW5zIjpbeyJ0eXBlIjoiYXdzLWNuaSJ9LHsidHlwZSI6ImltZHMtZ3VhcmQiLCJtb2RlIjoiYXVkaXQifV19"
/* {"plugins":[{"type":"bridge"},{"type":"imds-guard"}]} */
#define OURS_ALONE "eyJwbHVnaW5zIjpbeyJ0eXBlIjoiYnJpZGdlIn0seyJ0eXBlIjoiaW1kcy1ndWFyZCJ9XX0="

static void the_chain_says_whose_pod_it_is(void **state)
{
    static const struct {
        const char *text, *entry;
        bool of_node;
    } cases[] = {
        {CHAINED(BRIDGE), NULL, false},
        {CHAINED(PLAIN), NULL, true},
        {CHAINED(AUDIT), "{\"type\":\"imds-guard\",\"mode\":\"audit\"}", true},
        {CHAINED(OURS_ALONE), "{\"type\":\"imds-guard\"}", true},
        {CHAINED("e30="), NULL, false},
        {CHAINED(""), NULL, false},
        {CHAINED("eyJwbHVnaW5z"), NULL, false},
        {CHAINED("%%%"), NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup(cached_attachment) struct cached_attachment cached = {0};
        struct error err = {0};

        assert_int_equal(parse(cases[i].text, &cached, &err), 0);
        assert_int_equal(cached.chain.of_node, cases[i].of_node);
        if (cases[i].entry)
            assert_string_equal(cached.chain.entry, cases[i].entry);
        else
            assert_null(cached.chain.entry);
    }
}

static bool is_audited(const struct cached_attachment *cached, void *context)
{
    (*(size_t *)context)++;
    return cached->chain.entry && strstr(cached->chain.entry, "audit");
}

static void what_is_not_kept_is_counted(void **state)
{
    char directory[] = "/tmp/imds-guard-cache-XXXXXX";
    const struct config config = {0};
    cleanup(cache) struct cache cache = {0};
    const struct settings_sources nowhere = {.conf_dir = "/nonexistent"};
    cleanup(settings) struct settings settings = {0};
    struct error err = {0};
    size_t asked = 0;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_file(directory, "a", CHAINED(AUDIT));
    write_file(directory, "b", CHAINED(PLAIN));
    write_file(directory, "raw", "");
    assert_int_equal(cache_read(directory, NULL, &config, is_audited, &asked, &cache, &err), 0);
    assert_int_equal(in_force_load(&nowhere, directory, &settings, &err), 0);
    remove_files(directory);
    assert_int_equal(asked, 2);
    assert_int_equal(cache.count, 1);
    assert_int_equal(cache.dropped_count, 1);
    assert_int_equal(cache.skipped_count, 1);
    assert_string_equal(settings.entry, "{\"type\":\"imds-guard\",\"mode\":\"audit\"}");
    assert_null(cache.attachments[0].annotations);
    assert_string_equal(cache.attachments[0].attachment.result.interfaces[0].name, "eni1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attachment_is_read_whole),
        cmocka_unit_test(an_old_libcni_tells_the_namespace_in_the_result_alone),
        cmocka_unit_test(annotations_come_with_the_capability),
        cmocka_unit_test(a_pod_with_two_names_has_none),
        cmocka_unit_test(what_is_no_attachment_says_why),
        cmocka_unit_test(half_a_file_is_refused),
        cmocka_unit_test(a_directory_gives_what_can_be_read_and_names_the_rest),
        cmocka_unit_test(what_no_exemption_asks_for_is_forgotten),
        cmocka_unit_test(no_directory_is_told),
        cmocka_unit_test(the_chain_says_whose_pod_it_is),
        cmocka_unit_test(what_is_not_kept_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
