/* Who was started without us, and whether a drop-in is read: by what libcni has kept. */
#include "node/pods/unchained.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h wants those first. */
#include <cmocka.h>

#define DROP_IN "/etc/cni/net.d/aws-cni/zz-imds-guard.conf"

static char entry[] = "{\"type\":\"imds-guard\"}";

enum { OURS, THEIRS, OTHER };

/* Of a chain with our entry, without it, or of another network; by an old libcni or not. */
static struct cached_attachment pod(int chain, bool old, long written)
{
    return (struct cached_attachment){
        .chain = {.of_node = chain != OTHER, .entry = chain == OURS ? entry : NULL},
        .reads_no_drop_ins = old,
        .written = written,
    };
}

static void by_the_chain_that_it_was_started_by(void **state)
{
    struct settings settings = {0};
    const struct cached_attachment ours = pod(OURS, false, 1), theirs = pod(THEIRS, false, 1);
    const struct cached_attachment other = pod(OTHER, true, 1), old = pod(THEIRS, true, 1);

    (void)state;
    assert_false(started_unchained(&settings, &ours));
    assert_true(started_unchained(&settings, &theirs));
    assert_false(started_unchained(&settings, &other));
    /* A drop-in is in no chain that is kept. */
    settings.drop_in = (char[]){DROP_IN};
    assert_false(started_unchained(&settings, &theirs));
    assert_true(started_unchained(&settings, &old));
}

static void expect_unread(const struct settings *settings, bool unread,
                          struct cached_attachment *pods, size_t count)
{
    const struct cache cache = {.attachments = pods, .count = count};
    cleanup(notes) struct notes notes = {0};

    assert_int_equal(drop_in_unread(settings, &cache) != NULL, unread);
    note_drop_in_unread(settings, &cache, &notes);
    assert_false(notes.incomplete);
    assert_int_equal(notes.count, unread);
    if (unread)
        assert_non_null(strstr(notes.items[0].text, DROP_IN " is not read"));
}

#define EXPECT(unread, ...)                                                                        \
    expect_unread(&settings, unread, (struct cached_attachment[]){__VA_ARGS__},                    \
                  sizeof((struct cached_attachment[]){__VA_ARGS__}) /                              \
                      sizeof(struct cached_attachment))

static void a_drop_in_is_not_read_if_a_later_pod_shows_it(void **state)
{
    struct settings settings = {.drop_in = (char[]){DROP_IN}, .drop_in_written = 10};

    (void)state;
    expect_unread(&settings, false, NULL, 0);
    EXPECT(true, pod(THEIRS, true, 11));
    EXPECT(false, pod(THEIRS, true, 10));
    EXPECT(false, pod(THEIRS, false, 11));
    EXPECT(false, pod(OTHER, true, 11));
    /* The last one tells what runtime there is by now. */
    EXPECT(false, pod(THEIRS, true, 11), pod(THEIRS, false, 12));
    EXPECT(true, pod(THEIRS, true, 12), pod(THEIRS, false, 11));
    settings.drop_in = NULL;
    EXPECT(false, pod(THEIRS, true, 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_chain_that_it_was_started_by),
        cmocka_unit_test(a_drop_in_is_not_read_if_a_later_pod_shows_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
