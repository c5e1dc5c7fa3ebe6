#include "node/watch/pace.h"

int64_t pace_pause(const struct pace *pace)
{
    int64_t pause = PACE_FIRST_PAUSE;

    if (pace->streak < PACE_PATIENCE)
        return 0;
    for (unsigned i = PACE_PATIENCE; i < pace->streak && pause < PACE_LONGEST; i++)
        pause *= 2;
    return pause < PACE_LONGEST ? pause : PACE_LONGEST;
}

/* Whoever was kept waiting may be late by as much again, on a node that is busy. */
static bool is_fight(const struct pace *pace, int64_t now)
{
    return pace->repaired > 0 && now - pace->repaired <= 2 * pace_pause(pace) + PACE_FIGHT_WINDOW;
}

void pace_looked(struct pace *pace, int64_t began, int64_t ended, bool repaired)
{
    int64_t rested = ended + (ended - began) + PACE_LOOK_PAUSE;

    if (!repaired) {
        pace->not_before = pace->not_before > rested ? pace->not_before : rested;
        return;
    }
    pace->streak = is_fight(pace, began) ? pace->streak + 1 : 0;
    pace->repaired = ended;
    pace->not_before = ended + pace_pause(pace);
}
