#include "kernel/iptables/guards.h"

#include <string.h>

/* What becomes of a rule of our chain. */
enum fate {
    FATE_STAYS,
    FATE_CHANGES, /* is overwritten by what is wanted in its place */
    FATE_GOES,
    FATE_MOVES, /* to the front, with its counters */
};

/* The chain on its way from what is to what is wanted. */
struct work {
    const struct chain *chain;
    size_t front; /* how many guards stand before everything else */
    const struct wanted *wanted;
    const struct terms *terms;
    bool *met;        /* for each wanted guard: a rule stands, or will, that is it */
    bool met_others;  /* the same of the rule for others */
    enum fate *fates; /* for each rule */
    struct edits *edits;
};

static void cleanup_work(struct work *work)
{
    free(work->met);
    free(work->fates);
}

int iptables_accept(const struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->guard_count; i++) {
        const char *name = plan->guards[i].interface;

        if (name[0] != '\0' && name[strlen(name) - 1] == '+')
            return error_set(
                err, ERROR_KERNEL,
                "interface '%s' cannot be guarded with iptables, which takes a name that "
                "ends in '+' for a pattern; rename it, or set \"backend\": \"nftables\"",
                name);
    }
    return wanted_check(plan, err);
}

static size_t leading_guards(const struct chain *chain)
{
    size_t i = 0;

    while (i < chain->rule_count && chain->rules[i].kind == RULE_GUARD)
        i++;
    return i;
}

size_t iptables_guards_find_others(const struct chain *chain)
{
    size_t i = 0;

    while (i < chain->rule_count && chain->rules[i].kind != RULE_OTHERS)
        i++;
    return i;
}

size_t iptables_guards_intruder(const struct chain *chain)
{
    size_t front = leading_guards(chain);

    for (size_t i = front + 1; i < chain->rule_count; i++) {
        if (chain->rules[i].kind == RULE_GUARD ||
            (chain->rules[i].kind == RULE_OTHERS && chain->rules[front].kind == RULE_FOREIGN))
            return front;
    }
    return chain->rule_count;
}

/* What cannot be rejected is dropped: REJECT is a target of the table filter alone. */
static enum verdict verdict_here(enum verdict verdict)
{
    return verdict_denies(verdict) ? VERDICT_DROP : verdict;
}

static bool is_wanted(const struct rule *rule, const struct wanted_guard *wanted)
{
    return rule->guard.verdict == verdict_here(wanted->guard->verdict) &&
           strcmp(rule->tag, wanted->tag) == 0;
}

static struct rule wanted_rule(const struct wanted_guard *wanted)
{
    struct rule rule = {.kind = RULE_GUARD, .guard = *wanted->guard, .tag = wanted->tag};

    rule.guard.verdict = verdict_here(rule.guard.verdict);
    return rule;
}

/* In place of another rule: of the same owner's with the same verdict it is the same guard, which only
 * says something else of its pod. */
static struct rule wanted_instead(const struct wanted_guard *wanted, const struct rule *rule)
{
    struct rule changed = wanted_rule(wanted);

    if (rule->guard.verdict == changed.guard.verdict &&
        tags_have_same_owner(rule->tag, changed.tag)) {
        changed.packets = rule->packets;
        changed.bytes = rule->bytes;
    }
    return changed;
}

static struct rule others_rule(const struct terms *terms)
{
    return (struct rule){.kind = RULE_OTHERS, .guard.verdict = verdict_here(terms->others)};
}

/* Of a guard. `in_front`: nothing but guards stands before it. */
static enum fate decide(struct work *work, const struct rule *rule, bool in_front)
{
    const struct wanted_guard *wanted = wanted_find(work->wanted, rule->guard.interface);
    bool *met;

    if (!wanted) {
        if (!work->terms->seen && wanted_owns(work->wanted, rule->tag))
            return FATE_GOES;
        return in_front ? FATE_STAYS : FATE_MOVES;
    }
    met = &work->met[wanted - work->wanted->guards];
    if (*met)
        return FATE_GOES;
    if (is_wanted(rule, wanted) || !wanted_takes_over(wanted, rule->tag, work->terms->seen)) {
        *met = true;
        return in_front ? FATE_STAYS : FATE_MOVES;
    }
    if (!in_front)
        return FATE_GOES; /* and is made anew in front */
    *met = true;
    return FATE_CHANGES;
}

/* Of the first rule for others; further ones see no packet and go. */
static enum fate decide_others(struct work *work, const struct rule *rule, bool in_place)
{
    bool right = rule->guard.verdict == verdict_here(work->terms->others);

    if (work->met_others)
        return FATE_GOES;
    work->met_others = in_place || right;
    if (in_place)
        return right ? FATE_STAYS : FATE_CHANGES;
    return right ? FATE_MOVES : FATE_GOES;
}

static void decide_all(struct work *work)
{
    for (size_t i = 0; i < work->chain->rule_count; i++) {
        const struct rule *rule = &work->chain->rules[i];

        if (rule->kind == RULE_GUARD)
            work->fates[i] = decide(work, rule, i < work->front);
        else if (rule->kind == RULE_OTHERS)
            work->fates[i] = decide_others(work, rule, i == work->front);
        else
            work->fates[i] = FATE_STAYS;
    }
}

