/*
 * How often a repair may be repeated. Pure; times are milliseconds of a clock that never goes back.
 *
 * Another program may undo a repair as soon as it is made, and would keep both busy for ever. So each
 * repair is a debt that is forgiven in time: who rewrites something now and then, or in a burst, is
 * answered at once; who does it again and again is answered as fast as debts are forgiven.
 */
#ifndef IMDS_GUARD_WATCH_PACE_H
#define IMDS_GUARD_WATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_LOOK_PAUSE  5 /* ms after a look that found nothing to do, beside its own length */
#define PACE_GLANCE_REST 4 /* times its length, after a glance: a fifth of a processor at most, */
#define PACE_GLANCE_MAX  1000 /* ms, but not longer: what is flushed meanwhile waits for that */
#define PACE_FORGIVEN    5000 /* ms until one more repair is forgiven */
#define PACE_PATIENCE    256  /* repairs that may be unforgiven before the first pause */

struct pace {
    int64_t forgiven;   /* when all repairs up to now will be */
    int64_t not_before; /* when the next look may be taken */
    bool fight;         /* from the first pause until half of the repairs are forgiven */
};

/*
 * Takes note of a look, and of whether something had to be repaired. After one for nothing the next
 * waits for as long as it took: in a storm of pods looking takes half of one processor at most.
 */
void pace_looked(struct pace *pace, int64_t began, int64_t ended, bool repaired);

#endif
