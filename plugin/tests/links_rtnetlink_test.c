/* Questions about single links and namespaces, whatever comes back. */
#include "fake_rtnetlink.h"

static const struct netlink fresh = {.fd = -1, .peer = "rtnetlink", .sequence = 7};

/* --- one or two links ------------------------------------------------------------------------- */

static const struct link_question questions[] = {{.name = "eni1"}, {.index = 0}, {.index = 12}};

static int ask(struct link_reply answers[static 3], struct error *err)
{
    struct netlink rtnetlink = fresh;

    memset(err, 0, sizeof(*err));
    return rtnetlink_ask_links(&rtnetlink, questions, 3, answers, err);
}

static void assert_answered(void)
{
    struct link_reply answers[3];
    struct error err;

    assert_int_equal(ask(answers, &err), 0);
    assert_string_equal(answers[0].link.name, "eni1");
    assert_int_equal(answers[1].link.index, 0);
    assert_int_equal(answers[2].link.index, 12);
}

static void assert_ask_fails(const char *says)
{
    struct link_reply answers[3];
    struct error err;

    assert_int_equal(ask(answers, &err), -1);
    assert_says(&err, says);
}

static void asks_for_all_at_once(void **state)
{
    (void)state;
    KERNEL_DOES({ANSWER, 0});
    assert_answered();
    assert_int_equal(kernel.sent, 1);
}

static void waits_for_a_late_answer(void **state)
{
    (void)state;
    KERNEL_DOES({FAIL, EINTR}, {FAIL, EAGAIN}, {ANSWER, 0});
    assert_answered();
    assert_int_equal(kernel.now, 1);
    KERNEL_DOES({FAIL, EAGAIN}, {ANSWER, 0});
    kernel.poll_error = EINTR;
    assert_answered();
    KERNEL_DOES({ANSWER, 0});
    kernel.send_error = EINTR;
    assert_answered();
}

static void waits_no_longer_than_its_time(void **state)
{
    (void)state;
    kernel_does(&(struct step){.what = END});
    assert_ask_fails("has not answered within 5 seconds");
    assert_int_equal(kernel.now, NETLINK_TIMEOUT);
}

static void listens_to_the_kernel_alone(void **state)
{
    (void)state;
    KERNEL_DOES({STRANGE, 0}, {ANSWER, 0});
    assert_answered();
    KERNEL_DOES({STRANGE, 0});
    assert_ask_fails("has not answered");
}

static void asks_again_when_answers_were_lost(void **state)
{
    (void)state;
    KERNEL_DOES({FAIL, ENOBUFS}, {FAIL, ENOBUFS}, {ANSWER, 0});
    assert_answered();
    assert_int_equal(kernel.sent, 3);
    KERNEL_DOES({FAIL, ENOBUFS}, {FAIL, ENOBUFS}, {FAIL, ENOBUFS}, {ANSWER, 0});
    assert_ask_fails("asked 3 times: rtnetlink: answers were lost");
}

static void a_link_that_is_not_there_is_an_answer(void **state)
{
    struct netlink rtnetlink = fresh;
    struct link_reply reply = {.link.index = 77};
    struct error err = {0};

    (void)state;
    KERNEL_DOES({REFUSE, ENODEV});
    assert_int_equal(rtnetlink_ask_links(&rtnetlink, questions, 1, &reply, &err), 0);
    assert_int_equal(reply.link.index, 0);
}

static void a_refusal_names_the_link(void **state)
{
    struct netlink rtnetlink = fresh;
    struct link_reply reply = {0};
    struct error err = {0};

    (void)state;
    KERNEL_DOES({REFUSE, EPERM});
    assert_ask_fails("about link eni1: Operation not permitted");
    KERNEL_DOES({REFUSE, EPERM});
    assert_int_equal(rtnetlink_ask_links(&rtnetlink, questions + 2, 1, &reply, &err), -1);
    assert_string_equal(err.msg,
                        "rtnetlink does not tell about link number 12: Operation not permitted");
}

