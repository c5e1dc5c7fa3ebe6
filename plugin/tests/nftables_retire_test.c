/* All is in force elsewhere by now, and the table goes as it was seen: in two steps. */
#include "nftables_world.h"

#include "kernel/nftables/backend.h"

static int set_up(void **state)
{
    (void)state;
    nftables_reset();
    apply(OWNER_A, "eni1", VERDICT_PASS, terms_of_add(VERDICT_DROP));
    return 0;
}

static int remove_where(enum verdict others, const struct listing *seen, struct error *err)
{
    const struct selection everything = {.everything = true, .as_seen = seen};
    const struct terms terms = terms_of_add(others);

    return backend_nftables.remove(&everything, &terms, NULL, err);
}

static int remove_as(const struct listing *seen, struct error *err)
{
    return remove_where(VERDICT_DROP, seen, err);
}

static bool joins_where(enum verdict others)
{
    const struct terms terms = terms_of_add(others);
    struct guard guard = {.interface = "eni2", .verdict = VERDICT_DROP};
    const struct plan plan = {.tag = OWNER_B, .guards = &guard, .guard_count = 1};
    struct error err = {0};
    bool present = false;

    assert_int_equal(nft_join(&plan, &terms, &present, &err), 0);
    return present;
}

static bool joins(void)
{
    return joins_where(VERDICT_DROP);
}

static void the_table_lets_pass_before_it_goes(void **state)
{
    cleanup(listing) struct listing seen = list();
    struct error err = {0};

    (void)state;
    assert_int_equal(remove_as(&seen, &err), 0);
    assert_int_equal(nftables.committed, 3);
    assert_int_equal(nftables.length, 0);
}

static void somebody_commits(void)
{
    nftables.committed++;
}

static void what_was_not_seen_stays_as_it_is(void **state)
{
    cleanup(listing) struct listing seen = list();
    struct error err = {0};

    (void)state;
    somebody_commits();
    assert_int_equal(remove_as(&seen, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_whole();
    assert_true(joins());
}

static bool has_joined;

static void comes_before_the_table_goes(void)
{
    has_joined = joins();
    somebody_commits(); /* as a DEL does */
}

static void comes_after_this_commit(void)
{
    nftables.meanwhile = comes_before_the_table_goes;
}

static void nobody_joins_a_table_that_is_to_go(void **state)
{
    cleanup(listing) struct listing seen = list();
    cleanup(listing) struct listing later = {0};
    struct error err = {0};

    (void)state;
    has_joined = true;
    nftables.meanwhile = comes_after_this_commit;
    /* The deletion is refused: what has come meanwhile has to be looked at. */
    assert_int_equal(remove_as(&seen, &err), -1);
    assert_int_equal(err.code, ERROR_TRY_AGAIN);
    assert_false(has_joined);
    assert_false(joins());

    later = list();
    assert_true(later.present);
    assert_int_equal(later.held_count, 1);
    assert_int_equal(later.others.verdict, VERDICT_PASS);
    assert_int_equal(remove_as(&later, &err), 0);
    assert_int_equal(nftables.length, 0);
}

static struct listing seen_by_mover;

static void is_cut_off_after_this_commit(void)
{
    nftables.meanwhile = somebody_commits;
}

static void moves_where_others_pass(void)
{
    struct error unused = {0};

    nftables.meanwhile = is_cut_off_after_this_commit;
    (void)!remove_where(VERDICT_PASS, &seen_by_mover, &unused);
    nftables.meanwhile = NULL;
}

/* Who has looked before that, and commits without asking whether anybody has since. */
static void where_others_pass_nobody_comes_to_what_lets_pass(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_PASS, terms_of_sync(VERDICT_PASS));
    seen_by_mover = list();
    nftables.meanwhile = moves_where_others_pass;
    assert_false(joins_where(VERDICT_PASS));
    listing_free(&seen_by_mover);
}

/* As when who wanted it to go has been killed in between, and nothing else is in force. */
static void what_was_to_go_is_mended_by_who_wants_it(void **state)
{
    cleanup(listing) struct listing seen = list();
    struct error err = {0};

    (void)state;
    nftables.meanwhile = comes_after_this_commit;
    assert_int_equal(remove_as(&seen, &err), -1);
    apply(OWNER_B, "eni2", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    assert_whole();
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_PASS);
    assert_true(joins());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_table_lets_pass_before_it_goes, set_up),
        cmocka_unit_test_setup(what_was_not_seen_stays_as_it_is, set_up),
        cmocka_unit_test_setup(nobody_joins_a_table_that_is_to_go, set_up),
        cmocka_unit_test_setup(where_others_pass_nobody_comes_to_what_lets_pass, set_up),
        cmocka_unit_test_setup(what_was_to_go_is_mended_by_who_wants_it, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
