/*
 * What the legacy tables hold of ours, both families together.
 */
#ifndef IMDS_GUARD_IPTABLES_LISTING_H
#define IMDS_GUARD_IPTABLES_LISTING_H

#include "kernel/backend.h"

/* The `list` of backend.h. Takes no lock: a table is read in one piece. */
must_use int iptables_list(const struct terms *terms, struct listing *out, struct error *err);

#endif
