/*
 * When a counter has moved last: the kernel counts, and keeps no times. As exact as the looks at it
 * are frequent. Pure.
 */
#ifndef IMDS_GUARD_WATCH_HITS_H
#define IMDS_GUARD_WATCH_HITS_H

#include "guard/owner.h"
#include "kernel/holdings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HITS_QUIET_SECONDS 3600 /* who has not asked for so long, and asks, is told of again */

struct hit {
    uint64_t key; /* of backend, owner, interface and verdict */
    uint64_t packets;
    time_t last; /* 0: it has not moved since the first look */
};

struct hits {
    struct hit *items; /* by key; NULL before the first look */
    size_t count;
};

/* What has moved first, or after HITS_QUIET_SECONDS. `tag` is "" for others'. */
typedef void hits_tell(void *context, const char *tag, const struct guard *guard, uint64_t packets);

/*
 * Compares with the look before; `tell` is called for verdicts that deny. The first look only
 * remembers. Without memory nothing is remembered anew.
 */
void hits_look(struct hits *hits, const struct holdings *holdings, time_t now, hits_tell *tell,
               void *context);

/* When the owner's guard was hit last; 0 if that is not known. Of others: NULL, and "" as name. */
time_t hits_last(const struct hits *hits, const char *backend, const struct owner *owner,
                 const char *interface, enum verdict verdict);

void hits_free(struct hits *hits);

#endif
