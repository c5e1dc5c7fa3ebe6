/*
 * Every file, directory and allocation that sync, status and flush need is missing once. A command
 * that says it has succeeded has done and shown what it does when nothing is missing; one that has
 * not says why; and whoever was guarded still is. The kernel's part is played by a table in memory.
 */
#include "fake_fence.h"
#include "fake_nftables.h"
#include "faulty_calls.h"

#include "kernel/iptables/table.h"
#include "kernel/links/links.h"
#include "node/commands/commands.h"
#include "node/status/status.h"

#include <cjson/cJSON.h>
#include <ftw.h>

#define PODS 3

/* Pod 0 stands, pod 1 has none of its guards yet, pod 2 is gone; a file of the cache is no result. */
static struct {
    char top[64], conf_dir[96], results_dir[96];
    char conf_option[128], results_option[128];
} world;

bool __wrap_link_exists(const char *name);
int __wrap_links_look(const struct known_links *known, struct look *looks, size_t count);
int __wrap_iptables_table_live(const struct iptables_family *family, bool *out, struct error *err);

bool __wrap_link_exists(const char *name)
{
    return strcmp(name, "eni0") == 0 || strcmp(name, "eni1") == 0;
}

static int look_at(const struct questions *questions, const char *netns, struct facts *out,
                   struct error *err)
{
    int number = netns[strlen(netns) - 1] - '0';
    cleanup(facts) struct facts facts = {.host_count = questions->host_count,
                                         .pod_count = questions->pod_count};

    if (number >= 2)
        return error_set(err, ERROR_INVALID_NETNS, "%s is gone", netns);
    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    if (facts.host == NULL || facts.pod == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < facts.host_count; i++) {
        if (questions->host[i][0] != 'e' || questions->host[i][3] != '0' + number)
            continue;
        facts.host[i] = (struct link){.index = 7 + number, .peer_index = 3, .kind = "veth"};
        snprintf(facts.host[i].name, INTERFACE_NAME_SIZE, "eni%d", number);
        facts.host[i].peer_is_elsewhere = false;
    }
    *out = facts;
    facts = (struct facts){0};
    return 0;
}

int __wrap_links_look(const struct known_links *known, struct look *looks, size_t count)
{
    (void)known;
    for (struct look *look = looks; look < looks + count; look++)
        look->failed = look_at(&look->questions, look->netns, &look->facts, look->error) < 0;
    return 0;
}

