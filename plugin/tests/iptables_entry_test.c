#include "kernel/iptables/entry.h"
#include "kernel/iptables/family.h"

#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_comment.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TAG "aws-cni/4f3c0b/eth0 1 default/web-0"

static const struct iptables_family *const families[] = {&iptables_ipv4, &iptables_ipv6};
static const enum verdict verdicts[] = {VERDICT_DROP, VERDICT_PASS};

static struct rule guard_rule(enum verdict verdict)
{
    return (struct rule){
        .kind = RULE_GUARD,
        .guard = {.interface = "eni0123456789ab", .verdict = verdict},
        .tag = TAG,
        .packets = 7,
        .bytes = 420,
    };
}

static struct rule others_rule(enum verdict verdict)
{
    return (struct rule){.kind = RULE_OTHERS, .guard.verdict = verdict, .packets = 7, .bytes = 420};
}

static struct rule jump_rule(enum family family)
{
    struct rule rule = {.kind = RULE_JUMP};
    struct error err;

    assert_int_equal(endpoint_parse(family == FAMILY_IPV4 ? "169.254.169.254" : "fd00:ec2::/33",
                                    &rule.endpoint, &err),
                     0);
    return rule;
}

/* Where things are in an entry, found without the code under test. */
static unsigned char *target_of(const struct entry_layout *layout, union entry_bytes *entry)
{
    uint16_t offset;

    memcpy(&offset, entry->bytes + layout->target_offset, sizeof(offset));
    return entry->bytes + offset;
}

static size_t size_of(const struct entry_layout *layout, const union entry_bytes *entry)
{
    uint16_t size;

    memcpy(&size, entry->bytes + layout->next_offset, sizeof(size));
    return size;
}

static void set_target(unsigned char *target, const char *name, int verdict)
{
    memset(target + offsetof(struct xt_entry_target, u.user.name), 0, XT_EXTENSION_MAXNAMELEN);
    memcpy(target + offsetof(struct xt_entry_target, u.user.name), name, strlen(name));
    memcpy(target + offsetof(struct xt_standard_target, verdict), &verdict, sizeof(verdict));
}

/* What libiptc and the kernel make of the entry: numbers in place of the target's name. */
static union entry_bytes from_kernel(const struct entry_layout *layout, const struct rule *rule)
{
    union entry_bytes entry;
    int verdict = 4711;

    iptables_entry_build(layout, rule, &entry);
    if (rule->kind != RULE_JUMP)
        verdict = rule->guard.verdict == VERDICT_DROP ? -1 : -5; /* -NF_DROP - 1, XT_RETURN */
    set_target(target_of(layout, &entry), "", verdict);
    return entry;
}

static enum rule_kind kind_of(const struct entry_layout *layout, const union entry_bytes *entry)
{
    struct rule rule;

    iptables_entry_read(layout, entry, size_of(layout, entry), &rule);
    return rule.kind;
}

static void reads_the_guards_it_builds(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct entry_layout *layout = &families[f]->layout;

        for (size_t i = 0; i < 2; i++) {
            struct rule rule = guard_rule(verdicts[i]);
            union entry_bytes entry = from_kernel(layout, &rule);
            struct rule read;

            iptables_entry_read(layout, &entry, size_of(layout, &entry), &read);
            assert_int_equal(read.kind, RULE_GUARD);
            assert_string_equal(read.guard.interface, rule.guard.interface);
            assert_int_equal(read.guard.verdict, rule.guard.verdict);
            assert_string_equal(read.tag, TAG);
            assert_int_equal(read.packets, 7);
            assert_int_equal(read.bytes, 420);
        }
    }
}

static void reads_the_rules_for_others_it_builds(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct entry_layout *layout = &families[f]->layout;

        for (size_t i = 0; i < 2; i++) {
            struct rule rule = others_rule(verdicts[i]);
            union entry_bytes entry = from_kernel(layout, &rule);
            struct rule read;

            iptables_entry_read(layout, &entry, size_of(layout, &entry), &read);
            assert_int_equal(read.kind, RULE_OTHERS);
            assert_int_equal(read.guard.verdict, verdicts[i]);
            assert_string_equal(read.guard.interface, "");
            assert_null(read.tag);
            assert_int_equal(read.packets, 7);
            assert_int_equal(read.bytes, 420);
        }
    }
}

