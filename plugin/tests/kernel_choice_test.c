/* Which backend a node gets, and what is said where it gets none. */
#include "kernel/backends.h"
#include "kernel/nftables/socket.h"
#include "kernel/privileges.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A kernel without nf_tables, and a process that may not use iptables. */
int __wrap_nft_open(struct nft_socket *socket, struct error *err);
void __wrap_nft_close(struct nft_socket *socket);
int __wrap_capability_check(int capability, const char *name, struct error *err);

int __wrap_nft_open(struct nft_socket *socket, struct error *err)
{
    *socket = (struct nft_socket){.absent = true};
    return error_set(err, ERROR_KERNEL, "no nf_tables here");
}

void __wrap_nft_close(struct nft_socket *socket)
{
    (void)socket;
}

int __wrap_capability_check(int capability, const char *name, struct error *err)
{
    (void)capability;
    return error_set(err, ERROR_KERNEL, "no %s here", name);
}

static struct endpoint endpoint = {FAMILY_IPV4, {169, 254, 169, 254}, 32};
static const struct terms terms = {.endpoints = &endpoint, .endpoint_count = 1};

static struct error probe(enum backend_choice choice)
{
    const struct config config = {.backend = choice};
    struct error err = {0};

    assert_int_equal(guards_probe_as(&config, &terms, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    return err;
}

/* Whichever comes first. */
static void who_leaves_the_choice_is_told_of_both(void **state)
{
    const struct error err = probe(BACKEND_AUTO);

    (void)state;
    assert_true(strstr(err.msg, "no nf_tables here") || strstr(err.msg, "no CAP_NET_RAW here"));
    assert_true(strcmp(err.details, "nor iptables: no CAP_NET_RAW here") == 0 ||
                strcmp(err.details, "nor nftables: no nf_tables here") == 0);
}

static void who_has_chosen_is_told_of_that_one(void **state)
{
    struct error err = probe(BACKEND_NFTABLES);

    (void)state;
    assert_string_equal(err.msg, "no nf_tables here");
    assert_string_equal(err.details, "");
    err = probe(BACKEND_IPTABLES);
    assert_string_equal(err.msg, "no CAP_NET_RAW here");
    assert_string_equal(err.details, "");
}

/* In the words of ADD, which asks by doing it. */
static void add_says_the_same(void **state)
{
    const struct config config = {.backend = BACKEND_NFTABLES};
    const struct error expected = probe(BACKEND_NFTABLES);
    const struct plan plan = {.tag = "aws-cni/c/eth0 0 -"};
    struct error err = {0};

    (void)state;
    setenv("XTABLES_LOCKFILE", "/nowhere/xtables.lock", 1); /* which is not ours to make */
    assert_int_equal(guards_add(&config, &plan, &terms, &err), -1);
    assert_string_equal(err.msg, expected.msg);
    assert_string_equal(err.details, expected.details);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_leaves_the_choice_is_told_of_both),
        cmocka_unit_test(who_has_chosen_is_told_of_that_one),
        cmocka_unit_test(add_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
