/*
 * The lock that all users of legacy tables share (iptables(8), XTABLES_LOCKFILE).
 */
#ifndef IMDS_GUARD_IPTABLES_XTABLES_LOCK_H
#define IMDS_GUARD_IPTABLES_XTABLES_LOCK_H

#include "guard/cleanup.h"
#include "guard/error.h"

#define XTABLES_LOCK_DEFAULT "/run/xtables.lock"

/* $XTABLES_LOCKFILE, or XTABLES_LOCK_DEFAULT. */
const char *xtables_lock_path(void);

/*
 * flock(2) on $XTABLES_LOCKFILE, or XTABLES_LOCK_DEFAULT. Closing *out lets it go. With a timeout
 * (milliseconds) of 0 it does not wait; while it waits it has SIGALRM and ITIMER_REAL to itself,
 * which is for a process of one thread. Errors: ERROR_TRY_AGAIN if it was not had within the time
 * (names the file and, where it can be found, the process that holds it), ERROR_IO if the file
 * cannot be opened.
 */
must_use int xtables_lock(unsigned timeout_ms, int *out, struct error *err);

/* Whether the file can be opened, or made. Makes nothing. Errors: ERROR_IO. */
must_use int xtables_lock_usable(struct error *err);

#endif
