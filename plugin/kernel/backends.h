/*
 * All backends together: which one a node gets, and what the verbs do across them. Everything but
 * making guards looks in both, so that a node that changes its mind leaves nothing behind.
 */
#ifndef IMDS_GUARD_BACKENDS_H
#define IMDS_GUARD_BACKENDS_H

#include "guard/config.h"
#include "kernel/backend.h"

/* NULL-terminated. */
extern const struct backend *const backends[];

/*
 * The backend that new guards go into. AUTO: iptables before nftables if legacy tables are live in
 * this namespace (/proc/thread-self/net/ip_tables_names is not empty), else the other way round;
 * the first of the two that would work (probe), as either guards whatever the node's own rules are
 * written in. Creates no table by looking. Never fails: where neither would work it is the first of
 * them, so that its apply says why.
 */
const struct backend *backend_choose(enum backend_choice choice);

/*
 * Makes the plans hold in the chosen backend, then takes the same interfaces' and owners' guards
 * out of the other one: at no moment is neither in force. Errors as apply's; what fails after the
 * guard is in force (the other backend) fails as well. *first as apply's, of all backends; it is
 * set either way.
 */
must_use int guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                          const struct terms *terms, bool *first, struct error *err);

/*
 * Takes away what guards_apply has made of the plan, where it was the first: only the guards of the
 * plan's owner on the plan's interfaces. Errors as remove's.
 */
must_use int guards_undo(const struct plan *plan, const struct terms *terms, struct error *err);

/* remove, in every backend; tries all before it reports the first error. */
must_use int guards_remove(const struct selection *selection, const struct terms *terms,
                           size_t *removed, struct error *err);

/* remove for one owner; `interfaces` as in struct selection. */
must_use int guards_remove_owner(const struct owner *owner,
                                 const char (*interfaces)[INTERFACE_NAME_SIZE],
                                 size_t interface_count, const struct terms *terms,
                                 struct error *err);

/*
 * Whether the kernel holds the plan, whole and in force, in one backend or the other. Errors:
 * ERROR_GUARD_MISSING, naming each thing that is wrong (missing in a family, verdict, owner, and
 * what is wrong with the skeleton that the guards depend on), or what list says.
 */
must_use int guards_check(const struct plan *plan, const struct terms *terms, struct error *err);

#endif
