/* The list of all links, whatever comes back. */
#include "fake_rtnetlink.h"

#include "kernel/links/known.h"
#include "kernel/links/links.h"

static void assert_listed(void)
{
    struct link_reply *links = NULL;
    struct error err;
    size_t count = 0;

    assert_int_equal(links_all(&links, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_string_equal(links[0].link.name, "eth0");
    assert_string_equal(links[1].link.name, "beta");
    free(links);
}

static void assert_listing_fails(const char *says)
{
    struct link_reply *links = NULL;
    struct error err = {0};
    size_t count = 77;

    assert_int_equal(links_all(&links, &count, &err), -1);
    assert_null(links);
    assert_int_equal(count, 77);
    assert_says(&err, says);
}

static void lists_until_nothing_came_between(void **state)
{
    (void)state;
    KERNEL_DOES({DUMP, 0});
    assert_listed();
    KERNEL_DOES({CHANGED, 0}, {FAIL, ENOBUFS}, {CHANGED, 0}, {DUMP, 0});
    assert_listed();
    assert_int_equal(kernel.sent, 4);
}

static void does_not_list_for_ever(void **state)
{
    struct step steps[32];

    (void)state;
    for (size_t i = 0; i < 32; i++)
        steps[i] = (struct step){.what = CHANGED};
    kernel_does(steps);
    assert_listing_fails("kept changing while they were listed, 20 times");
}

static void says_why_there_is_no_list(void **state)
{
    (void)state;
    KERNEL_DOES({REFUSE, EPERM});
    assert_listing_fails("does not list the links: Operation not permitted");
    KERNEL_DOES({ODD, 0});
    assert_listing_fails("does not list the links: Bad message");
    KERNEL_DOES({FAIL, EBADF});
    assert_listing_fails("rtnetlink: cannot read the answers");
    KERNEL_DOES({DUMP, 0});
    kernel.send_error = ENOBUFS;
    assert_listing_fails("rtnetlink: cannot send to the kernel");
    KERNEL_DOES({DUMP, 0});
    kernel.socket_error = EAFNOSUPPORT;
    assert_listing_fails("cannot open an rtnetlink socket: Address family not supported");
}

static void finds_what_it_has_listed(void **state)
{
    struct known_links known;
    const int elsewhere = 5;

    (void)state;
    KERNEL_DOES({DUMP, 0});
    known_links_read(&known);
    assert_int_equal(known.count, 2);
    assert_int_equal(known_links_find(&known, &(struct link_question){.name = "beta"})->link.index,
                     1);
    assert_string_equal(known_links_find(&known, &(struct link_question){.index = 2})->link.name,
                        "eth0");
    assert_null(known_links_find(&known, &(struct link_question){.name = "eni1"}));
    assert_null(known_links_find(&known, &(struct link_question){.index = 0}));
    assert_null(
        known_links_find(&known, &(struct link_question){.name = "beta", .number = &elsewhere}));
    known_links_free(&known);
}

static void knows_nothing_where_there_is_no_list(void **state)
{
    struct known_links known;

    (void)state;
    KERNEL_DOES({REFUSE, EPERM});
    known_links_read(&known);
    assert_int_equal(known.count, 0);
    assert_null(known_links_find(&known, &(struct link_question){.name = "beta"}));
    assert_null(known_links_find(NULL, &(struct link_question){.name = "beta"}));
}

/* What may be taken away depends on it. */
static void in_doubt_a_link_exists(void **state)
{
    (void)state;
    KERNEL_DOES({REFUSE, ENODEV});
    assert_false(link_exists("eni1"));
    KERNEL_DOES({REFUSE, EPERM});
    assert_true(link_exists("eni1"));
    KERNEL_DOES({FAIL, ENOBUFS}, {FAIL, ENOBUFS}, {FAIL, ENOBUFS});
    assert_true(link_exists("eni1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_until_nothing_came_between),
        cmocka_unit_test(does_not_list_for_ever),
        cmocka_unit_test(says_why_there_is_no_list),
        cmocka_unit_test(finds_what_it_has_listed),
        cmocka_unit_test(knows_nothing_where_there_is_no_list),
        cmocka_unit_test(in_doubt_a_link_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
