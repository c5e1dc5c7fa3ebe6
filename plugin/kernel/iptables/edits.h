/*
 * What to change in one family's table: a list of edits, computed from a snapshot before anything
 * is touched. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_EDITS_H
#define IMDS_GUARD_IPTABLES_EDITS_H

#include "guard/error.h"
#include "kernel/iptables/rule.h"

enum edit_kind {
    EDIT_CREATE_CHAIN,
    EDIT_DELETE_RULE,
    EDIT_INSERT_RULE,
    EDIT_FLUSH_CHAIN,
    EDIT_DELETE_CHAIN,
};

struct edit {
    enum edit_kind kind;
    const char *chain;
    size_t position; /* from 0, in the chain as the edits before this one have left it */
    struct rule rule;
};

/* In the order they are to be made. A rule's tag is a plan's, or that of a rule which no edit before this one
 * deletes. */
struct edits {
    struct edit *items;
    size_t count;
    bool incomplete; /* one is missing for lack of memory: none may be made */
};

/* Appends. `rule` may be NULL where the kind needs none. */
void iptables_edits_add(struct edits *edits, enum edit_kind kind, const char *chain,
                        size_t position, const struct rule *rule);

/* For when all are added. Errors: out of memory, if it is incomplete. */
must_use int iptables_edits_complete(const struct edits *edits, struct error *err);

void iptables_edits_free(struct edits *edits);

CLEANUP_BY(edits, iptables_edits_free);

#endif
