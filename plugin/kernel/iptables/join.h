/* What is done in legacy tables beside our table of nf_tables, where both stand. */
#ifndef IMDS_GUARD_IPTABLES_JOIN_H
#define IMDS_GUARD_IPTABLES_JOIN_H

#include "kernel/backend.h"

/*
 * Makes the plan hold as apply does, but makes no skeleton in a family where none stands: who took them
 * away may have been cut off between the two, and a new one has none of the guards that the other
 * backend has. Errors: as apply's.
 */
must_use int iptables_join(const struct plan *plan, const struct terms *terms, struct error *err);

#endif
