#include "kernel/iptables/skeleton.h"

#include "kernel/iptables/guards.h"
#include "kernel/surplus.h"

#include <string.h>

static bool endpoints_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && a->prefix == b->prefix &&
           memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool is_jump_to(const struct rule *rule, const struct endpoint *endpoint)
{
    return rule->kind == RULE_JUMP && endpoints_equal(&rule->endpoint, endpoint);
}

static bool has_jump(const struct chain *hook, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < hook->rule_count; i++) {
        if (is_jump_to(&hook->rules[i], endpoint))
            return true;
    }
    return false;
}

/* Whether a jump takes all packets to the endpoint, for it or for a network that it is in. */
static bool is_covered(const struct chain *hook, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < hook->rule_count; i++) {
        if (hook->rules[i].kind == RULE_JUMP &&
            endpoint_contains(&hook->rules[i].endpoint, endpoint))
            return true;
    }
    return false;
}

static size_t count_jumps(const struct chain *hook)
{
    size_t count = 0;

    for (size_t i = 0; i < hook->rule_count; i++)
        count += hook->rules[i].kind == RULE_JUMP;
    return count;
}

/* How many rules of the chain, from the first, are jumps. */
static size_t leading_jumps(const struct chain *hook)
{
    size_t count = 0;

    while (count < hook->rule_count && hook->rules[count].kind == RULE_JUMP)
        count++;
    return count;
}

/* As many jumps as endpoints, one for each, and nothing before them. */
static bool jumps_are_right(const struct chain *hook, enum family family, const struct terms *terms)
{
    size_t wanted = 0;

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        if (terms->endpoints[i].family != family)
            continue;
        if (!has_jump(hook, &terms->endpoints[i]))
            return false;
        wanted++;
    }
    return count_jumps(hook) == wanted && leading_jumps(hook) == wanted;
}

static int remove_jumps(const struct chain *hook, const char *name, struct edits *edits,
                        struct error *err)
{
    for (size_t i = hook->rule_count; i-- > 0;) {
        if (hook->rules[i].kind == RULE_JUMP &&
            iptables_edits_add(edits, EDIT_DELETE_RULE, name, i, NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int insert_jumps(enum direction direction, enum family family, const struct terms *terms,
                        struct edits *edits, struct error *err)
{
    size_t position = 0;

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        struct rule rule = {
            .kind = RULE_JUMP,
            .guard.direction = direction,
            .endpoint = terms->endpoints[i],
        };

        if (terms->endpoints[i].family == family &&
            iptables_edits_add(edits, EDIT_INSERT_RULE, iptables_chain_names[direction].hook,
                               position++, &rule, err) < 0)
            return -1;
    }
    return 0;
}

static int make_side(const struct snapshot *snapshot, enum direction direction,
                     const struct terms *terms, struct edits *edits, struct error *err)
{
    const struct iptables_chain_names *names = &iptables_chain_names[direction];
    const struct chain *hook = &snapshot->hook[direction];

    if (!snapshot->own[direction].exists &&
        iptables_edits_add(edits, EDIT_CREATE_CHAIN, names->own, 0, NULL, err) < 0)
        return -1;
    if (jumps_are_right(hook, snapshot->family, terms))
        return 0;
    if (remove_jumps(hook, names->hook, edits, err) < 0)
        return -1;
    return insert_jumps(direction, snapshot->family, terms, edits, err);
}

int iptables_skeleton_make(const struct snapshot *snapshot, const struct terms *terms,
                           bool outgoing, struct edits *edits, struct error *err)
{
    if (make_side(snapshot, DIRECTION_IN, terms, edits, err) < 0)
        return -1;
    if (!outgoing && !snapshot->own[DIRECTION_OUT].exists)
        return 0;
    return make_side(snapshot, DIRECTION_OUT, terms, edits, err);
}

/* The guards go one by one, so that the edits tell which ones they were. */
static int empty_chain(const struct chain *own, const char *name, struct edits *edits,
                       struct error *err)
{
    for (size_t i = own->rule_count; i-- > 0;) {
        if (own->rules[i].kind == RULE_GUARD &&
            iptables_edits_add(edits, EDIT_DELETE_RULE, name, i, &own->rules[i], err) < 0)
            return -1;
    }
    if (iptables_edits_add(edits, EDIT_FLUSH_CHAIN, name, 0, NULL, err) < 0)
        return -1;
    return iptables_edits_add(edits, EDIT_DELETE_CHAIN, name, 0, NULL, err);
}

int iptables_skeleton_unmake(const struct snapshot *snapshot, struct edits *edits,
                             struct error *err)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        const struct iptables_chain_names *names = &iptables_chain_names[direction];

        if (remove_jumps(&snapshot->hook[direction], names->hook, edits, err) < 0)
            return -1;
        if (snapshot->own[direction].exists &&
            empty_chain(&snapshot->own[direction], names->own, edits, err) < 0)
            return -1;
    }
    return 0;
}

bool iptables_skeleton_surplus(const struct snapshot *snapshot, const struct terms *terms,
                               struct listing *listing)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        const struct chain *hook = &snapshot->hook[direction];

        for (size_t i = 0; i < hook->rule_count; i++)
            if (hook->rules[i].kind == RULE_JUMP &&
                !surplus_add(listing, terms, &hook->rules[i].endpoint))
                return false;
    }
    return true;
}

bool iptables_skeleton_present(const struct snapshot *snapshot)
{
    return snapshot->own[DIRECTION_IN].exists || snapshot->own[DIRECTION_OUT].exists;
}

/* Endpoints without a jump. */
static bool endpoint_faults(const struct chain *hook, const struct iptables_chain_names *names,
                            enum family family, const char *command, const struct terms *terms,
                            struct listing *listing)
{
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        const struct endpoint *endpoint = &terms->endpoints[i];

        if (endpoint->family != family || is_covered(hook, endpoint))
            continue;
        endpoint_text(endpoint, text);
        if (!listing_fault(listing, "%s: %s of table %s has no jump to %s for %s", command,
                           names->hook, IPTABLES_TABLE, names->own, text))
            return false;
    }
    return true;
}

static bool order_faults(const struct chain *hook, const struct chain *own,
                         const struct iptables_chain_names *names, const char *command,
                         struct listing *listing)
{
    size_t leading = leading_jumps(hook);
    size_t intruder = iptables_guards_intruder(own);

    if (leading < count_jumps(hook) &&
        !listing_fault(listing,
                       "%s: rule %zu of %s of table %s stands before a jump to %s and can let "
                       "packets past the guards",
                       command, leading + 1, names->hook, IPTABLES_TABLE, names->own))
        return false;
    return intruder == own->rule_count ||
           listing_fault(listing,
                         "%s: rule %zu of %s of table %s is no guard and stands before guards, "
                         "which it can lift",
                         command, intruder + 1, names->own, IPTABLES_TABLE);
}

bool iptables_skeleton_faults(const struct snapshot *snapshot, const char *command,
                              const struct terms *terms, struct listing *listing)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        const struct iptables_chain_names *names = &iptables_chain_names[direction];
        const struct chain *hook = &snapshot->hook[direction];
        const struct chain *own = &snapshot->own[direction];

        if (!own->exists) {
            if (direction == DIRECTION_IN &&
                !listing_fault(listing, "%s: chain %s of table %s is missing", command, names->own,
                               IPTABLES_TABLE))
                return false;
            continue;
        }
        if (terms->endpoint_count > 0 &&
            !endpoint_faults(hook, names, snapshot->family, command, terms, listing))
            return false;
        if (!order_faults(hook, own, names, command, listing))
            return false;
    }
    return true;
}
