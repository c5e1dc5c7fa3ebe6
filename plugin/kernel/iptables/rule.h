/*
 * What stands in the legacy table `mangle`, of either family, as plain data.
 *
 * One jump for each endpoint, in first place; one rule for each guard:
 *
 *     -A FORWARD -d 169.254.169.254/32 -j IMDS-GUARD
 *     -A IMDS-GUARD -i eni0 -m comment --comment "<tag>" -j DROP
 *     -A POSTROUTING -d 169.254.169.254/32 -j IMDS-GUARD-OUT
 *     -A IMDS-GUARD-OUT -o vlan.eth.1 -m comment --comment "<tag>" -j DROP
 *
 * A guard that only counts has RETURN. A packet to anywhere else pays for the comparisons of the
 * jumps, however many guards there are; what POSTROUTING has of ours is made with the first
 * outgoing guard, and stays. Guards and jumps of exactly these forms are ours, everything else is
 * foreign and never changed, in our chains too: there guards are kept in front of what is foreign.
 */
#ifndef IMDS_GUARD_IPTABLES_RULE_H
#define IMDS_GUARD_IPTABLES_RULE_H

#include "guard/cleanup.h"
#include "guard/endpoint.h"
#include "guard/owner.h"
#include "guard/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPTABLES_TABLE "mangle"

#define DIRECTIONS 2

/* For each direction the built-in chain that is jumped from, and the chain of ours. */
struct iptables_chain_names {
    const char *hook;
    const char *own;
};

static const struct iptables_chain_names iptables_chain_names[DIRECTIONS] = {
    [DIRECTION_IN] = {"FORWARD", "IMDS-GUARD"},
    [DIRECTION_OUT] = {"POSTROUTING", "IMDS-GUARD-OUT"},
};

enum rule_kind {
    RULE_FOREIGN,
    RULE_GUARD,
    RULE_JUMP,
};

struct rule {
    enum rule_kind kind;
    struct guard guard;       /* of a jump, only the direction counts */
    char tag[TAG_SIZE];       /* of a guard; always a tag (tag_parse) */
    struct endpoint endpoint; /* of a jump */
    uint64_t packets;
    uint64_t bytes;
};

struct chain {
    bool exists;
    struct rule *rules; /* in the order they stand in */
    size_t rule_count;
};

/* One family's table at one moment, as far as it concerns us. */
struct snapshot {
    enum family family;
    struct chain hook[DIRECTIONS];
    struct chain own[DIRECTIONS];
};

void iptables_snapshot_free(struct snapshot *snapshot);

static inline void cleanup_snapshot(struct snapshot *snapshot)
{
    iptables_snapshot_free(snapshot);
}

#endif
