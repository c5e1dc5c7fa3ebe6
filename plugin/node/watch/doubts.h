/*
 * Attachments that are not as they should be, though nothing of theirs is open. At a pod's end its
 * guard goes first, then its links, then libcni's file: in between it looks like damage. So each gets
 * the time in which a deletion ends by itself. Pure; times are milliseconds (kernel/clock.h).
 */
#ifndef IMDS_GUARD_WATCH_DOUBTS_H
#define IMDS_GUARD_WATCH_DOUBTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOUBT_MS 5000 /* from the first doubt until it is acted upon */

/* Of an attachment, by the name of libcni's file. */
struct doubt {
    char *file;
    int64_t ripe; /* when it is to be acted upon */
    bool met;     /* since doubts_begin */
    bool acted;   /* that was so already, and it is still met: nothing more to wait for */
};

struct doubts {
    struct doubt *items;
    size_t count;
};

/* There is one, if there was none. */
void doubts_add(struct doubts *doubts, const char *file, int64_t now);

/* The same in a look at everything. True if it has lasted long enough to be acted upon. */
bool doubts_meet(struct doubts *doubts, const char *file, int64_t now);

/* There is a doubt that no deletion explains: to be acted upon at once. */
void doubts_press(struct doubts *doubts, const char *file, int64_t now);

/* It is as it should be, or it has ended. */
void doubts_settle(struct doubts *doubts, const char *file);

/* Around a look at everything: what was not met in between has ended. */
void doubts_begin(struct doubts *doubts);
void doubts_end(struct doubts *doubts);

/* When the next of them is ripe; `never` if there is none to wait for. */
int64_t doubts_next(const struct doubts *doubts, int64_t never);

#endif
