/*
 * The chains, and the jumps to them: what makes guards work. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_SKELETON_H
#define IMDS_GUARD_IPTABLES_SKELETON_H

#include "kernel/backend.h"
#include "kernel/iptables/edits.h"

/*
 * After these edits the chain exists, and each endpoint of the family has its jump, the jumps
 * standing before everything else; there are no others of ours. The same for outgoing guards if
 * there will be any (`outgoing`) or their chain exists: only nodes with branch ENIs have any, and a
 * jump costs every packet of a node something.
 */
must_use int iptables_skeleton_make(const struct snapshot *snapshot, const struct terms *terms,
                                    bool outgoing, struct edits *edits, struct error *err);

/*
 * Adds the endpoints that jumps stand for, and that the terms do not have, to listing->surplus.
 * False if out of memory.
 */
must_use bool iptables_skeleton_surplus(const struct snapshot *snapshot, const struct terms *terms,
                                        struct listing *listing);

/* After these edits there are neither jumps nor chains, nor guards. */
must_use int iptables_skeleton_unmake(const struct snapshot *snapshot, struct edits *edits,
                                      struct error *err);

/* True if a chain of ours exists. */
bool iptables_skeleton_present(const struct snapshot *snapshot);

/*
 * Adds what keeps guards from working to listing->faults, naming `command` ("iptables",
 * "ip6tables") and the chain. No chain for outgoing guards is no fault: there are none. False if out
 * of memory.
 */
must_use bool iptables_skeleton_faults(const struct snapshot *snapshot, const char *command,
                                       const struct terms *terms, struct listing *listing);

#endif
