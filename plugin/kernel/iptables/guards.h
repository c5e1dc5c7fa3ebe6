/*
 * What to set and to take away in the chain of ours in one family's table. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_GUARDS_H
#define IMDS_GUARD_IPTABLES_GUARDS_H

#include "kernel/backend.h"
#include "kernel/iptables/edits.h"
#include "kernel/wanted.h"

/*
 * The `accept` of backend.h: wanted_check, and ERROR_KERNEL for a name that ends in '+': iptables writes it
 * like the pattern "everything that begins so", and iptables-restore would make that of the guard.
 */
must_use int iptables_accept(const struct plan *plan, struct error *err);

/*
 * After these edits the chain begins with the guards, the plans' each of them once, behind which
 * stands one rule for others, with the terms' verdict; unless terms->seen, guards of the plans'
 * owners that the plans lack are gone; other guards stand as before. What was right keeps its
 * counters, whatever its tag says beside the owner, and what was not begins at 0.
 */
void iptables_guards_set(const struct snapshot *snapshot, const struct wanted *wanted,
                         const struct terms *terms, struct edits *edits);

/* Takes away the guards that the selection names, but does not look at `everything`. */
void iptables_guards_unset(const struct snapshot *snapshot, const struct selection *selection,
                           struct edits *edits);

/* Adds all guards to listing->held. */
void iptables_guards_list(const struct snapshot *snapshot, struct listing *listing);

/*
 * Adds the rule for others to listing->others, which begins as zeroes; where there is none, others
 * pass.
 */
void iptables_guards_others(const struct snapshot *snapshot, struct listing *listing);

/* The first rule for others; the number of rules if there is none. */
size_t iptables_guards_find_others(const struct chain *chain);

/*
 * The first rule that is no guard, if guards stand behind it, or if it is foreign and the rule for
 * others stands behind it; else the number of rules.
 */
size_t iptables_guards_intruder(const struct chain *chain);

#endif
