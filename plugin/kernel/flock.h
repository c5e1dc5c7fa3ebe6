/*
 * flock(2) with a time limit: the xtables lock, and those of directories.
 */
#ifndef IMDS_GUARD_FLOCK_H
#define IMDS_GUARD_FLOCK_H

#include "guard/cleanup.h"

/* Takes the lock on what `fd` is, for itself alone. -1 with errno: EWOULDBLOCK, not had in time. */
must_use int flock_within(int fd, unsigned timeout_ms);

#endif
