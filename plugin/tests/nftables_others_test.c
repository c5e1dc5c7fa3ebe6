/*
 * The verdict for who has no guard, how packets are denied, and whose guard gives way: what an ADD
 * may change, and what sync sets.
 */
#include "fake_nftables.h"
#include "nftables_world.h"

#include "kernel/nftables/elements.h"
#include "kernel/nftables/rule.h"

#include <linux/netfilter.h>

static int set_up(void **state)
{
    (void)state;
    nftables_reset();
    return 0;
}

/* --- the verdict for others ------------------------------------------------------------------- */

static void an_add_makes_the_verdict_for_others(void **state)
{
    static const enum verdict verdicts[] = {VERDICT_DROP, VERDICT_REJECT, VERDICT_PASS};

    (void)state;
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
        nftables_reset();
        apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(verdicts[i]));
        assert_others(verdicts[i], 0);
        assert_whole();
        assert_int_equal(nftables.committed, 1);
    }
}

/* With everybody's guards and numbers, in one transaction that is good for what was seen only. */
static void an_add_tightens_it(void **state)
{
    static const enum verdict denials[] = {VERDICT_DROP, VERDICT_REJECT};

    (void)state;
    for (size_t i = 0; i < sizeof(denials) / sizeof(*denials); i++) {
        nftables_reset();
        apply(OWNER_A, "eni1", VERDICT_PASS, terms_of_add(VERDICT_PASS));
        others_send(5);
        apply(OWNER_B, "eni2", VERDICT_DROP, terms_of_add(denials[i]));
        assert_int_equal(nftables.committed, 2);
        assert_true(nftables.bound);
        assert_others(denials[i], 5);
        assert_int_equal(held_on("eni1").guard.verdict, VERDICT_PASS);
        assert_string_equal(held_on("eni1").tag, OWNER_A);
        assert_int_equal(held_on("eni2").guard.verdict, VERDICT_DROP);
        assert_whole();
    }
}

static void an_add_loosens_nothing(void **state)
{
    static const enum verdict denials[] = {VERDICT_DROP, VERDICT_REJECT};

    (void)state;
    for (size_t i = 0; i < sizeof(denials) / sizeof(*denials); i++) {
        for (enum verdict added = VERDICT_DROP; added <= VERDICT_PASS; added++) {
            nftables_reset();
            apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(denials[i]));
            others_send(5);
            apply(OWNER_B, "eni2", VERDICT_PASS, terms_of_add(added));
            assert_others(denials[i], 5);
            assert_false(nftables.bound); /* one element has come */
            assert_whole();
        }
    }
}

static void sync_sets_it_exactly(void **state)
{
    (void)state;
    for (enum verdict before = VERDICT_DROP; before <= VERDICT_PASS; before++) {
        for (enum verdict after = VERDICT_DROP; after <= VERDICT_PASS; after++) {
            nftables_reset();
            apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(before));
            others_send(7);
            apply(OWNER_B, "eni2", VERDICT_PASS, terms_of_sync(after));
            assert_int_equal(nftables.bound, before != after);
            assert_others(after, 7);
            assert_int_equal(held_on("eni1").guard.verdict, VERDICT_DROP);
            assert_whole();
            apply(OWNER_B, "eni2", VERDICT_PASS, terms_of_sync(after));
            assert_int_equal(nftables.committed, 2);
        }
    }
}

/* A sync that loosens meets an ADD that has just tightened: it looks again, and knows better. */
static void guard_b_comes(void)
{
    apply(OWNER_B, "eni2", VERDICT_DROP, terms_of_add(VERDICT_DROP));
}

static void nobody_s_guard_is_lost_when_it_changes(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_PASS));
    nftables.meanwhile = guard_b_comes;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_sync(VERDICT_REJECT));
    assert_int_equal(nftables.committed, 3);
    assert_others(VERDICT_REJECT, 0);
    assert_string_equal(held_on("eni2").tag, OWNER_B);
}

static void its_numbers_survive_a_repair(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    others_send(11);
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct nlmsghdr *message = (struct nlmsghdr *)(nftables.bytes + at);
        struct attributes attributes;

        nft_reply_attributes(message, &attributes);
        if (nft_reply_type(message) == NFT_MSG_NEWRULE &&
            attribute_is(&attributes, NFTA_RULE_CHAIN, "forward"))
            message->nlmsg_type = NLMSG_NOOP;
    }
    apply(OWNER_B, "eni2", VERDICT_DROP, terms_of_add(VERDICT_PASS));
    assert_others(VERDICT_DROP, 11);
    assert_string_equal(held_on("eni1").tag, OWNER_A);
    assert_whole();
}

