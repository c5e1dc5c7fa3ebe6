/*
 * What stands in the legacy table `mangle`, of either family, as plain data.
 *
 * One jump for each endpoint, in first place; one rule for each guard; then the rule for others,
 * who have no guard:
 *
 *     -A FORWARD -d 169.254.169.254/32 -j IMDS-GUARD
 *     -A IMDS-GUARD -i eni0 -m comment --comment "<tag>" -j RETURN
 *     -A IMDS-GUARD -i eni1 -m comment --comment "<tag>" -j DROP
 *     -A IMDS-GUARD -j DROP
 *
 * Who may pass has RETURN. A packet to anywhere else pays for the comparisons of the jumps, however
 * many guards there are. Rules of exactly these forms are ours, everything else is foreign and never
 * changed, in our chain too: there it is kept behind ours, where it sees no packet.
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

/* The built-in chain that is jumped from, and the chain of ours. */
#define IPTABLES_HOOK  "FORWARD"
#define IPTABLES_CHAIN "IMDS-GUARD"

/* What version 0.1.0 had beside them on nodes with branch ENIs, for guards that matched where a
 * packet leaves; is only ever taken away. */
#define IPTABLES_OLD_HOOK  "POSTROUTING"
#define IPTABLES_OLD_CHAIN "IMDS-GUARD-OUT"

enum rule_kind {
    RULE_FOREIGN,
    RULE_GUARD,
    RULE_OTHERS,
    RULE_JUMP,
};

struct rule {
    enum rule_kind kind;
    struct guard guard;       /* of a guard; the rule for others has the verdict only */
    const char *tag;          /* of a guard; always a tag (tag_parse). Borrowed, see below */
    struct endpoint endpoint; /* of a jump */
    uint64_t packets;
    uint64_t bytes;
};

struct chain {
    bool exists;
    struct rule *rules; /* in the order they stand in */
    size_t rule_count;
};

/* One family's table at one moment, as far as it concerns us. Tags are where the table has them: among a
 * thousand rules most are only passed. */
struct snapshot {
    enum family family;
    struct chain hook;     /* jumps to own, and what is foreign */
    struct chain own;      /* guards, rules for others, and what is foreign */
    struct chain old;      /* only whether it exists */
    struct chain old_hook; /* jumps to old, and what is foreign; not read if old does not exist */
};

static inline void snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->hook.rules);
    free(snapshot->own.rules);
    free(snapshot->old.rules);
    free(snapshot->old_hook.rules);
    *snapshot = (struct snapshot){0};
}

CLEANUP_FREE(snapshot);

#endif
