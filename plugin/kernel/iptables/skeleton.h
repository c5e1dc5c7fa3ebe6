/*
 * The chain, and the jumps to it: what makes the rules in it work. Pure.
 */
#ifndef IMDS_GUARD_IPTABLES_SKELETON_H
#define IMDS_GUARD_IPTABLES_SKELETON_H

#include "kernel/backend.h"
#include "kernel/iptables/edits.h"

/*
 * After these edits the chain exists, and each endpoint of the family has its jump, the jumps
 * standing before everything else; there are no others of ours, and of version 0.1.0's further chain
 * nothing is left.
 */
void iptables_skeleton_make(const struct snapshot *snapshot, const struct terms *terms,
                            struct edits *edits);

/* Adds the endpoints that jumps stand for, and that the terms do not have, to listing->surplus. */
void iptables_skeleton_surplus(const struct snapshot *snapshot, const struct terms *terms,
                               struct listing *listing);

/* After these edits there are neither jumps nor chains, nor guards. */
void iptables_skeleton_unmake(const struct snapshot *snapshot, struct edits *edits);

/* True if a chain of ours exists, of whichever version. */
bool iptables_skeleton_present(const struct snapshot *snapshot);

/*
 * Adds what keeps the rules in the chain from working to listing->faults, naming `command`
 * ("iptables", "ip6tables") and the chain. With terms->endpoint_count 0 what could be missing is not
 * known, only what stands at a wrong place.
 */
void iptables_skeleton_faults(const struct snapshot *snapshot, const char *command,
                              const struct terms *terms, struct listing *listing);

#endif