int __wrap_iptables_table_live(const struct iptables_family *family, bool *out, struct error *err)
{
    (void)family, (void)err;
    *out = false;
    return 0;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_result(int number)
{
    char path[256];
    char text[1024];

    snprintf(path, sizeof(path), "%s/aws-cni-pod%d-eth0", world.results_dir, number);
    snprintf(text, sizeof(text),
             "{\"kind\":\"cniCacheV1\",\"containerId\":\"pod%d\",\"config\":\"e30=\",\"ifName\":"
             "\"eth0\",\"networkName\":\"aws-cni\",\"netns\":\"/run/netns/pod%d\",\"cniArgs\":["
             "[\"K8S_POD_NAMESPACE\",\"default\"],[\"K8S_POD_NAME\",\"web-%d\"]],\"result\":{"
             "\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eni%d\"}]}}",
             number, number, number, number);
    write_text(path, text);
}

static int run(const char *const *words, char **out, char **said)
{
    char *argv[8] = {NULL};
    size_t out_length = 0;
    size_t said_length = 0;
    FILE *out_stream = __real_open_memstream(out, &out_length);
    FILE *said_stream = __real_open_memstream(said, &said_length);
    int argc = 0;
    int code;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    argv[argc++] = world.conf_option;
    argv[argc++] = world.results_option;
    if (strcmp(argv[0], "flush") == 0)
        argc -= 2;
    argv[argc] = NULL;
    code = command_find(argv[0])->run(argc, argv, out_stream, said_stream);
    faulty.at = 0;
    assert_int_equal(fclose(out_stream), 0);
    assert_int_equal(fclose(said_stream), 0);
    return code;
}

static int run_quietly(const char *const *words)
{
    cleanup(free_text) char *out = NULL;
    cleanup(free_text) char *said = NULL;

    return run(words, &out, &said);
}

#define CONFLIST                                                                                   \
    "{\"cniVersion\":\"1.0.0\",\"name\":\"aws-cni\",\"plugins\":[{\"type\":\"aws-cni\"},"          \
    "{\"type\":\"imds-guard\",\"backend\":\"nftables\"}]}"

static const char *const sync_words[] = {"sync", NULL};

static int make_world(void **state)
{
    char path[128];

    (void)state;
    strcpy(world.top, "/tmp/imds-guard-commands-XXXXXX");
    assert_non_null(mkdtemp(world.top));
    snprintf(world.conf_dir, sizeof(world.conf_dir), "%s/net.d", world.top);
    snprintf(world.results_dir, sizeof(world.results_dir), "%s/results", world.top);
    snprintf(world.conf_option, sizeof(world.conf_option), "--conf-dir=%s", world.conf_dir);
    snprintf(world.results_option, sizeof(world.results_option), "--results-dir=%s",
             world.results_dir);
    assert_int_equal(mkdir(world.conf_dir, 0755), 0);
    assert_int_equal(mkdir(world.results_dir, 0755), 0);
    snprintf(path, sizeof(path), "%s/10-aws.conflist", world.conf_dir);
    write_text(path, CONFLIST);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int remove_world(void **state)
{
    (void)state;
    return nftw(world.top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The kernel guards pods 0 and 2, the cache knows 0 to 2, and pod 1 has come. */
static char bytes_before[sizeof(nftables.bytes)];
static size_t length_before;

static int make_pods(void **state)
{
    char path[128];

    (void)state;
    nftables_reset();
    write_result(0);
    assert_int_equal(run_quietly(sync_words), EXIT_OK);
    write_result(1);
    write_result(2);
    snprintf(path, sizeof(path), "%s/odd", world.results_dir);
    write_text(path, "{");
    memcpy(bytes_before, nftables.bytes, sizeof(bytes_before));
    length_before = nftables.length;
    return 0;
}

static bool is_guarded(const char *link)
{
    return memmem(nftables.bytes, nftables.length, link, strlen(link)) != NULL;
}

static void fail_each_call(const char *const *words, bool removes)
{
    cleanup(free_text) char *expected = NULL;
    cleanup(free_text) char *expected_said = NULL;

    for (unsigned long at = 0; at == 0 || faulty.happened; at++) {
        cleanup(free_text) char *out = NULL;
        cleanup(free_text) char *said = NULL;
        int code;

        assert_true(at < 5000);
        memcpy(nftables.bytes, bytes_before, sizeof(bytes_before));
        nftables.length = length_before;
        faulty_from_now(at, EIO);
        code = run(words, &out, &said);
        if (at == 0) {
            expected = strdup(out);
            expected_said = strdup(said);
            assert_int_equal(code, EXIT_OK);
            faulty.happened = true;
            continue;
        }
        if (code == EXIT_OK) {
            assert_string_equal(out, expected);
            assert_string_equal(said, expected_said);
        }
        assert_true(code == EXIT_OK || said[0] != '\0' || out[0] != '\0');
        assert_true(removes || is_guarded("eni0"));
        assert_int_equal(nftables.open, 0);
    }
}

static void starves_sync(void **state)
{
    static const char *const dry_run[] = {"sync", "--dry-run", NULL};

    (void)state;
    fail_each_call(sync_words, false);
    assert_true(is_guarded("eni1"));
    fail_each_call(dry_run, false);
    assert_false(is_guarded("eni1"));
}

static void starves_status(void **state)
{
    static const char *const table[] = {"status", NULL};
    static const char *const json[] = {"status", "--json", NULL};
    static const char *const prometheus[] = {"status", "--prometheus", NULL};

    (void)state;
    fail_each_call(table, false);
    fail_each_call(json, false);
    fail_each_call(prometheus, false);
}

static void starves_flush(void **state)
{
    static const char *const flush[] = {"flush", "--yes", NULL};

    (void)state;
    fail_each_call(flush, true);
    assert_false(is_guarded("eni0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(starves_sync, make_pods),
        cmocka_unit_test_setup(starves_status, make_pods),
        cmocka_unit_test_setup(starves_flush, make_pods),
    };
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

    cJSON_InitHooks(&hooks);
    return cmocka_run_group_tests(tests, make_world, remove_world);
}
