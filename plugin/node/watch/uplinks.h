/*
 * Whether the exit fence still stands first. Nobody announces who puts a program before it, so that is
 * looked for every few seconds, and at once when a link comes or goes.
 */
#ifndef IMDS_GUARD_WATCH_UPLINKS_H
#define IMDS_GUARD_WATCH_UPLINKS_H

#include "kernel/backend.h"

#include <stdbool.h>
#include <stdint.h>

#define UPLINKS_POLL_MS  3000
#define UPLINKS_PAUSE_MS 100 /* after news of links, of which many come at once */

struct uplinks {
    int news;      /* for poll(2); -1: none */
    bool fenced;   /* else there is nothing to look for */
    uint64_t mark; /* fence_mark, before the fence was seen to last */
    int64_t poll;  /* when the next look is due */
};

/* Without news of links the looks stand in. For uplinks_close. */
void uplinks_open(struct uplinks *out);
void uplinks_close(struct uplinks *uplinks);

/* Before and after the fence is seen to. What has changed in between, by oneself too, makes another
 * look due. */
void uplinks_before(struct uplinks *uplinks, const struct terms *terms);
void uplinks_after(struct uplinks *uplinks, bool fenced);

/* News have come. */
void uplinks_read(struct uplinks *uplinks);

/* Looks. Whether the fence is to be seen to. */
bool uplinks_changed(struct uplinks *uplinks, const struct terms *terms);

#endif
