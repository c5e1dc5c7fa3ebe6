/* The list of all links, whatever comes back. */
#include "fake_rtnetlink.h"

#include "kernel/links/host.h"
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

static const struct link_question four[] = {{.name = "beta"}, {.index = 2}, {.name = "eni1"}, {0}};

static void ask_host_of(struct known_links *known, struct link_reply answers[static 4])
{
    const struct netns netns = {.fd = 3};
    struct host host = {.rtnetlink = {.fd = -1, .peer = "rtnetlink"}, .known = known};
    struct error err;
    int nsid = -1;

    assert_int_equal(host_ask(&host, four, 4, answers, &netns, &nsid, &err), 0);
    assert_int_equal(nsid, 5);
}

static void asks_for_what_is_not_known(void **state)
{
    struct known_links known;
    struct link_reply answers[4];

    (void)state;
    KERNEL_DOES({DUMP, 0}, {ANSWER, 0});
    known_links_read(&known);
    assert_int_equal(known.count, 2);
    ask_host_of(&known, answers);
    assert_int_equal(kernel.asked_count, 2); /* eni1, and the number */
    assert_int_equal(answers[0].link.index, 1);
    assert_string_equal(answers[1].link.name, "eth0");
    assert_string_equal(answers[2].link.name, "eni1");
    assert_int_equal(answers[3].link.index, 0);
    known_links_free(&known);
}

static void asks_for_all_where_nothing_is_known(void **state)
{
    struct known_links known;
    struct link_reply answers[4];

    (void)state;
    KERNEL_DOES({REFUSE, EPERM}, {ANSWER, 0}, {ANSWER, 0});
    known_links_read(&known);
    assert_int_equal(known.count, 0);
    ask_host_of(&known, answers);
    assert_int_equal(kernel.asked_count, 4);
    assert_string_equal(answers[0].link.name, "beta");
    ask_host_of(NULL, answers);
    assert_int_equal(kernel.asked_count, 4);
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
        cmocka_unit_test(asks_for_what_is_not_known),
        cmocka_unit_test(asks_for_all_where_nothing_is_known),
        cmocka_unit_test(in_doubt_a_link_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
