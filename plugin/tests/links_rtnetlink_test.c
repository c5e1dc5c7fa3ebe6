/* Questions about single links, whatever comes back. */
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
    struct link_reply answers[3] = {[1] = {.link.index = 77}};
    struct error err;

    assert_int_equal(ask(answers, &err), 0);
    assert_string_equal(answers[0].link.name, "eni1");
    assert_int_equal(answers[1].link.index, 77); /* was not asked for */
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

/* --- in another namespace ----------------------------------------------------------------------- */

static const int pod = POD_NUMBER;

static int ask_pod(const char *name, struct link_reply *answer, struct error *err)
{
    const struct link_question question = {.name = name, .number = &pod};
    struct netlink rtnetlink = fresh;

    memset(err, 0, sizeof(*err));
    return rtnetlink_ask_links(&rtnetlink, &question, 1, answer, err);
}

static void asks_about_another_namespace(void **state)
{
    struct link_reply answer;
    struct error err;

    (void)state;
    KERNEL_DOES({ANSWER, 0});
    assert_int_equal(ask_pod("eth0", &answer, &err), 0);
    assert_string_equal(answer.link.name, "eth0");
    assert_int_equal(answer.asked_nsid, POD_NUMBER);
    assert_int_equal(answer.peer_nsid, OWN_NUMBER);
    assert_int_equal(kernel.sent, 1);
    KERNEL_DOES({ANSWER, 0});
    assert_int_equal(ask_pod("gone", &answer, &err), 0);
    assert_int_equal(answer.link.index, 0);
}

/* It would tell of the node's own link of that name, and of one that the node has not. */
static void never_takes_our_own_link_for_anothers(void **state)
{
    struct link_reply answer = {.link.index = 77};
    struct error err;

    (void)state;
    for (int gone = 0; gone <= 1; gone++) {
        KERNEL_DOES({ANSWER, 0});
        kernel.is_old = true;
        assert_int_equal(ask_pod(gone ? "gone" : "eth0", &answer, &err), -1);
        assert_says(&err, "Linux 4.15 or later is needed");
    }
    KERNEL_DOES({ANSWER, 0});
    kernel.mistakes_netns = true;
    assert_int_equal(ask_pod("eth0", &answer, &err), -1);
    assert_says(&err, "Linux 4.15 or later is needed");
}

static void says_what_asking_there_needs(void **state)
{
    struct link_reply answer;
    struct error err;

    (void)state;
    KERNEL_DOES({REFUSE, EACCES});
    assert_int_equal(ask_pod("eth0", &answer, &err), -1);
    assert_says(&err, "about link eth0: Permission denied (CAP_NET_ADMIN is needed)");
    KERNEL_DOES({REFUSE, EINVAL});
    assert_int_equal(ask_pod("eth0", &answer, &err), -1);
    assert_string_equal(err.msg, "rtnetlink does not tell about link eth0: Invalid argument");
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
        cmocka_unit_test(asks_about_another_namespace),
        cmocka_unit_test(never_takes_our_own_link_for_anothers),
        cmocka_unit_test(says_what_asking_there_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
