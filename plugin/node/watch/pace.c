#include "node/watch/pace.h"

#define LIMIT ((int64_t)PACE_PATIENCE * PACE_FORGIVEN)

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void pace_looked(struct pace *pace, int64_t began, int64_t ended, bool repaired)
{
    if (repaired) {
        pace->forgiven = later(pace->forgiven, ended) + PACE_FORGIVEN;
        pace->not_before = later(ended, pace->forgiven - LIMIT);
    } else {
        pace->not_before = later(pace->not_before, ended + (ended - began) + PACE_LOOK_PAUSE);
    }
    pace->fight = pace->forgiven - ended > (pace->fight ? LIMIT / 2 : LIMIT);
}
