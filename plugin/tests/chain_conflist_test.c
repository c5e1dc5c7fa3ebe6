/*
 * The conflist: found as go-cni finds it, edited to the byte. data/conflists/NAME.conflist becomes
 * NAME.expected.
 */
#include "node/chain/directory.h"
#include "node/chain/entry.h"
#include "node/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static char *read_data(const char *name, const char *suffix)
{
    char path[512];
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;

    snprintf(path, sizeof(path), TEST_DATA "/conflists/%s.%s", name, suffix);
    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &length, &err) < 0)
        fail_msg("%s", err.msg);
    return text;
}

static char *insert(const char *text, const char *entry)
{
    struct error err = {0};
    char *out = NULL;

    if (conflist_insert(span_of(text), span_of(entry), &out, &err) < 0)
        fail_msg("%s", err.msg);
    return out;
}

static char *take_out(const char *text)
{
    struct error err = {0};
    char *out = NULL;

    if (conflist_remove(span_of(text), &out, &err) < 0)
        fail_msg("%s", err.msg);
    return out;
}

/* What is done with one file. */
struct edit {
    const char *name;
    bool had_entry; /* the file had one of ours already */
    bool audit;     /* audit.entry goes in, else the default */
};

static void edits_as_expected(void **state)
{
    const struct edit *edit = *state;
    cleanup(free_text) char *text = read_data(edit->name, "conflist");
    cleanup(free_text) char *expected = read_data(edit->name, "expected");
    cleanup(free_text) char *audit = read_data("audit", "entry");
    const char *entry = edit->audit ? audit : ENTRY_DEFAULT;
    cleanup(free_text) char *made = insert(text, entry);
    cleanup(free_text) char *again = insert(made, entry);
    cleanup(free_text) char *without = take_out(text);
    cleanup(free_text) char *undone = take_out(made);

    assert_string_equal(made, expected);
    assert_string_equal(again, made);
    assert_string_equal(undone, without);
    if (!edit->had_entry)
        assert_string_equal(undone, text);
    if (edit->had_entry)
        assert_string_not_equal(undone, text);
}

/* Each cut of a good file is no file: no edit may come out of it. */
static void refuses_half_a_file(void **state)
{
    cleanup(free_text) char *text = read_data("aws", "conflist");
    size_t end = (size_t)(strrchr(text, '}') - text);

    (void)state;
    for (size_t length = 0; length <= end; length++) {
        struct error err = {0};
        char *out = NULL;

        assert_int_equal(
            conflist_insert((struct span){text, length}, span_of(ENTRY_DEFAULT), &out, &err), -1);
        assert_int_equal(err.code, ERROR_DECODING);
        assert_null(out);
    }
}

static void refuses_what_is_no_list(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[]", "\"plugins\" is not there"},
        {"{}", "plugins"},
        {"{\"plugins\":{}}", "no list"},
        {"{\"plugins\":[]}", "empty"},
        {"{\"plugins\":[1]}", "plugins[0]"},
        {"{\"plugins\":[{\"type\":\"a\"},null]}", "plugins[1]"},
        {"{\"plugins\":[{\"type\":\"a\"}],\"plugins\":[{\"type\":\"b\"}]}",
         "\"plugins\" is given more than once"},
        {"{\"name\":\"a\",\"name\":\"b\",\"plugins\":[{\"type\":\"a\"}]}",
         "\"name\" is given more than once"},
        {"{\"plugins\":[{\"type\":\"a\",\"type\":\"imds-guard\"}]}",
         "plugins[0]: \"type\" is given more than once"},
        {"{\"plugins\":[{\"type\":\"imds-guard\",\"mode\":\"audit\"}]}", "only plugin"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};
        char *out = NULL;

        assert_int_equal(
            conflist_insert(span_of(cases[i].text), span_of(ENTRY_DEFAULT), &out, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID_CONFIG);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("%s: \"%s\" says nothing of \"%s\"", cases[i].text, err.msg, cases[i].says);
        assert_null(out);
    }
}

static void refuses_an_entry_that_is_not_ours(void **state)
{
    struct error err = {0};
    char *out = NULL;

    (void)state;
    assert_int_equal(conflist_insert(span_of("{\"plugins\":[{\"type\":\"a\"}]}"),
                                     span_of("{\"type\":\"portmap\"}"), &out, &err),
                     -1);
    assert_int_equal(err.code, ERROR_INVALID_CONFIG);
    assert_null(out);
}

