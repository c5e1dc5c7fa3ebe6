/*
 * All backends together: which one a node gets, and what the verbs do across them. One of them holds
 * everything, so that there is one verdict for others, and a skeleton is made only where none stands: an
 * ADD's guard goes to the one that does, and only sync moves all to the one that is configured. Everything
 * but making guards looks in all, so that a node that changes its mind leaves nothing behind.
 */
#ifndef IMDS_GUARD_KERNEL_BACKENDS_H
#define IMDS_GUARD_KERNEL_BACKENDS_H

#include "guard/config.h"
#include "kernel/backend.h"
#include "kernel/holdings.h"

/*
 * The backend that new guards go into: the configured one; with AUTO nftables if it holds guards
 * already, or packets are to be rejected, or IPVS may send some, which it alone can judge; else iptables
 * if legacy tables are live in this namespace (/proc/self/net/ip_tables_names is not empty); else
 * nftables. Creates no table by looking, and never fails: whether it works shows when it is applied,
 * and either guards whatever the node's own rules are written in.
 */
const struct backend *backend_choose(const struct config *config);

/*
 * An ADD's plan (not terms->exactly): made to hold where a skeleton stands, whichever is configured. Where
 * none does, in the configured one; where both do, in nftables, which gets all there is then for whoever may
 * pass. What stands in one that does not work, or does not take the plan, is moved to the other one, if the
 * configuration allows that; with AUTO also from iptables while IPVS may send packets; where it cannot be
 * moved, nobody who may pass is added. Errors: as apply's; of two that fail the first one's, with the other
 * one's in the details.
 */
must_use int guards_add(const struct config *config, const struct plan *plan,
                        const struct terms *terms, struct error *err);

/*
 * Makes the plans hold in the chosen backend, and moves there what the other one holds beside them: at no
 * moment is neither in force, and an exemption not in both. `seen` (may be NULL): what was held when the
 * plans were made (struct terms); of what the other one held then and does not any more, which a DEL has
 * lifted, nothing comes back. Errors as apply's, and ERROR_TRY_AGAIN if others change the other one all
 * the time; one that cannot be read or emptied is none.
 */
must_use int guards_apply(const struct backend *chosen, const struct plan *plans, size_t plan_count,
                          const struct terms *terms, const struct holdings *seen,
                          struct error *err);

/*
 * The same in *chosen (backend_choose), or, where AUTO leaves the choice and that one does not work, in
 * the other one, which is *chosen then; not where it would have worked but for another that kept it
 * waiting (ERROR_TRY_AGAIN). Errors: the first one's, with the other
 * one's in the details.
 */
must_use int guards_apply_as(const struct config *config, const struct backend **chosen,
                             const struct plan *plans, size_t plan_count, const struct terms *terms,
                             const struct holdings *seen, struct error *err);

/*
 * Whether guards_apply_as (with terms->exactly) or guards_add could work here and now (probe); changes
 * nothing. Errors: ERROR_KERNEL, in the same words.
 */
must_use int guards_probe_as(const struct config *config, const struct terms *terms,
                             struct error *err);

/* remove, in every backend; tries all before it reports the first error. */
must_use int guards_remove(const struct selection *selection, const struct terms *terms,
                           size_t *removed, struct error *err);

/* remove for one owner; `interfaces` as in struct selection. */
must_use int guards_remove_owner(const struct owner *owner,
                                 const char (*interfaces)[INTERFACE_NAME_SIZE],
                                 size_t interface_count, const struct terms *terms,
                                 struct error *err);

/*
 * Whether the kernel holds the plan, whole and in force. Errors: ERROR_GUARD_MISSING, naming each
 * thing that is wrong (guards, and the skeleton that they depend on), or what holdings_gather says.
 */
must_use int guards_check(const struct plan *plan, const struct terms *terms, struct error *err);

#endif
