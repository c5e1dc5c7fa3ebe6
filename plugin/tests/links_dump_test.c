/* The list of all links, whatever comes back. */
#include "fake_rtnetlink.h"

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
        cmocka_unit_test(in_doubt_a_link_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
