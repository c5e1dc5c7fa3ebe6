/*
 * A rule as x_tables gives it, into whose tables others write too. Input: a byte, '4' or '6' for
 * the family, seven bytes that nobody reads, so that the rest is aligned, then the entry.
 */
#include "fuzz.h"

#include "kernel/iptables/family.h"

#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>

#define PREFIX_SIZE 8

/* What libiptc makes of the target's name before the kernel sees it: a number. */
static void settle_target(const struct entry_layout *layout, const struct rule *rule,
                          union entry_bytes *entry)
{
    struct xt_standard_target target = {0};
    uint16_t offset;

    memcpy(&offset, entry->bytes + layout->target_offset, sizeof(offset));
    target.target.u.user.target_size = XT_ALIGN(sizeof(target));
    if (rule->kind != RULE_JUMP)
        target.verdict = rule->guard.verdict == VERDICT_PASS ? XT_RETURN : -NF_DROP - 1;
    memcpy(entry->bytes + offset, &target, sizeof(target));
}

/* What is taken for ours is what we would write, and reads the same again. */
static void write_again(const struct entry_layout *layout, const struct rule *rule)
{
    union entry_bytes entry;
    struct rule again;

    iptables_entry_build(layout, rule, &entry);
    settle_target(layout, rule, &entry);
    iptables_entry_read(layout, entry.bytes, sizeof(entry), &again);
    must(again.kind == rule->kind);
    must(rule->kind != RULE_GUARD || strcmp(again.tag, rule->tag) == 0);
    must(strcmp(again.guard.interface, rule->guard.interface) == 0);
    must(again.guard.verdict == rule->guard.verdict);
    must(memcmp(&again.endpoint, &rule->endpoint, sizeof(again.endpoint)) == 0);
    must(again.packets == rule->packets && again.bytes == rule->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct entry_layout *layout =
        size > 0 && data[0] == '6' ? &iptables_ipv6.layout : &iptables_ipv4.layout;
    struct rule rule;

    if (size < PREFIX_SIZE)
        return 0;
    cleanup(free_memory) void *entry = fuzz_rest(fuzz_span(data + PREFIX_SIZE, size - PREFIX_SIZE));
    iptables_entry_read(layout, entry, size - PREFIX_SIZE, &rule);
    if (rule.kind == RULE_FOREIGN)
        return 0;
    if (rule.kind == RULE_GUARD) {
        must(name_is_interface(rule.guard.interface));
        must(tag_guards(rule.tag) > 0);
    } else if (rule.kind == RULE_JUMP) {
        must(rule.endpoint.prefix > 0 && rule.endpoint.prefix <= layout->address_size * 8);
    }
    write_again(layout, &rule);
    return 0;
}
