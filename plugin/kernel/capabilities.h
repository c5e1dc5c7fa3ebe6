/*
 * Whether this process may do what it is about to try: for a check that must not try.
 */
#ifndef IMDS_GUARD_CAPABILITIES_H
#define IMDS_GUARD_CAPABILITIES_H

#include "guard/cleanup.h"
#include "guard/error.h"

/*
 * 0 if the capability (CAP_NET_ADMIN, linux/capability.h) is effective. Errors: ERROR_KERNEL that
 * calls it `name` and says what to do.
 */
must_use int capability_check(int capability, const char *name, struct error *err);

#endif
