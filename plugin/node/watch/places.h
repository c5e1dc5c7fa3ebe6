/*
 * Directories under inotify(7), also ones that do not exist yet or are replaced: each directory's
 * parent is watched for it to come (back).
 *
 * A node may have no instance or watch left (fs.inotify.max_user_instances, max_user_watches: whoever
 * is root shares them). Such a place is polled: what its files are is compared with what they were.
 *
 * A bind mount goes on showing a directory that has been deleted and made anew beside it, and nothing
 * announces that; such a directory has no name any more (st_nlink 0, stat(2)).
 *
 * A place may also be a file that others open and close, as all users of legacy tables do with their
 * lock. Where it cannot be watched, nothing stands in: opening leaves no trace.
 */
#ifndef IMDS_GUARD_WATCH_PLACES_H
#define IMDS_GUARD_WATCH_PLACES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACES_MAX     5
#define PLACES_POLL_MS 1000 /* between two places_poll */

struct place {
    char *path;
    char *parent;
    int watch;        /* -1: not there */
    int parent_watch; /* -1: not there either */
    int refused;      /* errno of a watch that cannot be had; 0: none, and it need not be polled */
    uint64_t seen;    /* what a polled one looked like */
    bool dead;        /* a former self of the directory */
    bool is_file;
};

/*
 * Offered each name within a directory that something has happened to. True: that is taken care of,
 * and no reason to call the directory changed.
 */
typedef bool places_take(void *context, unsigned number, const char *name);

struct places {
    int inotify; /* for poll(2); -1: not to be had */
    int refused; /* errno of that; else 0 */
    struct place items[PLACES_MAX];
    size_t count;
    places_take *take; /* may be NULL; set after places_open */
    void *context;     /* handed to it */
};

/* For places_close. */
void places_open(struct places *out);
void places_close(struct places *places);

/*
 * Adds a directory, or a file, which has changed whenever somebody has closed it: one of PLACES_MAX; its
 * number is the count before. Errors: out of memory.
 */
must_use int places_add(struct places *places, const char *path, bool is_file, struct error *err);

/*
 * Watches what is there to watch. Returns a bit (1 << number) for each directory that is another
 * one than before, or is gone. To be called before the first read, and now and then as a net below
 * the net: it costs a few system calls.
 */
unsigned places_arm(struct places *places);

/* Takes all events that wait, arms anew, and returns a bit for each directory that has changed. */
unsigned places_read(struct places *places);

/* Whether places_poll is needed. It returns a bit for each polled directory that has changed. */
bool places_must_poll(const struct places *places);
unsigned places_poll(struct places *places);

/* What a person should know about how it is watched; "" if nothing. */
void places_problem(const struct places *places, char *out, size_t size);

CLEANUP_BY(places, places_close);

#endif
