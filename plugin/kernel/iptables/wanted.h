/*
 * What plans want (wanted.h), as far as iptables can have it. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_WANTED_H
#define IMDS_GUARD_IPTABLES_WANTED_H

#include "kernel/wanted.h"

/*
 * As wanted_make and wanted_check. ERROR_KERNEL also for a name that ends in '+': iptables writes it
 * like the pattern "everything that begins so", and iptables-restore would make that of the guard;
 * and for VERDICT_REJECT, which table mangle does not have (xt_REJECT: filter only).
 */
must_use int iptables_wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out,
                                  struct error *err);
must_use int iptables_wanted_check(const struct plan *plan, struct error *err);

#endif
