#include "kernel/iptables/entry.h"

#include "guard/names.h"

#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_comment.h>
#include <string.h>

#define MATCH_HEADER_SIZE  XT_ALIGN(sizeof(struct xt_entry_match))
#define COMMENT_MATCH_SIZE (MATCH_HEADER_SIZE + XT_ALIGN(sizeof(struct xt_comment_info)))
#define TARGET_SIZE        XT_ALIGN(sizeof(struct xt_standard_target))

#define COMMENT_MATCH    "comment"
#define COMMENT_REVISION 0

/* How the standard target holds a verdict that ends a chain
 * (net/netfilter/x_tables.c, verdict_ok). */
#define TARGET_VERDICT(verdict) (-(verdict)-1)

/* -d 169.254.169.254/32 */
static void put_destination(const struct entry_layout *layout, const struct endpoint *endpoint,
                            unsigned char *entry)
{
    memcpy(entry + layout->destination, endpoint->address, layout->address_size);
    for (unsigned bit = 0; bit < endpoint->prefix && bit < layout->address_size * 8; bit++)
        entry[layout->destination_mask + bit / 8] |= (unsigned char)(0x80 >> (bit % 8));
}

/* -i eni0. The mask covers the NUL too, or the name would be a prefix ("eni0+"). */
static void put_interface(const struct entry_layout *layout, const struct guard *guard,
                          unsigned char *entry)
{
    size_t length = strnlen(guard->interface, INTERFACE_NAME_SIZE - 1);

    memcpy(entry + layout->interface, guard->interface, length);
    memset(entry + layout->interface_mask, 0xff, length + 1);
}

/* What a packet is compared with, without the matches. Expects zeroes. */
static void put_criteria(const struct entry_layout *layout, const struct rule *rule,
                         unsigned char *entry)
{
    if (rule->kind == RULE_JUMP)
        put_destination(layout, &rule->endpoint, entry);
    else if (rule->kind == RULE_GUARD)
        put_interface(layout, &rule->guard, entry);
}

/* -m comment --comment "<tag>" */
static void put_comment(const char *tag, unsigned char *match)
{
    struct xt_entry_match header = {0};
    struct xt_comment_info info = {0};

    header.u.user.match_size = COMMENT_MATCH_SIZE;
    strcpy(header.u.user.name, COMMENT_MATCH);
    header.u.user.revision = COMMENT_REVISION;
    memcpy(info.comment, tag, strnlen(tag, TAG_SIZE - 1));
    memcpy(match, &header, sizeof(header));
    memcpy(match + MATCH_HEADER_SIZE, &info, sizeof(info));
}

/* -j DROP, -j RETURN, -j IMDS-GUARD: libiptc turns the name into the standard target's number. */
static void put_target(const struct rule *rule, unsigned char *target)
{
    struct xt_standard_target standard = {0};
    const char *name;

    if (rule->kind == RULE_JUMP)
        name = IPTABLES_CHAIN;
    else
        name = verdict_denies(rule->guard.verdict) ? "DROP" : "RETURN";
    standard.target.u.user.target_size = TARGET_SIZE;
    strcpy(standard.target.u.user.name, name);
    memcpy(target, &standard, sizeof(standard));
}

void iptables_entry_build(const struct entry_layout *layout, const struct rule *rule,
                          union entry_bytes *out)
{
    size_t matches = rule->kind == RULE_GUARD ? COMMENT_MATCH_SIZE : 0;
    uint16_t target_offset = (uint16_t)(layout->size + matches);
    uint16_t next_offset = (uint16_t)(target_offset + TARGET_SIZE);
    struct xt_counters counters = {.pcnt = rule->packets, .bcnt = rule->bytes};

    memset(out, 0, sizeof(*out));
    put_criteria(layout, rule, out->bytes);
    memcpy(out->bytes + layout->target_offset, &target_offset, sizeof(target_offset));
    memcpy(out->bytes + layout->next_offset, &next_offset, sizeof(next_offset));
    memcpy(out->bytes + layout->counters, &counters, sizeof(counters));
    if (rule->kind == RULE_GUARD)
        put_comment(rule->tag, out->bytes + layout->size);
    put_target(rule, out->bytes + target_offset);
}

