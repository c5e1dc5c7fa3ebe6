/*
 * Directories under inotify(7), also ones that do not exist yet or are replaced: each directory's
 * parent is watched for it to come (back).
 */
#ifndef IMDS_GUARD_WATCH_PLACES_H
#define IMDS_GUARD_WATCH_PLACES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stddef.h>

#define PLACES_MAX 4

struct place {
    char path[4096];
    char parent[4096];
    int watch;        /* -1: not there */
    int parent_watch; /* -1: not there either */
};

struct places {
    int inotify; /* for poll(2) */
    struct place items[PLACES_MAX];
    size_t count;
};

/* For places_close. Errors: ERROR_IO. */
must_use int places_open(struct places *out, struct error *err);
void places_close(struct places *places);

/* Adds a directory; its number is the count before. Errors: ERROR_IO if the path is too long. */
must_use int places_add(struct places *places, const char *path, struct error *err);

/*
 * Watches what is there to watch. Returns a bit (1 << number) for each directory that is another
 * one than before, or is gone. To be called before the first read, and now and then as a net below
 * the net: it costs a few system calls.
 */
unsigned places_arm(struct places *places);

/* Takes all events that wait, arms anew, and returns a bit for each directory that has changed. */
unsigned places_read(struct places *places);

static inline void cleanup_places(struct places *places)
{
    places_close(places);
}

#endif
