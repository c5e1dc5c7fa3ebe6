/* A move from one backend to the other, in kernels of plain data, while others come. */
#include "fake_iptables.h"
#include "nftables_world.h"

#include "kernel/backends.h"
#include "kernel/nftables/backend.h"

/* Longer than the backend goes on writing. */
enum { REFUSALS = 10 };

static struct terms terms_of_move(void)
{
    struct terms terms = terms_of_sync(VERDICT_DROP);

    terms.lock_timeout_seconds = 10;
    return terms;
}

static void comes(void)
{
    const struct terms terms = terms_of_add(VERDICT_DROP);
    struct guard guard = {.interface = "eni2", .verdict = VERDICT_DROP};
    const struct plan plan = {.tag = OWNER_B, .guards = &guard, .guard_count = 1};
    struct error err = {0};
    bool present = false;

    assert_int_equal(nft_join(&plan, &terms, &present, &err), 0);
    assert_true(present);
}

/* It was not in iptables, from where all is moved, nor in nftables before. */
static void who_comes_while_iptables_cannot_be_emptied_stays(void **state)
{
    const struct terms terms = terms_of_move();
    struct error err = {0};

    (void)state;
    nftables_reset();
    begin_world("eni1=a *=");
    world.refusals = REFUSALS;
    world.meanwhile = comes;
    if (guards_apply(&backend_nftables, NULL, 0, &terms, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    assert_null(world.meanwhile);
    assert_false(world.tables[0].own.exists);
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_DROP);
    assert_int_equal(held_on("eni2").guard.verdict, VERDICT_DROP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_comes_while_iptables_cannot_be_emptied_stays, end_of_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