/* From the back, so that no edit changes the position of one that is still to come. So many have been
 * inserted behind the guards in front. */
static int edit_in_place(const struct work *work, size_t inserted, struct error *err)
{
    for (size_t i = work->chain->rule_count; i-- > 0;) {
        const struct rule *rule = &work->chain->rules[i];
        size_t position = i < work->front ? i : i + inserted;
        enum edit_kind kind = EDIT_DELETE_RULE;
        struct rule changed;

        if (work->fates[i] == FATE_STAYS)
            continue;
        if (work->fates[i] == FATE_CHANGES) {
            kind = EDIT_REPLACE_RULE;
            changed = rule->kind == RULE_OTHERS
                          ? others_rule(work->terms)
                          : wanted_instead(wanted_find(work->wanted, rule->guard.interface), rule);
        }
        if (iptables_edits_add(work->edits, kind, IPTABLES_CHAIN, position,
                               kind == EDIT_REPLACE_RULE ? &changed : NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int insert(const struct work *work, size_t *position, const struct rule *rule,
                  struct error *err)
{
    return iptables_edits_add(work->edits, EDIT_INSERT_RULE, IPTABLES_CHAIN, (*position)++, rule,
                              err);
}

static int insert_moved(const struct work *work, enum rule_kind kind, size_t *position,
                        struct error *err)
{
    for (size_t i = 0; i < work->chain->rule_count; i++)
        if (work->fates[i] == FATE_MOVES && work->chain->rules[i].kind == kind &&
            insert(work, position, &work->chain->rules[i], err) < 0)
            return -1;
    return 0;
}

/* Behind the guards that stand in front, which is before everything else. *inserted: how many. */
static int insert_rules(const struct work *work, size_t *inserted, struct error *err)
{
    const struct rule others = others_rule(work->terms);
    size_t position = work->front;

    if (insert_moved(work, RULE_GUARD, &position, err) < 0)
        return -1;
    for (size_t i = 0; i < work->wanted->guard_count; i++) {
        struct rule rule = wanted_rule(&work->wanted->guards[i]);

        if (!work->met[i] && insert(work, &position, &rule, err) < 0)
            return -1;
    }
    if (insert_moved(work, RULE_OTHERS, &position, err) < 0)
        return -1;
    if (!work->met_others && insert(work, &position, &others, err) < 0)
        return -1;
    *inserted = position - work->front;
    return 0;
}

int iptables_guards_set(const struct snapshot *snapshot, const struct wanted *wanted,
                        const struct terms *terms, struct edits *edits, struct error *err)
{
    const struct chain *chain = &snapshot->own;
    size_t inserted = 0;
    cleanup(work) struct work work = {
        .chain = chain,
        .front = leading_guards(chain),
        .wanted = wanted,
        .terms = terms,
        .met = calloc(wanted->guard_count + 1, sizeof(*work.met)),
        .fates = calloc(chain->rule_count + 1, sizeof(*work.fates)),
        .edits = edits,
    };

    if (!work.met || !work.fates)
        return error_no_memory(err);
    decide_all(&work);
    /* What moves is written anew before it is deleted, as its tag is where it stands. */
    if (insert_rules(&work, &inserted, err) < 0)
        return -1;
    return edit_in_place(&work, inserted, err);
}

/* The guard as backend.h shows it. */
static struct held held_of(const struct rule *rule, enum family family)
{
    struct held held = {
        .guard = rule->guard,
        .families = family,
        .packets = rule->packets,
        .bytes = rule->bytes,
    };

    strcpy(held.tag, rule->tag);
    return held;
}

bool iptables_guards_list(const struct snapshot *snapshot, struct listing *listing)
{
    const struct chain *chain = &snapshot->own;

    for (size_t i = 0; i < chain->rule_count; i++) {
        struct held held;

        if (chain->rules[i].kind != RULE_GUARD)
            continue;
        held = held_of(&chain->rules[i], snapshot->family);
        if (!listing_add(listing, &held))
            return false;
    }
    return true;
}

void iptables_guards_others(const struct snapshot *snapshot, struct listing *listing)
{
    const struct chain *chain = &snapshot->own;
    const struct rule none = {.guard.verdict = VERDICT_PASS};
    size_t found = iptables_guards_find_others(chain);
    const struct rule *rule = found < chain->rule_count ? &chain->rules[found] : &none;
    struct others *others = &listing->others;

    others->verdict = rule->guard.verdict > others->verdict ? rule->guard.verdict : others->verdict;
    others->packets += rule->packets;
    others->bytes += rule->bytes;
}

int iptables_guards_unset(const struct snapshot *snapshot, const struct selection *selection,
                          struct edits *edits, struct error *err)
{
    const struct chain *chain = &snapshot->own;

    for (size_t i = chain->rule_count; i-- > 0;) {
        struct held held;

        if (chain->rules[i].kind != RULE_GUARD)
            continue;
        held = held_of(&chain->rules[i], snapshot->family);
        if (selection->goes(&held, selection->context) &&
            iptables_edits_add(edits, EDIT_DELETE_RULE, IPTABLES_CHAIN, i, &chain->rules[i], err) <
                0)
            return -1;
    }
    return 0;
}
