/*
 * What probe makes of kernels that there are not here: the conversation with nf_tables is the
 * test's own.
 */
#include "kernel/backend.h"
#include "kernel/nft_reply.h"
#include "kernel/nft_socket.h"

#include <linux/netfilter/nf_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The kernel, and what it was asked. */
static struct {
    bool knows_set_expressions; /* Linux 5.7 */
    int fails;                  /* with this, at the second rehearsal */
    unsigned rehearsals;
    unsigned commits;
} kernel;

int nft_open(struct nft_socket *socket, struct error *err)
{
    (void)err;
    *socket = (struct nft_socket){0};
    return 0;
}

void nft_close(struct nft_socket *socket)
{
    (void)socket;
}

/* Nothing of what is asked for is there. */
int nft_ask(struct nft_socket *socket, const struct nft_messages *requests, nft_answer *each,
            void *context, struct error *err)
{
    (void)socket;
    (void)requests;
    (void)each;
    (void)context;
    (void)err;
    return 0;
}

int nft_commit(struct nft_socket *socket, const struct nft_messages *messages, uint32_t generation,
               struct error *err)
{
    (void)socket;
    (void)messages;
    (void)generation;
    (void)err;
    kernel.commits++;
    return 0;
}

/* nf_tables_newset: an expression of a set must be one that keeps state. */
static bool is_refused(const struct nlmsghdr *message)
{
    struct attributes set;
    struct attributes expression;
    const char *name;

    if (!kernel.knows_set_expressions || nft_reply_type(message) != NFT_MSG_NEWSET)
        return false;
    nft_reply_attributes(message, &set);
    if (set.at[NFTA_SET_EXPR] == NULL)
        return false;
    attributes_nested(set.at[NFTA_SET_EXPR], &expression);
    name = attribute_text(&expression, NFTA_EXPR_NAME);
    return name == NULL || strcmp(name, "counter") != 0;
}

int nft_rehearse(struct nft_socket *socket, const struct nft_messages *messages, struct error *err)
{
    socket->refusal = 0;
    if (++kernel.rehearsals == 2 && kernel.fails != 0) {
        socket->refusal = kernel.fails;
        return error_set(err, ERROR_KERNEL, "nf_tables: cannot commit");
    }
    nft_messages_each(message, messages)
    {
        if (is_refused(message)) {
            socket->refusal = EOPNOTSUPP;
            return error_set(err, ERROR_KERNEL, "nf_tables: cannot make set in");
        }
    }
    return 0;
}

static int forget(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    return 0;
}

static void a_kernel_with_counters_in_maps_will_do(void **state)
{
    const struct terms terms = {0};
    struct error err = {0};

    (void)state;
    kernel.knows_set_expressions = true;
    assert_int_equal(backend_nftables.probe(&terms, &err), 0);
    assert_int_equal(kernel.rehearsals, 2);
    assert_int_equal(kernel.commits, 0);
}

static void an_older_one_will_not(void **state)
{
    const struct terms terms = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(backend_nftables.probe(&terms, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_non_null(strstr(err.msg, "older than Linux 5.7"));
    assert_int_equal(kernel.commits, 0);
}

static void another_failure_is_none_of_that(void **state)
{
    const struct terms terms = {0};
    struct error err = {0};

    (void)state;
    kernel.knows_set_expressions = true;
    kernel.fails = ENOMEM;
    assert_int_equal(backend_nftables.probe(&terms, &err), -1);
    assert_string_equal(err.msg, "nf_tables: cannot commit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_kernel_with_counters_in_maps_will_do, forget),
        cmocka_unit_test_setup(an_older_one_will_not, forget),
        cmocka_unit_test_setup(another_failure_is_none_of_that, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