static void reads_the_jumps_it_builds(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct entry_layout *layout = &families[f]->layout;
        struct rule rule = jump_rule(layout->family);
        union entry_bytes entry = from_kernel(layout, &rule);
        struct rule read;

        iptables_entry_read(layout, &entry, size_of(layout, &entry), &read);
        assert_int_equal(read.kind, RULE_JUMP);
        assert_memory_equal(&read.endpoint, &rule.endpoint, sizeof(rule.endpoint));
    }
}

static void names_targets_as_libiptc_wants_them(void **state)
{
    const struct entry_layout *layout = &iptables_ipv4.layout;
    struct rule drop = guard_rule(VERDICT_DROP);
    struct rule pass = guard_rule(VERDICT_PASS);
    struct rule deny_others = others_rule(VERDICT_DROP);
    struct rule pass_others = others_rule(VERDICT_PASS);
    struct rule jump = jump_rule(FAMILY_IPV4);
    union entry_bytes entry;
    size_t name = offsetof(struct xt_entry_target, u.user.name);

    (void)state;
    iptables_entry_build(layout, &drop, &entry);
    assert_string_equal((char *)target_of(layout, &entry) + name, "DROP");
    iptables_entry_build(layout, &pass, &entry);
    assert_string_equal((char *)target_of(layout, &entry) + name, "RETURN");
    iptables_entry_build(layout, &deny_others, &entry);
    assert_string_equal((char *)target_of(layout, &entry) + name, "DROP");
    iptables_entry_build(layout, &pass_others, &entry);
    assert_string_equal((char *)target_of(layout, &entry) + name, "RETURN");
    iptables_entry_build(layout, &jump, &entry);
    assert_string_equal((char *)target_of(layout, &entry) + name, "IMDS-GUARD");
}

/* A rule that lets through what a guard would stop must never be taken for a guard. */
static void any_further_condition_makes_a_rule_foreign(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct entry_layout *layout = &families[f]->layout;
        struct rule guard = guard_rule(VERDICT_DROP);
        struct rule others = others_rule(VERDICT_DROP);
        struct rule jump = jump_rule(layout->family);

        for (size_t i = 0; i < layout->criteria_size; i++) {
            union entry_bytes entry = from_kernel(layout, &guard);
            bool in_name =
                i >= layout->interface && i < layout->interface + INTERFACE_NAME_SIZE - 1;

            entry.bytes[i] ^= 0x41;
            if (!in_name)
                assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
        }
        for (size_t i = 0; i < layout->criteria_size; i++) {
            union entry_bytes entry = from_kernel(layout, &jump);
            bool in_address =
                i >= layout->destination && i < layout->destination + layout->address_size;

            entry.bytes[i] ^= 0x41;
            if (!in_address)
                assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
        }
        for (size_t i = 0; i < layout->criteria_size; i++) {
            union entry_bytes entry = from_kernel(layout, &others);

            entry.bytes[i] ^= 0x41;
            assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
        }
    }
}

static void a_prefix_of_names_is_foreign(void **state)
{
    const struct entry_layout *layout = &iptables_ipv4.layout;
    struct rule rule = guard_rule(VERDICT_DROP);
    union entry_bytes entry;

    (void)state;
    strcpy(rule.guard.interface, "eni0");
    entry = from_kernel(layout, &rule);
    assert_int_equal(kind_of(layout, &entry), RULE_GUARD);
    entry.bytes[layout->interface_mask + 4] = 0; /* -i eni0+ */
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
}

