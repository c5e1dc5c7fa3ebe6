#include "kernel/iptables/guards.h"

#include <string.h>

/* What becomes of a rule of our chain. */
enum fate {
    FATE_STAYS,
    FATE_CHANGES, /* is overwritten by what is wanted on its interface */
    FATE_GOES,
    FATE_MOVES, /* to the front, with its counters */
};

/* One chain of ours on its way from what is to what is wanted. */
struct work {
    const struct chain *chain;
    const char *name;
    enum direction direction;
    const struct wanted *wanted;
    bool *met;        /* for each wanted guard: a rule stands, or will, that is it */
    enum fate *fates; /* for each rule */
    struct edits *edits;
};

static void cleanup_work(struct work *work)
{
    free(work->met);
    free(work->fates);
}

static size_t first_foreign(const struct chain *chain)
{
    size_t i = 0;

    while (i < chain->rule_count && chain->rules[i].kind == RULE_GUARD)
        i++;
    return i;
}

size_t iptables_guards_intruder(const struct chain *chain)
{
    size_t foreign = first_foreign(chain);

    for (size_t i = foreign; i < chain->rule_count; i++) {
        if (chain->rules[i].kind == RULE_GUARD)
            return foreign;
    }
    return chain->rule_count;
}

static bool is_wanted(const struct rule *rule, const struct wanted_guard *wanted)
{
    return rule->guard.verdict == wanted->guard->verdict && strcmp(rule->tag, wanted->tag) == 0;
}

static struct rule wanted_rule(const struct wanted_guard *wanted)
{
    struct rule rule = {.kind = RULE_GUARD, .guard = *wanted->guard};

    memcpy(rule.tag, wanted->tag, strlen(wanted->tag) + 1);
    return rule;
}

/* `in_front`: no foreign rule stands before this one. */
static enum fate decide(struct work *work, const struct rule *rule, bool in_front)
{
    const struct wanted_guard *wanted;
    bool *met;

    if (rule->kind != RULE_GUARD)
        return FATE_STAYS;
    wanted = wanted_find(work->wanted, &rule->guard);
    if (!wanted) {
        if (wanted_owns(work->wanted, rule->tag))
            return FATE_GOES;
        return in_front ? FATE_STAYS : FATE_MOVES;
    }
    met = &work->met[wanted - work->wanted->guards];
    if (*met)
        return FATE_GOES;
    if (is_wanted(rule, wanted) || !wanted_takes_over(wanted, rule->tag)) {
        *met = true;
        return in_front ? FATE_STAYS : FATE_MOVES;
    }
    if (!in_front)
        return FATE_GOES; /* and is made anew in front */
    *met = true;
    return FATE_CHANGES;
}

/* From the back, so that no edit changes the position of one that is still to come. */
static int edit_in_place(const struct work *work, struct error *err)
{
    for (size_t i = work->chain->rule_count; i-- > 0;) {
        const struct rule *rule = &work->chain->rules[i];
        struct rule changed;

        switch (work->fates[i]) {
        case FATE_STAYS:
            break;
        case FATE_CHANGES:
            changed = wanted_rule(wanted_find(work->wanted, &rule->guard));
            if (iptables_edits_add(work->edits, EDIT_REPLACE_RULE, work->name, i, &changed, err) <
                0)
                return -1;
            break;
        case FATE_GOES:
        case FATE_MOVES:
            if (iptables_edits_add(work->edits, EDIT_DELETE_RULE, work->name, i, NULL, err) < 0)
                return -1;
            break;
        }
    }
    return 0;
}

/* Behind the guards that stand in front, which is before everything foreign. */
static int insert_guards(const struct work *work, size_t position, struct error *err)
{
    for (size_t i = 0; i < work->chain->rule_count; i++) {
        if (work->fates[i] == FATE_MOVES &&
            iptables_edits_add(work->edits, EDIT_INSERT_RULE, work->name, position++,
                               &work->chain->rules[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < work->wanted->guard_count; i++) {
        const struct wanted_guard *wanted = &work->wanted->guards[i];
        struct rule rule = wanted_rule(wanted);

        if (wanted->guard->direction == work->direction && !work->met[i] &&
            iptables_edits_add(work->edits, EDIT_INSERT_RULE, work->name, position++, &rule, err) <
                0)
            return -1;
    }
    return 0;
}

static int set_chain(const struct snapshot *snapshot, enum direction direction,
                     const struct wanted *wanted, struct edits *edits, struct error *err)
{
    const struct chain *chain = &snapshot->own[direction];
    size_t foreign = first_foreign(chain);
    size_t standing = 0;
    cleanup(work) struct work work = {
        .chain = chain,
        .name = iptables_chain_names[direction].own,
        .direction = direction,
        .wanted = wanted,
        .met = calloc(wanted->guard_count + 1, sizeof(*work.met)),
        .fates = calloc(chain->rule_count + 1, sizeof(*work.fates)),
        .edits = edits,
    };

    if (!work.met || !work.fates)
        return error_no_memory(err);
    for (size_t i = 0; i < chain->rule_count; i++) {
        work.fates[i] = decide(&work, &chain->rules[i], i < foreign);
        if (i < foreign && (work.fates[i] == FATE_STAYS || work.fates[i] == FATE_CHANGES))
            standing++;
    }
    if (edit_in_place(&work, err) < 0)
        return -1;
    return insert_guards(&work, standing, err);
}

int iptables_guards_set(const struct snapshot *snapshot, const struct wanted *wanted,
                        struct edits *edits, struct error *err)
{
    if (set_chain(snapshot, DIRECTION_IN, wanted, edits, err) < 0)
        return -1;
    return set_chain(snapshot, DIRECTION_OUT, wanted, edits, err);
}

struct held iptables_guard_held(const struct rule *rule, enum family family)
{
    struct held held = {
        .guard = rule->guard,
        .families = family,
        .packets = rule->packets,
        .bytes = rule->bytes,
    };

    memcpy(held.tag, rule->tag, sizeof(held.tag));
    return held;
}

bool iptables_guards_list(const struct snapshot *snapshot, struct listing *listing)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        const struct chain *chain = &snapshot->own[direction];

        for (size_t i = 0; i < chain->rule_count; i++) {
            struct held held = iptables_guard_held(&chain->rules[i], snapshot->family);

            if (chain->rules[i].kind == RULE_GUARD && !listing_add(listing, &held))
                return false;
        }
    }
    return true;
}

int iptables_guards_unset(const struct snapshot *snapshot, const struct selection *selection,
                          struct edits *edits, struct error *err)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        const struct chain *chain = &snapshot->own[direction];

        for (size_t i = chain->rule_count; i-- > 0;) {
            struct held held = iptables_guard_held(&chain->rules[i], snapshot->family);

            if (chain->rules[i].kind == RULE_GUARD && selection->goes(&held, selection->context) &&
                iptables_edits_add(edits, EDIT_DELETE_RULE, iptables_chain_names[direction].own, i,
                                   &chain->rules[i], err) < 0)
                return -1;
        }
    }
    return 0;
}