static bool get_destination(const struct entry_layout *layout, const unsigned char *entry,
                            struct endpoint *out)
{
    const unsigned char *mask = entry + layout->destination_mask;

    out->family = layout->family;
    memcpy(out->address, entry + layout->destination, layout->address_size);
    while (out->prefix < layout->address_size * 8 &&
           (mask[out->prefix / 8] & (0x80 >> (out->prefix % 8))))
        out->prefix++;
    return out->prefix > 0;
}

static bool get_interface(const struct entry_layout *layout, const unsigned char *entry,
                          struct guard *out)
{
    memcpy(out->interface, entry + layout->interface, INTERFACE_NAME_SIZE);
    return out->interface[INTERFACE_NAME_SIZE - 1] == '\0' && name_is_interface(out->interface);
}

/* The tag, within the entry. */
static bool get_comment(const unsigned char *match, const char **out)
{
    struct xt_entry_match header;

    memcpy(&header, match, sizeof(header));
    *out = (const char *)match + MATCH_HEADER_SIZE;
    return header.u.user.match_size == COMMENT_MATCH_SIZE &&
           header.u.user.revision == COMMENT_REVISION &&
           memcmp(header.u.user.name, COMMENT_MATCH, sizeof(COMMENT_MATCH)) == 0 &&
           strnlen(*out, TAG_SIZE) < TAG_SIZE && tag_guards(*out) > 0;
}

/* The number in a standard target; false if it is another target. */
static bool get_target(const unsigned char *target, int *verdict)
{
    struct xt_standard_target standard;

    memcpy(&standard, target, sizeof(standard));
    *verdict = standard.verdict;
    return standard.target.u.user.target_size == TARGET_SIZE &&
           standard.target.u.user.name[0] == '\0';
}

/* Whether the number is a verdict of ours, and which. */
static bool get_verdict(int number, enum verdict *out)
{
    *out = number == XT_RETURN ? VERDICT_PASS : VERDICT_DROP;
    return number == XT_RETURN || number == TARGET_VERDICT(NF_DROP);
}

/* Takes what a rule of ours has from the places where such a rule has it. */
static bool get_rule(const struct entry_layout *layout, const unsigned char *entry,
                     size_t target_offset, struct rule *out)
{
    int number;

    if (!get_target(entry + target_offset, &number))
        return false;
    if (target_offset == layout->size && number >= 0) {
        out->kind = RULE_JUMP;
        return get_destination(layout, entry, &out->endpoint);
    }
    if (!get_verdict(number, &out->guard.verdict))
        return false;
    out->kind = target_offset == layout->size ? RULE_OTHERS : RULE_GUARD;
    return out->kind == RULE_OTHERS || (target_offset == layout->size + COMMENT_MATCH_SIZE &&
                                        get_interface(layout, entry, &out->guard) &&
                                        get_comment(entry + layout->size, &out->tag));
}

static bool read_ours(const struct entry_layout *layout, const unsigned char *entry, size_t size,
                      struct rule *out)
{
    unsigned char canonical[IPTABLES_CRITERIA_SIZE];
    struct xt_counters counters;
    uint16_t target_offset;
    uint16_t next_offset;

    if (size < layout->size)
        return false;
    memcpy(&target_offset, entry + layout->target_offset, sizeof(target_offset));
    memcpy(&next_offset, entry + layout->next_offset, sizeof(next_offset));
    if (target_offset < layout->size || next_offset != target_offset + TARGET_SIZE ||
        next_offset > size)
        return false;
    if (!get_rule(layout, entry, target_offset, out))
        return false;
    /* Whatever else a packet may be compared with, a rule of ours does not have it: protocol,
     * source, inversion, a mask that makes a name a prefix. */
    memset(canonical, 0, layout->criteria_size);
    put_criteria(layout, out, canonical);
    if (memcmp(canonical, entry, layout->criteria_size) != 0)
        return false;
    memcpy(&counters, entry + layout->counters, sizeof(counters));
    out->packets = counters.pcnt;
    out->bytes = counters.bcnt;
    return true;
}

void iptables_entry_read(const struct entry_layout *layout, const void *bytes, size_t size,
                         struct rule *out)
{
    *out = (struct rule){0};
    if (!read_ours(layout, bytes, size, out))
        *out = (struct rule){.kind = RULE_FOREIGN};
}
