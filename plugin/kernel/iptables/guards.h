/*
 * Which guards to set and to take away in one family's table. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_GUARDS_H
#define IMDS_GUARD_IPTABLES_GUARDS_H

#include "kernel/backend.h"
#include "kernel/iptables/edits.h"
#include "kernel/iptables/wanted.h"

/*
 * After these edits the plans' guards stand, each interface of theirs once, in front of everything
 * foreign in our chains; guards of the plans' owners that the plans lack are gone; other guards
 * stand as before. A guard that was right keeps its counters, another one begins at 0.
 */
must_use int iptables_guards_set(const struct snapshot *snapshot, const struct wanted *wanted,
                                 struct edits *edits, struct error *err);

/* Takes away the guards that the selection names, but does not look at `everything`. */
must_use int iptables_guards_unset(const struct snapshot *snapshot,
                                   const struct selection *selection, struct edits *edits,
                                   struct error *err);

/* Adds all guards to listing->held. False if out of memory. */
must_use bool iptables_guards_list(const struct snapshot *snapshot, struct listing *listing);

/* The guard as backend.h shows it. */
struct held iptables_guard_held(const struct rule *rule, enum family family);

/* The first rule that is no guard, if guards stand behind it; else the number of rules. */
size_t iptables_guards_intruder(const struct chain *chain);

#endif