static void other_targets_are_foreign(void **state)
{
    static const int numbers[] = {-2, -4, -6, 0, 4711, -2147483647};
    const struct entry_layout *layout = &iptables_ipv6.layout;
    const struct rule rules[] = {guard_rule(VERDICT_DROP), others_rule(VERDICT_DROP)};

    (void)state;
    for (size_t r = 0; r < 2; r++) {
        union entry_bytes entry = from_kernel(layout, &rules[r]);

        assert_int_equal(kind_of(layout, &entry), rules[r].kind);
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
            set_target(target_of(layout, &entry), "", numbers[i]);
            assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
        }
        set_target(target_of(layout, &entry), "LOG", -1);
        assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
    }
}

static void text_without_an_end_is_foreign(void **state)
{
    const struct entry_layout *layout = &iptables_ipv4.layout;
    struct rule rule = guard_rule(VERDICT_DROP);
    union entry_bytes entry = from_kernel(layout, &rule);
    unsigned char *comment = target_of(layout, &entry) - sizeof(struct xt_comment_info);

    (void)state;
    assert_string_equal((char *)comment, TAG);
    memset(comment + strlen(TAG), 'x', XT_MAX_COMMENT_LEN - strlen(TAG));
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
    comment[TAG_SIZE] = '\0'; /* it ends, but is too long for a tag */
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);

    entry = from_kernel(layout, &rule);
    memset(entry.bytes + layout->interface, 'x', INTERFACE_NAME_SIZE);
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
}

static void a_comment_that_is_no_tag_is_foreign(void **state)
{
    const struct entry_layout *layout = &iptables_ipv4.layout;
    struct rule rule = guard_rule(VERDICT_DROP);
    union entry_bytes entry;

    (void)state;
    rule.tag = "block this one";
    entry = from_kernel(layout, &rule);
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
    rule.tag = "";
    entry = from_kernel(layout, &rule);
    assert_int_equal(kind_of(layout, &entry), RULE_FOREIGN);
}

/* On the heap and of exactly the size told, so that the sanitizer sees any byte read beyond. */
static void reads_no_byte_beyond_the_size(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const struct entry_layout *layout = &families[f]->layout;
        struct rule rule = guard_rule(VERDICT_DROP);
        union entry_bytes entry = from_kernel(layout, &rule);

        for (size_t size = 0; size < size_of(layout, &entry); size++) {
            unsigned char *bytes = malloc(size + (size == 0));
            struct rule read;

            assert_non_null(bytes);
            memcpy(bytes, entry.bytes, size);
            iptables_entry_read(layout, bytes, size, &read);
            free(bytes);
            assert_int_equal(read.kind, RULE_FOREIGN);
        }
    }
}

static void offsets_that_lie_are_foreign(void **state)
{
    static const uint16_t offsets[] = {0, 1, 111, 113, 120, 399, 401, 4096, 65535};
    const struct entry_layout *layout = &iptables_ipv4.layout;
    struct rule rule = guard_rule(VERDICT_DROP);
    struct rule read;

    (void)state;
    for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        union entry_bytes entry = from_kernel(layout, &rule);
        size_t size = size_of(layout, &entry);

        memcpy(entry.bytes + layout->target_offset, &offsets[i], sizeof(offsets[i]));
        iptables_entry_read(layout, &entry, size, &read);
        assert_int_equal(read.kind, RULE_FOREIGN);
        entry = from_kernel(layout, &rule);
        memcpy(entry.bytes + layout->next_offset, &offsets[i], sizeof(offsets[i]));
        iptables_entry_read(layout, &entry, size, &read);
        assert_int_equal(read.kind, RULE_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_guards_it_builds),
        cmocka_unit_test(reads_the_rules_for_others_it_builds),
        cmocka_unit_test(reads_the_jumps_it_builds),
        cmocka_unit_test(names_targets_as_libiptc_wants_them),
        cmocka_unit_test(any_further_condition_makes_a_rule_foreign),
        cmocka_unit_test(a_prefix_of_names_is_foreign),
        cmocka_unit_test(other_targets_are_foreign),
        cmocka_unit_test(text_without_an_end_is_foreign),
        cmocka_unit_test(a_comment_that_is_no_tag_is_foreign),
        cmocka_unit_test(reads_no_byte_beyond_the_size),
        cmocka_unit_test(offsets_that_lie_are_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
