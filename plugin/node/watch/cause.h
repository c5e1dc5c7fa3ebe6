/*
 * Why watch looks: told with whatever the look has found, and a label of its metrics.
 */
#ifndef IMDS_GUARD_WATCH_CAUSE_H
#define IMDS_GUARD_WATCH_CAUSE_H

enum cause {
    CAUSE_NONE, /* nothing is due */
    CAUSE_START,
    CAUSE_RECHECK,
    CAUSE_CONFLIST,
    CAUSE_CONFIG,
    CAUSE_PODS,
    CAUSE_RULESET,
    CAUSE_LOCK, /* somebody has used legacy tables */
    CAUSE_UPLINKS,
    CAUSES,
};

static inline const char *cause_name(enum cause cause)
{
    static const char *const names[CAUSES] = {
        [CAUSE_NONE] = "",
        [CAUSE_START] = "start",
        [CAUSE_RECHECK] = "re-check",
        [CAUSE_CONFLIST] = "conflist changed",
        [CAUSE_CONFIG] = "configuration changed",
        [CAUSE_PODS] = "pods changed",
        [CAUSE_RULESET] = "ruleset changed",
        [CAUSE_LOCK] = "legacy tables used",
        [CAUSE_UPLINKS] = "uplinks changed",
    };

    return names[cause];
}

#endif
