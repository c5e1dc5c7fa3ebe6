/*
 * One sync at a time, from the reading of the configuration on: who has read it before it was changed
 * must not put it in force after who has read it since.
 */
#ifndef IMDS_GUARD_PODS_TURN_H
#define IMDS_GUARD_PODS_TURN_H

/*
 * Waits until no other sync is at work: a lock on the results directory (flock(2)), which closing the
 * descriptor lets go. Not for ever: -1, after some seconds or where there is no such directory, is to go
 * on all the same, for order is not worth a node that nobody syncs.
 */
int turn_take(const char *results_dir);

#endif