/* Somebody has put one more rule there, that lets packets pass: the first one counts, and stays. */
static void a_repair_loosens_nothing(void **state)
{
    cleanup(netlink_messages) struct netlink_messages rule = {0};
    const struct others pass = {.verdict = VERDICT_PASS, .packets = 1, .bytes = 60};

    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    others_send(3);
    rule_for_others(&rule, "judge", &pass);
    assert_int_equal(carry_out_all(&rule), 0);
    apply(OWNER_B, "eni2", VERDICT_PASS, terms_of_add(VERDICT_PASS));
    assert_others(VERDICT_DROP, 3);
    assert_whole();
}

/* --- rejecting -------------------------------------------------------------------------------- */

static void the_chain_that_tells_comes_with_who_needs_it(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    apply(OWNER_B, "eni2", VERDICT_PASS, terms_of_add(VERDICT_DROP));
    assert_false(stands("imds_guard", "refuse"));
    others_send(2);
    apply(OWNER_B, "eni2", VERDICT_REJECT, terms_of_add(VERDICT_DROP));
    assert_true(stands("imds_guard", "refuse"));
    assert_int_equal(held_on("eni2").guard.verdict, VERDICT_REJECT);
    assert_others(VERDICT_DROP, 2);
    assert_false(nftables.bound); /* nothing was made anew */
    assert_whole();
    apply(OWNER_A, "eni1", VERDICT_REJECT, terms_of_add(VERDICT_DROP));
    assert_int_equal(count_of(NFT_MSG_NEWRULE), 4 + 2 + 2);
    assert_whole();
}

/* No fib in forward chains before Linux 5.19: the whole transaction is refused. */
static void a_kernel_that_cannot_is_told_from_others(void **state)
{
    struct guard guard = {.interface = "eni1", .verdict = VERDICT_REJECT};
    const struct plan plan = {.tag = OWNER_A, .guards = &guard, .guard_count = 1};
    const struct terms terms = terms_of_add(VERDICT_DROP);
    struct error err = {0};

    (void)state;
    nftables.refusals = UINT32_MAX;
    nftables.refusal = EOPNOTSUPP;
    assert_int_equal(backend_nftables.apply(&plan, 1, &terms, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
    assert_non_null(strstr(err.msg, "set \"deny\" to \"drop\""));
    guard.verdict = VERDICT_DROP;
    assert_int_equal(backend_nftables.apply(&plan, 1, &terms, &err), -1);
    assert_null(strstr(err.msg, "deny"));
}

static void nobody_who_passes_or_is_dropped_meets_it(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_REJECT, terms_of_add(VERDICT_REJECT));
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_sync(VERDICT_DROP));
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_DROP);
    assert_others(VERDICT_DROP, 0);
    assert_whole();
}

static void first_b_is_rejected(void)
{
    apply(OWNER_B, "eni2", VERDICT_REJECT, terms_of_add(VERDICT_DROP));
}

/* Else each of its rules would stand there twice. */
static void two_who_need_it_first_make_it_once(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    nftables.meanwhile = first_b_is_rejected;
    apply(OWNER_A, "eni1", VERDICT_REJECT, terms_of_add(VERDICT_DROP));
    assert_int_equal(count_of(NFT_MSG_NEWRULE), 4 + 2 + 2);
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_REJECT);
    assert_int_equal(held_on("eni2").guard.verdict, VERDICT_REJECT);
    assert_whole();
}

static void table_without_it_is_made(void)
{
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_sync(VERDICT_PASS));
}

/* It was there, and has gone with a table made anew. */
static void who_comes_too_late_for_it_makes_it(void **state)
{
    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_REJECT));
    nftables.meanwhile = table_without_it_is_made;
    apply(OWNER_B, "eni2", VERDICT_REJECT, terms_of_add(VERDICT_PASS));
    assert_true(stands("imds_guard", "refuse"));
    assert_int_equal(held_on("eni2").guard.verdict, VERDICT_REJECT);
    assert_whole();
}

/* --- what was seen ---------------------------------------------------------------------------- */

static void apply_seen(const struct listing *seen)
{
    struct terms terms = terms_of_sync(VERDICT_DROP);

    terms.seen = seen;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms);
}

/* An ADD of another pod has taken the interface since the plans were made. */
static void what_another_has_set_since_stays(void **state)
{
    cleanup(listing) struct listing seen = {0};

    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    seen = list();
    apply(OWNER_B, "eni1", VERDICT_PASS, terms_of_add(VERDICT_DROP));
    apply_seen(&seen);
    assert_string_equal(held_on("eni1").tag, OWNER_B);
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_PASS);
}

static void it_stays_in_a_table_made_anew(void **state)
{
    cleanup(listing) struct listing seen = {0};

    (void)state;
    apply(OWNER_A, "eni1", VERDICT_DROP, terms_of_add(VERDICT_PASS));
    seen = list();
    apply(OWNER_B, "eni1", VERDICT_PASS, terms_of_add(VERDICT_PASS));
    apply_seen(&seen);
    assert_others(VERDICT_DROP, 0);
    assert_string_equal(held_on("eni1").tag, OWNER_B);
}