/* Success without a link is no answer either. */
static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    KERNEL_DOES({ODD, 0});
    assert_ask_fails("about link eni1: Bad message");
    KERNEL_DOES({REFUSE, 0});
    assert_ask_fails("about link eni1: Bad message");
    KERNEL_DOES({CUT, 0});
    assert_ask_fails("longer than");
    KERNEL_DOES({SHORT, 0});
    assert_ask_fails("has not answered");
}

static void a_broken_socket_is_an_error(void **state)
{
    (void)state;
    KERNEL_DOES({FAIL, EBADF});
    assert_ask_fails("rtnetlink: cannot read the answers: Bad file descriptor");
    KERNEL_DOES({FAIL, EAGAIN});
    kernel.poll_error = ENOMEM;
    assert_ask_fails("rtnetlink: cannot wait for the kernel: Cannot allocate memory");
    KERNEL_DOES({ANSWER, 0});
    kernel.send_error = ENOBUFS;
    assert_ask_fails("rtnetlink: cannot send to the kernel: No buffer space");
}

/* --- the number of a namespace ---------------------------------------------------------------- */

static int ask_nsid(int *out, struct error *err)
{
    struct netlink rtnetlink = fresh;
    struct link_reply answers[3];

    memset(err, 0, sizeof(*err));
    return rtnetlink_ask_links_and_nsid(&rtnetlink, questions + 1, 1, answers, 3, out, err);
}

static void assert_nsid_fails(const char *says)
{
    struct error err;
    int nsid = 77;

    assert_int_equal(ask_nsid(&nsid, &err), -1);
    assert_int_equal(nsid, 77);
    assert_says(&err, says);
}

static void numbers_a_namespace(void **state)
{
    struct error err;
    int nsid = -1;

    (void)state;
    KERNEL_DOES({SHORT, 0}, {ANSWER, 0});
    assert_int_equal(ask_nsid(&nsid, &err), 0);
    assert_int_equal(nsid, 5);
}

static void numbers_it_behind_links(void **state)
{
    struct netlink rtnetlink = fresh;
    struct link_reply answers[3];
    struct error err;
    int nsid = -1;

    (void)state;
    KERNEL_DOES({ANSWER, 0});
    assert_int_equal(
        rtnetlink_ask_links_and_nsid(&rtnetlink, questions, 3, answers, 3, &nsid, &err), 0);
    assert_string_equal(answers[0].link.name, "eni1");
    assert_int_equal(answers[1].link.index, 0);
    assert_int_equal(answers[2].link.index, 12);
    assert_int_equal(nsid, 5);
    assert_int_equal(kernel.sent, 1);
}

static void says_why_a_namespace_has_no_number(void **state)
{
    (void)state;
    KERNEL_DOES({REFUSE, EPERM});
    assert_nsid_fails("does not number a network namespace: Operation not permitted");
    KERNEL_DOES({ODD, 0});
    assert_nsid_fails("Bad message");
    KERNEL_DOES({REFUSE, 0});
    assert_nsid_fails("Bad message");
    KERNEL_DOES({FAIL, ENOBUFS}, {FAIL, ENOBUFS}, {FAIL, ENOBUFS});
    assert_nsid_fails("asked 3 times: rtnetlink: answers were lost");
    KERNEL_DOES({FAIL, EBADF});
    assert_nsid_fails("cannot read");
    KERNEL_DOES({ANSWER, 0});
    kernel.send_error = ENOBUFS;
    assert_nsid_fails("cannot send");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_all_at_once),
        cmocka_unit_test(waits_for_a_late_answer),
        cmocka_unit_test(waits_no_longer_than_its_time),
        cmocka_unit_test(listens_to_the_kernel_alone),
        cmocka_unit_test(asks_again_when_answers_were_lost),
        cmocka_unit_test(a_link_that_is_not_there_is_an_answer),
        cmocka_unit_test(a_refusal_names_the_link),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_broken_socket_is_an_error),
        cmocka_unit_test(numbers_a_namespace),
        cmocka_unit_test(numbers_it_behind_links),
        cmocka_unit_test(says_why_a_namespace_has_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