/* A directory with one file of each of these names and texts. NULL text: a directory. */
struct fake {
    const char *name, *text;
};

static char *make_directory(const struct fake *files, size_t count)
{
    char *directory = strdup("/tmp/imds-guard-test-XXXXXX");

    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < count; i++) {
        char path[512];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", directory, files[i].name);
        if (!files[i].text) {
            assert_int_equal(mkdir(path, 0755), 0);
            continue;
        }
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(files[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    return directory;
}

static void remove_directory(char *directory, const struct fake *files, size_t count)
{
    char path[512];

    while (count-- > 0) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[count].name);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
    free(directory);
}

#define LIST(network, more)                                                                        \
    "{\"cniVersion\":\"0.4.0\",\"name\":\"" network "\",\"plugins\":[{\"type\":\"aws-cni\"}" more  \
    "]}"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct names nobody;

static void finds_what_the_runtime_finds(void **state)
{
    static const struct fake files[] = {
        {"20-other.conflist", LIST("other", "")},
        {"00-folder.conflist", NULL},
        {"10-aws.conflist", LIST("aws-cni", "")},
        {"10-aws.conflist.bak", "{"},
        {"05-backup.conflist~", "{"},
        {"conf", "{"},
        {"11-late.json", "{"},
        {".imds-guard.new", "{"},
    };
    char *path = make_directory(files, COUNT(files));
    cleanup(directory) struct directory directory = {0};
    cleanup(names) struct names everything = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(directory_load(path, &nobody, &directory, &err), 0);
    assert_int_equal(directory_names(path, true, &everything, &err), 0);
    remove_directory(path, files, COUNT(files));
    assert_int_equal(directory.count, 3);
    assert_string_equal(strrchr(directory.files[0].path, '/'), "/10-aws.conflist");
    assert_string_equal(directory.files[0].network, "aws-cni");
    assert_string_equal(directory.files[0].text, files[2].text);
    assert_null(directory.files[0].entry);
    assert_non_null(directory.files[1].problem);
    assert_ptr_equal(directory_first(&directory), &directory.files[0]);
    assert_int_equal(everything.count, 6); /* but for the directory and our own temporary file */
}

static void finds_nothing_where_nothing_is(void **state)
{
    char *path = make_directory(NULL, 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        cleanup(directory) struct directory directory = {0};
        struct error err = {0};

        assert_int_equal(directory_load(path, &nobody, &directory, &err), 0);
        assert_int_equal(directory.count, 0);
        assert_null(directory_first(&directory));
        (void)rmdir(path);
    }
    free(path);
}

static struct conflist load(const struct fake *file, const struct names *networks)
{
    char *directory = make_directory(file, 1);
    struct conflist conflist = {0};
    struct error err = {0};
    bool found = false;

    assert_int_equal(conflist_load(directory, file->name, networks, &conflist, &found, &err), 0);
    assert_true(found);
    remove_directory(directory, file, 1);
    return conflist;
}

static void assert_problem(const struct fake *file, const char *says)
{
    char a[] = "a", *names[] = {a};
    const struct names named = {names, 1};
    cleanup(conflist) struct conflist conflist = load(file, &named);

    assert_non_null(conflist.problem);
    if (!strstr(conflist.problem, says) || !strstr(conflist.problem, file->name))
        fail_msg("\"%s\" says nothing of \"%s\" or \"%s\"", conflist.problem, says, file->name);
}

static void says_what_is_wrong_with_a_file(void **state)
{
    (void)state;
    assert_problem(&(struct fake){"10-ptp.conf", "{\"name\":\"a\",\"type\":\"ptp\"}"},
                   "\"plugins\": [");
    assert_problem(&(struct fake){"10-aws.conf", "{\"name\":\"x\",\"type\":\"aws-cni\"}"},
                   "\"plugins\": [");
    assert_problem(&(struct fake){"10-aws.conf", LIST("aws-cni", "")}, "rename it");
    assert_problem(&(struct fake){"10-aws.json", LIST("aws-cni", "")}, "rename it");
    assert_problem(&(struct fake){"a.conflist", "{\"name\":\"a\""}, "byte");
    assert_problem(&(struct fake){"a.conflist", ""}, "empty");
    assert_problem(&(struct fake){"a.conflist", "[]"}, "no JSON object");
    assert_problem(&(struct fake){"a.conflist", LIST("../../tmp", "")}, "../../tmp");
    assert_problem(&(struct fake){"a.conflist", "{\"plugins\":[{\"type\":\"aws-cni\"}]}"}, "name");
    assert_problem(&(struct fake){"a.conf", "{\"name\":\"b\",\"type\":\"imds-guard\"}"},
                   "remove the file");
}

/* Multus, podman and whoever else: nothing is said, whatever is in it. */
static void minds_its_own_business(void **state)
{
    static const struct fake others[] = {
        {"00-multus.conf", "{\"name\":\"multus\",\"type\":\"multus\",\"delegates\":[]}"},
        {"87-podman.conflist", "{\"name\":\"podman\",\"plugins\":[{\"type\":\"bridge\"}]}"},
        {"odd.conflist", "{\"name\":\"../x\",\"plugins\":[]}"},
        {"odd.json", "{\"plugins\":7,\"plugins\":8}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        cleanup(conflist) struct conflist conflist = load(&others[i], &nobody);

        assert_null(conflist.problem);
        assert_false(conflist.makes_pods);
        assert_false(conflist_names_us(&conflist));
    }
}

static void knows_where_it_is_named(void **state)
{
    static const struct fake files[] = {
        {"00-multus.conf", "{\"name\":\"multus\",\"type\":\"multus\",\"delegates\":[{\"plugins\":"
                           "[{\"type\":\"imds-guard\"}]}]}"},
        {"half.conflist", "{\"plugins\":[{\"type\":\"imds-guard\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        cleanup(conflist) struct conflist conflist = load(&files[i], &nobody);

        assert_true(conflist_names_us(&conflist));
    }
}

/* Loads, and says which entry counts, in how many, and who comes after it. */
static void assert_entry_mode(const struct fake *files, size_t count, const char *mode,
                              const char *follower)
{
    char *path = make_directory(files, count);
    cleanup(directory) struct directory directory = {0};
    const struct conflist *conflist;
    struct error err = {0};
    const cJSON *value;

    assert_int_equal(directory_load(path, &nobody, &directory, &err), 0);
    conflist = directory_entry(&directory, NULL);
    if (!conflist)
        conflist = directory_first(&directory);
    assert_non_null(conflist);
    value = cJSON_GetObjectItemCaseSensitive(conflist->entry, "mode");
    if (mode) {
        assert_non_null(value);
        assert_string_equal(value->valuestring, mode);
        assert_non_null(
            memmem(conflist->entry_text.start, conflist->entry_text.length, mode, strlen(mode)));
    } else {
        assert_null(conflist->entry);
    }
    if (follower)
        assert_string_equal(conflist->follower, follower);
    else
        assert_null(conflist->follower);
    remove_directory(path, files, count);
}

#define OURS(mode) "{\"type\":\"imds-guard\",\"mode\":\"" mode "\"}"

/* The one that runs last has the last word. */
static void knows_which_entry_counts(void **state)
{
    const struct fake list = {"10-aws.conflist", LIST("aws-cni", "")};
    const struct fake with_entry = {"10-aws.conflist", LIST("aws-cni", "," OURS("audit"))};
    const struct fake with_two = {"10-aws.conflist",
                                  LIST("aws-cni", "," OURS("audit") "," OURS("enforce"))};
    const struct fake followed = {"10-aws.conflist",
                                  LIST("aws-cni", "," OURS("audit") ",{\"type\":\"antrea\"}")};
    const struct fake closed = {"10-aws.conflist",
                                "{\"loadOnlyInlinedPlugins\":true,\"name\":\"aws-cni\","
                                "\"plugins\":[{\"type\":\"aws-cni\"}]}"};
    const struct fake earlier = {"05-istio.conflist", LIST("aws-cni", "")};
    const struct fake folder = {"aws-cni", NULL};
    const struct fake drop_in = {"aws-cni/zz-imds-guard.conf", OURS("enforce")};
    const struct fake before = {"aws-cni/chaos.conf", "{\"type\":\"chaos\"}"};
    const struct fake after = {"aws-cni/zzz.conf", "{\"type\":\"later\"}"};

    (void)state;
    assert_entry_mode((struct fake[]){list}, 1, NULL, NULL);
    assert_entry_mode((struct fake[]){list, folder}, 2, NULL, NULL);
    assert_entry_mode((struct fake[]){with_entry}, 1, "audit", NULL);
    assert_entry_mode((struct fake[]){with_two}, 1, "enforce", NULL);
    assert_entry_mode((struct fake[]){followed}, 1, "audit", "antrea");
    assert_entry_mode((struct fake[]){earlier, with_entry}, 2, "audit", NULL);
    assert_entry_mode((struct fake[]){list, folder, drop_in}, 3, "enforce", NULL);
    assert_entry_mode((struct fake[]){with_entry, folder, drop_in}, 3, "enforce", NULL);
    assert_entry_mode((struct fake[]){with_entry, folder, before}, 3, "audit", "chaos");
    assert_entry_mode((struct fake[]){list, folder, drop_in, before}, 4, "enforce", NULL);
    assert_entry_mode((struct fake[]){followed, folder, drop_in, after}, 4, "enforce", "later");
    assert_entry_mode((struct fake[]){closed, folder, drop_in}, 3, NULL, NULL);
}

/* What cJSON_Compare takes 2^60 steps for, and 50,000 plugins, a tenth of them for valgrind. */
static void takes_its_time_by_the_bytes(void **state)
{
    const int many = getenv("UNDER_VALGRIND") ? 5000 : 50000;
    char *text = NULL, *deep = NULL;
    size_t length, deep_length;
    FILE *stream = open_memstream(&text, &length);
    FILE *entry = open_memstream(&deep, &deep_length);

    (void)state;
    fputs("{\"type\":\"imds-guard\",\"x\":", entry);
    for (int i = 0; i < 100; i++)
        fputs("{\"k\":1,\"a\":", entry);
    fputs("{}", entry);
    for (int i = 0; i < 100; i++)
        fputs("}", entry);
    fputs("}", entry);
    assert_int_equal(fclose(entry), 0);
    fputs("{\"name\":\"n\",\"plugins\":[{\"type\":\"aws-cni\"", stream);
    for (int i = 0; i < many; i++)
        fputs(",\"k\":0", stream);
    fputs("}", stream);
    for (int i = 0; i < many; i++)
        fputs(",{\"type\":\"x\"}", stream);
    fputs("]}", stream);
    assert_int_equal(fclose(stream), 0);
    {
        cleanup(free_text) char *made = insert(text, deep);
        cleanup(free_text) char *again = insert(made, deep);
        cleanup(free_text) char *undone = take_out(made);

        assert_string_equal(made, again);
        assert_string_equal(undone, text);
    }
    free(text);
    free(deep);
}

#define EDIT(file, had_entry, audit)                                                               \
    {                                                                                              \
        "edits " file, edits_as_expected, NULL, NULL, &(struct edit)                               \
        {                                                                                          \
            file, had_entry, audit                                                                 \
        }                                                                                          \
    }
#define NEW   false
#define OLD   true
#define PLAIN false
#define AUDIT true

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT("aws", NEW, PLAIN),
        EDIT("aws-no-last-newline", NEW, PLAIN),
        EDIT("aws-last", NEW, PLAIN),
        EDIT("no-aws", NEW, PLAIN),
        EDIT("compact", NEW, PLAIN),
        EDIT("one-line-single", NEW, PLAIN),
        EDIT("one-line-spaced", NEW, AUDIT),
        EDIT("tabs", NEW, AUDIT),
        EDIT("crlf", NEW, PLAIN),
        EDIT("joined", NEW, AUDIT),
        EDIT("foreign", NEW, PLAIN),
        EDIT("ours-first", OLD, PLAIN),
        EDIT("ours-before-egress", OLD, PLAIN),
        EDIT("ours-twice", OLD, PLAIN),
        EDIT("ours-thrice-in-a-row", OLD, PLAIN),
        EDIT("ours-replaced", OLD, AUDIT),
        EDIT("ours-settled", OLD, PLAIN),
        cmocka_unit_test(refuses_half_a_file),
        cmocka_unit_test(refuses_what_is_no_list),
        cmocka_unit_test(refuses_an_entry_that_is_not_ours),
        cmocka_unit_test(finds_what_the_runtime_finds),
        cmocka_unit_test(finds_nothing_where_nothing_is),
        cmocka_unit_test(says_what_is_wrong_with_a_file),
        cmocka_unit_test(minds_its_own_business),
        cmocka_unit_test(knows_where_it_is_named),
        cmocka_unit_test(knows_which_entry_counts),
        cmocka_unit_test(takes_its_time_by_the_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