static void b_takes_the_interface(void)
{
    apply(OWNER_B, "eni1", VERDICT_PASS, terms_of_add(VERDICT_DROP));
}

/* The same between the look and the writing: what takes a guard over is good for what was seen. */
static void what_another_sets_meanwhile_stays(void **state)
{
    cleanup(listing) struct listing seen = {0};

    (void)state;
    apply(OWNER_A, "eni1", VERDICT_REJECT, terms_of_add(VERDICT_DROP));
    seen = list();
    nftables.meanwhile = b_takes_the_interface;
    apply_seen(&seen);
    assert_int_equal(nftables.committed, 2);
    assert_string_equal(held_on("eni1").tag, OWNER_B);
}

static void what_comes_where_nothing_was_seen_stays(void **state)
{
    const struct listing seen = {0};

    (void)state;
    apply(OWNER_A, "eni2", VERDICT_DROP, terms_of_add(VERDICT_DROP));
    nftables.meanwhile = b_takes_the_interface;
    apply_seen(&seen);
    assert_string_equal(held_on("eni1").tag, OWNER_B);
}

static void what_was_seen_makes_way(void **state)
{
    cleanup(listing) struct listing seen = {0};

    (void)state;
    apply(OWNER_B, "eni1", VERDICT_PASS, terms_of_add(VERDICT_DROP));
    seen = list();
    apply_seen(&seen);
    assert_true(nftables.bound);
    assert_string_equal(held_on("eni1").tag, OWNER_A);
    assert_int_equal(held_on("eni1").guard.verdict, VERDICT_DROP);
}

/* --- what a rule for others says -------------------------------------------------------------- */

static bool read_back(const struct others *others, const char *chain, struct others *out)
{
    cleanup(netlink_messages) struct netlink_messages rule = {0};

    rule_for_others(&rule, chain, others);
    return rule_read_others((const struct nlmsghdr *)rule.bytes, "judge", out);
}

static void the_rule_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (enum verdict verdict = VERDICT_DROP; verdict <= VERDICT_PASS; verdict++) {
        const struct others others = {verdict, UINT64_MAX, 77};
        struct others out = {0};

        assert_true(read_back(&others, "judge", &out));
        assert_int_equal(out.verdict, verdict);
        assert_true(out.packets == UINT64_MAX);
        assert_int_equal(out.bytes, 77);
        assert_false(read_back(&others, "judges", &out));
        assert_int_equal(out.verdict, verdict);
    }
}

/* No bit of it, changed, makes a rule that drops out of one that does not. */
static void what_does_not_deny_is_not_taken_to(void **state)
{
    cleanup(netlink_messages) struct netlink_messages rule = {0};
    const struct others pass = {.verdict = VERDICT_PASS, .packets = 5, .bytes = 300};
    size_t read = 0;

    (void)state;
    rule_for_others(&rule, "judge", &pass);
    for (size_t i = sizeof(struct nlmsghdr); i < rule.length; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct others out = {.verdict = VERDICT_PASS};

            rule.bytes[i] = (char)(rule.bytes[i] ^ 1 << bit);
            read += rule_read_others((const struct nlmsghdr *)rule.bytes, "judge", &out);
            rule.bytes[i] = (char)(rule.bytes[i] ^ 1 << bit);
            assert_int_equal(out.verdict, VERDICT_PASS);
        }
    }
    assert_true(read > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_add_makes_the_verdict_for_others, set_up),
        cmocka_unit_test_setup(an_add_tightens_it, set_up),
        cmocka_unit_test_setup(an_add_loosens_nothing, set_up),
        cmocka_unit_test_setup(sync_sets_it_exactly, set_up),
        cmocka_unit_test_setup(nobody_s_guard_is_lost_when_it_changes, set_up),
        cmocka_unit_test_setup(its_numbers_survive_a_repair, set_up),
        cmocka_unit_test_setup(a_repair_loosens_nothing, set_up),
        cmocka_unit_test_setup(the_chain_that_tells_comes_with_who_needs_it, set_up),
        cmocka_unit_test_setup(a_kernel_that_cannot_is_told_from_others, set_up),
        cmocka_unit_test_setup(nobody_who_passes_or_is_dropped_meets_it, set_up),
        cmocka_unit_test_setup(two_who_need_it_first_make_it_once, set_up),
        cmocka_unit_test_setup(who_comes_too_late_for_it_makes_it, set_up),
        cmocka_unit_test_setup(what_another_has_set_since_stays, set_up),
        cmocka_unit_test_setup(it_stays_in_a_table_made_anew, set_up),
        cmocka_unit_test_setup(what_another_sets_meanwhile_stays, set_up),
        cmocka_unit_test_setup(what_comes_where_nothing_was_seen_stays, set_up),
        cmocka_unit_test_setup(what_was_seen_makes_way, set_up),
        cmocka_unit_test(the_rule_is_read_as_it_was_written),
        cmocka_unit_test(what_does_not_deny_is_not_taken_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
