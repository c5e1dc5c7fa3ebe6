#include "kernel/iptables/guards.h"

#include <string.h>

/* What becomes of a rule of our chain. */
enum fate {
    FATE_STAYS,
    FATE_GOES,
    FATE_MOVES, /* behind the guards in front, as it is wanted */
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

static bool makes_way(const struct work *work, const struct rule *rule,
                      const struct wanted_guard *wanted)
{
    return wanted_takes_over(wanted, rule->tag, work->terms->seen);
}

static struct rule wanted_rule(const struct wanted_guard *wanted)
{
    struct rule rule = {.kind = RULE_GUARD, .guard = *wanted->guard, .tag = wanted->tag};

    rule.guard.verdict = verdict_here(rule.guard.verdict);
    return rule;
}

static struct rule others_rule(const struct terms *terms)
{
    return (struct rule){.kind = RULE_OTHERS, .guard.verdict = verdict_here(terms->others)};
}

/* Of a guard. `in_front`: nothing but guards stands before it. */
static enum fate decide(struct work *work, const struct rule *rule, bool in_front)
{
    const struct wanted_guard *wanted = wanted_find(work->wanted, rule->guard.interface);
    bool stays = in_front;

    if (!wanted) {
        if (!work->terms->seen && wanted_owns(work->wanted, rule->tag))
            return FATE_GOES;
    } else {
        bool *met = &work->met[wanted - work->wanted->guards];

        if (*met)
            return FATE_GOES;
        *met = true;
        stays = stays && (is_wanted(rule, wanted) || !makes_way(work, rule, wanted));
    }
    return stays ? FATE_STAYS : FATE_MOVES;
}

/* Of a rule for others. Behind the first one no packet gets. */
static enum fate decide_others(struct work *work, const struct rule *rule, bool in_place)
{
    if (work->met_others || rule->guard.verdict != verdict_here(work->terms->others))
        return FATE_GOES;
    work->met_others = true;
    return in_place ? FATE_STAYS : FATE_MOVES;
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

/* What a guard that stands becomes: of the same owner's with the same verdict it is the same guard, which
 * only says something else of its pod. */
static struct rule renewed(const struct work *work, const struct rule *rule)
{
    const struct wanted_guard *wanted = wanted_find(work->wanted, rule->guard.interface);
    struct rule renewed;

    if (!wanted || !makes_way(work, rule, wanted))
        return *rule;
    renewed = wanted_rule(wanted);
    if (rule->guard.verdict == renewed.guard.verdict &&
        tags_have_same_owner(rule->tag, renewed.tag)) {
        renewed.packets = rule->packets;
        renewed.bytes = rule->bytes;
    }
    return renewed;
}

static void insert(const struct work *work, size_t *position, const struct rule *rule)
{
    iptables_edits_add(work->edits, EDIT_INSERT_RULE, IPTABLES_CHAIN, (*position)++, rule);
}

static void insert_moved(const struct work *work, enum rule_kind kind, size_t *position)
{
    for (size_t i = 0; i < work->chain->rule_count; i++) {
        const struct rule *rule = &work->chain->rules[i];
        struct rule moved;

        if (work->fates[i] != FATE_MOVES || rule->kind != kind)
            continue;
        moved = kind == RULE_GUARD ? renewed(work, rule) : *rule;
        insert(work, position, &moved);
    }
}

/* Behind the guards that stand in front, which is before everything else. How many. */
static size_t insert_rules(const struct work *work)
{
    const struct rule others = others_rule(work->terms);
    size_t position = work->front;

    insert_moved(work, RULE_GUARD, &position);
    for (size_t i = 0; i < work->wanted->guard_count; i++) {
        struct rule rule = wanted_rule(&work->wanted->guards[i]);

        if (!work->met[i])
            insert(work, &position, &rule);
    }
    insert_moved(work, RULE_OTHERS, &position);
    if (!work->met_others)
        insert(work, &position, &others);
    return position - work->front;
}

/* What goes or has been inserted elsewhere: from the back, so that no edit changes the position of one that
 * is still to come. */
static void delete_rules(const struct work *work, size_t inserted)
{
    for (size_t i = work->chain->rule_count; i-- > 0;)
        if (work->fates[i] != FATE_STAYS)
            iptables_edits_add(work->edits, EDIT_DELETE_RULE, IPTABLES_CHAIN,
                               i < work->front ? i : i + inserted, NULL);
}

void iptables_guards_set(const struct snapshot *snapshot, const struct wanted *wanted,
                         const struct terms *terms, struct edits *edits)
{
    const struct chain *chain = &snapshot->own;
    cleanup(work) struct work work = {
        .chain = chain,
        .front = leading_guards(chain),
        .wanted = wanted,
        .terms = terms,
        .met = calloc(wanted->guard_count + 1, sizeof(*work.met)),
        .fates = calloc(chain->rule_count + 1, sizeof(*work.fates)),
        .edits = edits,
    };

    if (!work.met || !work.fates) {
        edits->incomplete = true;
        return;
    }
    decide_all(&work);
    /* What moves is inserted before it is deleted: its tag is where it stands. */
    delete_rules(&work, insert_rules(&work));
}

/* A guard as backend.h shows it. Written into what the caller has: there may be thousands. */
static void hold(const struct rule *rule, enum family family, struct held *out)
{
    out->guard = rule->guard;
    out->families = family;
    out->packets = rule->packets;
    out->bytes = rule->bytes;
    strcpy(out->tag, rule->tag);
}

void iptables_guards_list(const struct snapshot *snapshot, struct listing *listing)
{
    const struct chain *chain = &snapshot->own;
    struct held held = {0};

    for (size_t i = 0; i < chain->rule_count; i++) {
        if (chain->rules[i].kind != RULE_GUARD)
            continue;
        hold(&chain->rules[i], snapshot->family, &held);
        listing_add(listing, &held);
    }
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

void iptables_guards_unset(const struct snapshot *snapshot, const struct selection *selection,
                           struct edits *edits)
{
    const struct chain *chain = &snapshot->own;
    struct held held = {0};

    for (size_t i = chain->rule_count; i-- > 0;) {
        const struct rule *rule = &chain->rules[i];

        if (rule->kind != RULE_GUARD)
            continue;
        hold(rule, snapshot->family, &held);
        if (selection->goes(&held, selection->context))
            iptables_edits_add(edits, EDIT_DELETE_RULE, IPTABLES_CHAIN, i, rule);
    }
}
