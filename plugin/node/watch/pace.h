/*
 * How often a repair may be repeated. Pure; times are milliseconds of a clock that never goes back.
 *
 * Another program may undo a repair as soon as it is made, and would keep both busy for ever.
 * Whoever rewrites the same thing again and again within moments is met with pauses that double;
 * one that rewrites it now and then, or in a burst, is answered at once.
 */
#ifndef IMDS_GUARD_WATCH_PACE_H
#define IMDS_GUARD_WATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_LOOK_PAUSE   5    /* ms after a look that found nothing to do, beside its own length */
#define PACE_FIGHT_WINDOW 1000 /* ms within which a repair that has to be made again is a fight */
#define PACE_PATIENCE     256  /* repairs in a fight before the first pause */
#define PACE_FIRST_PAUSE  10   /* ms; doubles with each repair */
#define PACE_LONGEST      5000 /* ms */

struct pace {
    unsigned streak;    /* repairs in a row, each soon after the one before */
    int64_t repaired;   /* when the last was made */
    int64_t not_before; /* when the next look may be taken */
};

/*
 * Takes note of a look, and of whether something had to be repaired. After one for nothing the next
 * waits for as long as it took: in a storm of pods looking takes half of one processor at most.
 */
void pace_looked(struct pace *pace, int64_t began, int64_t ended, bool repaired);

/* The pause after the last repair; 0 if there is none. */
int64_t pace_pause(const struct pace *pace);

#endif
