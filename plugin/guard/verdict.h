/*
 * What becomes of a packet to an endpoint. Every verdict is counted.
 */
#ifndef IMDS_GUARD_VERDICT_H
#define IMDS_GUARD_VERDICT_H

#include <stdbool.h>

enum verdict {
    VERDICT_DROP,
    VERDICT_REJECT, /* the sender is told at once, where that can reach nobody else */
    VERDICT_PASS,
};

static inline bool verdict_denies(enum verdict verdict)
{
    return verdict != VERDICT_PASS;
}

static inline const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"drop", "reject", "pass"};

    return names[verdict];
}

#endif
