#include "kernel/iptables/skeleton.h"

#include "kernel/iptables/guards.h"

/* Whether a jump takes all packets to the endpoint: for it or, if that will do, for a network that it is
 * in. */
static bool has_jump(const struct chain *hook, const struct endpoint *endpoint, bool exactly)
{
    for (size_t i = 0; i < hook->rule_count; i++) {
        const struct rule *rule = &hook->rules[i];

        if (rule->kind == RULE_JUMP && endpoint_contains(&rule->endpoint, endpoint) &&
            (!exactly || rule->endpoint.prefix == endpoint->prefix))
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
        if (!has_jump(hook, &terms->endpoints[i], true))
            return false;
        wanted++;
    }
    return count_jumps(hook) == wanted && leading_jumps(hook) == wanted;
}

static void remove_jumps(const struct chain *hook, const char *name, struct edits *edits)
{
    for (size_t i = hook->rule_count; i-- > 0;)
        if (hook->rules[i].kind == RULE_JUMP)
            iptables_edits_add(edits, EDIT_DELETE_RULE, name, i, NULL);
}

static void insert_jumps(enum family family, const struct terms *terms, struct edits *edits)
{
    size_t position = 0;

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        struct rule rule = {.kind = RULE_JUMP, .endpoint = terms->endpoints[i]};

        if (terms->endpoints[i].family == family)
            iptables_edits_add(edits, EDIT_INSERT_RULE, IPTABLES_HOOK, position++, &rule);
    }
}

static void remove_chain(const char *name, struct edits *edits)
{
    iptables_edits_add(edits, EDIT_FLUSH_CHAIN, name, 0, NULL);
    iptables_edits_add(edits, EDIT_DELETE_CHAIN, name, 0, NULL);
}

static void remove_old(const struct snapshot *snapshot, struct edits *edits)
{
    if (!snapshot->old.exists)
        return;
    remove_jumps(&snapshot->old_hook, IPTABLES_OLD_HOOK, edits);
    remove_chain(IPTABLES_OLD_CHAIN, edits);
}

void iptables_skeleton_make(const struct snapshot *snapshot, const struct terms *terms,
                            struct edits *edits)
{
    if (!snapshot->own.exists)
        iptables_edits_add(edits, EDIT_CREATE_CHAIN, IPTABLES_CHAIN, 0, NULL);
    if (!jumps_are_right(&snapshot->hook, snapshot->family, terms)) {
        remove_jumps(&snapshot->hook, IPTABLES_HOOK, edits);
        insert_jumps(snapshot->family, terms, edits);
    }
    remove_old(snapshot, edits);
}

void iptables_skeleton_unmake(const struct snapshot *snapshot, struct edits *edits)
{
    const struct chain *own = &snapshot->own;

    remove_jumps(&snapshot->hook, IPTABLES_HOOK, edits);
    /* The guards go one by one, so that the edits tell which ones they were. */
    for (size_t i = own->rule_count; i-- > 0;)
        if (own->rules[i].kind == RULE_GUARD)
            iptables_edits_add(edits, EDIT_DELETE_RULE, IPTABLES_CHAIN, i, &own->rules[i]);
    if (own->exists)
        remove_chain(IPTABLES_CHAIN, edits);
    remove_old(snapshot, edits);
}

void iptables_skeleton_surplus(const struct snapshot *snapshot, const struct terms *terms,
                               struct listing *listing)
{
    const struct chain *hook = &snapshot->hook;

    for (size_t i = 0; i < hook->rule_count; i++)
        if (hook->rules[i].kind == RULE_JUMP)
            listing_surplus(listing, terms, &hook->rules[i].endpoint);
}

bool iptables_skeleton_present(const struct snapshot *snapshot)
{
    return snapshot->own.exists || snapshot->old.exists;
}

/* Endpoints without a jump, and no rule for others. */
static void missing_faults(const struct snapshot *snapshot, const char *command,
                           const struct terms *terms, struct listing *listing)
{
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < terms->endpoint_count; i++) {
        const struct endpoint *endpoint = &terms->endpoints[i];

        if (endpoint->family != snapshot->family || has_jump(&snapshot->hook, endpoint, false))
            continue;
        endpoint_text(endpoint, text);
        listing_fault(listing, "%s: %s of table %s has no jump to %s for %s", command,
                      IPTABLES_HOOK, IPTABLES_TABLE, IPTABLES_CHAIN, text);
    }
    if (iptables_guards_find_others(&snapshot->own) == snapshot->own.rule_count)
        listing_fault(listing,
                      "%s: %s of table %s does not end with a rule for who has no guard, whose "
                      "packets pass",
                      command, IPTABLES_CHAIN, IPTABLES_TABLE);
}

void iptables_skeleton_faults(const struct snapshot *snapshot, const char *command,
                              const struct terms *terms, struct listing *listing)
{
    const size_t leading = leading_jumps(&snapshot->hook);
    const size_t intruder = iptables_guards_intruder(&snapshot->own);

    if (!snapshot->own.exists) {
        listing_fault(listing, "%s: chain %s of table %s is missing", command, IPTABLES_CHAIN,
                      IPTABLES_TABLE);
        return;
    }
    if (terms->endpoint_count > 0)
        missing_faults(snapshot, command, terms, listing);
    if (leading < count_jumps(&snapshot->hook))
        listing_fault(listing,
                      "%s: rule %zu of %s of table %s stands before a jump to %s and can let "
                      "packets past the guards",
                      command, leading + 1, IPTABLES_HOOK, IPTABLES_TABLE, IPTABLES_CHAIN);
    if (intruder < snapshot->own.rule_count)
        listing_fault(listing,
                      "%s: rule %zu of %s of table %s is no guard and stands before guards or "
                      "the rule for who has none, which it can lift",
                      command, intruder + 1, IPTABLES_CHAIN, IPTABLES_TABLE);
}
