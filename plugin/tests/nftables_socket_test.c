/* A conversation with nf_tables, whatever the other end does. */
#include "fake_nft_peer.h"

#include "kernel/nftables/messages.h"

/* --- asking ----------------------------------------------------------------------------------- */

static unsigned told;

static int take(const struct nlmsghdr *message, void *context, struct error *err)
{
    (void)message;
    told++;
    return context != NULL ? error_set(err, ERROR_KERNEL, "enough") : 0;
}

/* One answer about two objects, either of which may be missing. */
static int ask_with(void *context, uint16_t type, int *refusal, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_socket) struct nft_socket socket = {.netlink.fd = -1};
    int result;

    told = 0;
    memset(err, 0, sizeof(*err));
    assert_int_equal(nft_open(&socket, err), 0);
    nft_message_add(&messages, NFT_TABLE, type, 0, 0, NULL);
    nft_message_add(&messages, NFT_TABLE, NFT_MSG_GETCHAIN, 0, NFTA_CHAIN_NAME, "forward");
    result = nft_ask(&socket, &messages, take, context, err);
    *refusal = socket.netlink.refusal;
    return result;
}

static int ask(struct error *err)
{
    int refusal;

    return ask_with(NULL, NFT_MSG_GETTABLE, &refusal, err);
}

static void assert_says(const struct error *err, const char *says)
{
    assert_int_equal(err->code, ERROR_KERNEL);
    if (strstr(err->msg, says) == NULL && strstr(err->details, says) == NULL)
        fail_msg("\"%s (%s)\" does not say \"%s\"", err->msg, err->details, says);
}

static void assert_ask_fails(const char *says)
{
    struct error err;

    assert_int_equal(ask(&err), -1);
    assert_says(&err, says);
    assert_true(is_closed());
}

static void takes_every_answer(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({TOLD, 1, 0}, {TOLD, 2, 0});
    assert_int_equal(ask(&err), 0);
    assert_int_equal(told, 2);
}

static void what_is_not_there_is_no_failure(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({ACK, 1, ENOENT}, {TOLD, 2, 0});
    assert_int_equal(ask(&err), 0);
    assert_int_equal(told, 1);
}

/* As Linux 4.15 says before it has nf_tables_inet. */
static void what_no_table_can_hold_yet_is_no_failure(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({ACK, 1, EAFNOSUPPORT}, {ACK, 2, EAFNOSUPPORT});
    assert_int_equal(ask(&err), 0);
    assert_int_equal(told, 0);
}

static void answers_for_others_are_thrown_away(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({STRANGER, 1, EPERM}, {EARLIER, 1, EPERM}, {HALF, 1, EPERM}, {TOLD, 1, 0},
                {TOLD, 2, 0});
    assert_int_equal(ask(&err), 0);
    assert_int_equal(told, 2);
}

static void what_is_cut_short_is_an_error(void **state)
{
    (void)state;
    KERNEL_DOES({CUT, 1, EPERM}, {TOLD, 2, 0});
    assert_ask_fails("an answer is longer than");
}

static void waits_through_signals_but_not_for_ever(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({FAIL, 0, EINTR}, {TOLD, 1, 0}, {FAIL, 0, EINTR}, {TOLD, 2, 0});
    kernel.send_error = EINTR;
    assert_int_equal(ask(&err), 0);
    KERNEL_DOES({TOLD, 1, 0});
    assert_ask_fails("has not answered within 5 seconds");
    /* Somebody else's answers all the time. */
    KERNEL_DOES({STRANGER, 1, 0}, {STRANGER, 1, 0}, {STRANGER, 1, 0}, {STRANGER, 1, 0},
                {TOLD, 1, 0}, {TOLD, 2, 0});
    kernel.per_wait = 2;
    assert_ask_fails("has not answered within 5 seconds");
}

static void a_dump_that_was_changed_is_no_answer(void **state)
{
    struct error err;
    int refusal = 0;

    (void)state;
    KERNEL_DOES({TOLD, 1, 0}, {CHANGED, 2, 0}, {CHANGED, 2, 0}, {ACK, 2, 0});
    assert_int_equal(ask_with(NULL, NFT_MSG_GETTABLE, &refusal, &err), -1);
    assert_int_equal(refusal, EINTR);
    assert_int_equal(told, 1);
}

static void lost_answers_are_told_from_none(void **state)
{
    struct error err;
    int refusal = 0;

    (void)state;
    KERNEL_DOES({FAIL, 0, ENOBUFS});
    assert_int_equal(ask_with(NULL, NFT_MSG_GETTABLE, &refusal, &err), -1);
    assert_int_equal(refusal, ENOBUFS);
    assert_says(&err, "nf_tables: answers were lost: No buffer space available");
}

static void the_first_refusal_counts(void **state)
{
    (void)state;
    KERNEL_DOES({ACK, 1, EIO}, {ACK, 2, EPERM});
    assert_ask_fails("cannot read table inet imds_guard: Input/output error");
    KERNEL_DOES({ACK, 1, EPERM}, {ACK, 2, EIO});
    assert_ask_fails("CAP_NET_ADMIN is missing");
    KERNEL_DOES({TOLD, 1, 0});
    kernel.send_error = ENOBUFS;
    assert_ask_fails("cannot send to the kernel");
}

static void whoever_takes_answers_may_refuse(void **state)
{
    struct error err = {0};
    int refusal = 77;

    (void)state;
    KERNEL_DOES({TOLD, 1, 0}, {TOLD, 2, 0});
    assert_int_equal(ask_with(&err, NFT_MSG_GETTABLE, &refusal, &err), -1);
    assert_says(&err, "enough");
    assert_int_equal(told, 1);
    assert_int_equal(refusal, 0);
}

/* net/netfilter/nfnetlink.c answers so where nobody has registered for nf_tables. */
static void a_kernel_without_nf_tables_is_told_by_its_answer(void **state)
{
    struct error err;
    int refusal = 0;

    (void)state;
    KERNEL_DOES({ACK, 1, EINVAL}, {ACK, 2, EINVAL});
    assert_int_equal(ask_with(NULL, NFT_MSG_GETGEN, &refusal, &err), -1);
    assert_says(&err, "this kernel has no nf_tables");
}

static void asks_nothing_of_nobody(void **state)
{
    cleanup(netlink_messages) struct netlink_messages none = {0};
    cleanup(nft_socket) struct nft_socket socket = {.netlink.fd = -1};
    struct error err = {0};

    (void)state;
    kernel_does(&(struct step){.what = END});
    assert_int_equal(nft_open(&socket, &err), 0);
    assert_int_equal(nft_ask(&socket, &none, take, NULL, &err), 0);
    assert_int_equal(nft_commit(&socket, &none, 7, &err), 0);
    assert_int_equal(kernel.sent, 0);
}

/* --- committing ------------------------------------------------------------------------------- */

static int commit(unsigned count, uint32_t generation, bool rehearse, struct error *err)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_socket) struct nft_socket socket = {.netlink.fd = -1};

    memset(err, 0, sizeof(*err));
    assert_int_equal(nft_open(&socket, err), 0);
    for (unsigned i = 0; i < count; i++)
        nft_message_add(&messages, NFT_TABLE, i == 0 ? NFT_MSG_DELTABLE : NFT_MSG_NEWTABLE, 0, 0,
                        NULL);
    return rehearse ? nft_rehearse(&socket, &messages, err)
                    : nft_commit(&socket, &messages, generation, err);
}

static void the_last_answer_ends_a_transaction(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({TOLD, 1, 0}, {ACK, 2, 0}, {ACK, 3, 0}, {ACK, 1, EPERM});
    assert_int_equal(commit(3, 41, false, &err), 0);
    assert_int_equal(kernel.parts, 3);
    KERNEL_DOES({ACK, 2, 0});
    assert_int_equal(commit(2, 0, true, &err), 0);
    assert_int_equal(kernel.parts, 2);
}

static void a_refused_transaction_says_what_was_refused(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({ACK, 1, ENOENT}, {ACK, 2, 0});
    assert_int_equal(commit(2, 0, false, &err), -1);
    assert_says(&err, "cannot delete table inet imds_guard: No such file or directory");
    KERNEL_DOES({ACK, 2, EPERM});
    assert_int_equal(commit(2, 0, false, &err), -1);
    assert_says(&err, "cannot make table inet imds_guard");
    assert_says(&err, "another program owns the table");
    /* The batch's own beginning: a generation that has passed, or no permission at all. */
    KERNEL_DOES({ACK, 0, ERESTART});
    assert_int_equal(commit(2, 41, false, &err), -1);
    assert_says(&err, "cannot commit");
    KERNEL_DOES({ACK, 0, EPERM});
    assert_int_equal(commit(2, 41, false, &err), -1);
    assert_says(&err, "CAP_NET_ADMIN is missing");
}

static void much_to_send_needs_a_larger_buffer(void **state)
{
    struct error err;

    (void)state;
    KERNEL_DOES({ACK, 10, 0});
    assert_int_equal(commit(10, 0, false, &err), 0);
    assert_false(kernel.enlarged);
    KERNEL_DOES({ACK, 3000, 0});
    assert_int_equal(commit(3000, 0, false, &err), 0);
    assert_true(kernel.enlarged);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void says_why_there_is_no_socket(void **state)
{
    struct nft_socket socket;
    struct error err;

    (void)state;
    kernel_does(&(struct step){.what = END});
    kernel.open_error = EPROTONOSUPPORT;
    assert_int_equal(nft_open(&socket, &err), -1);
    assert_true(socket.absent);
    assert_says(&err, "this kernel has no nf_tables");
    kernel.open_error = EMFILE;
    assert_int_equal(nft_open(&socket, &err), -1);
    assert_false(socket.absent);
    assert_says(&err, "cannot open a netlink socket: Too many open files");
    assert_int_equal(socket.netlink.refusal, EMFILE);
    nft_close(&socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_answer),
        cmocka_unit_test(what_is_not_there_is_no_failure),
        cmocka_unit_test(what_no_table_can_hold_yet_is_no_failure),
        cmocka_unit_test(answers_for_others_are_thrown_away),
        cmocka_unit_test(what_is_cut_short_is_an_error),
        cmocka_unit_test(waits_through_signals_but_not_for_ever),
        cmocka_unit_test(a_dump_that_was_changed_is_no_answer),
        cmocka_unit_test(lost_answers_are_told_from_none),
        cmocka_unit_test(the_first_refusal_counts),
        cmocka_unit_test(whoever_takes_answers_may_refuse),
        cmocka_unit_test(a_kernel_without_nf_tables_is_told_by_its_answer),
        cmocka_unit_test(asks_nothing_of_nobody),
        cmocka_unit_test(the_last_answer_ends_a_transaction),
        cmocka_unit_test(a_refused_transaction_says_what_was_refused),
        cmocka_unit_test(much_to_send_needs_a_larger_buffer),
        cmocka_unit_test(says_why_there_is_no_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
