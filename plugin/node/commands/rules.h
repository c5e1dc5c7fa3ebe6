/*
 * All rules of ours away, if a person wants it: what `flush` and `uninstall` share.
 */
#ifndef IMDS_GUARD_COMMANDS_RULES_H
#define IMDS_GUARD_COMMANDS_RULES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdio.h>

/*
 * Asks on standard input and `out`. EXIT_OK if it is wanted; else, said on err as `command`'s:
 * EXIT_FAILED, or EXIT_USAGE where nobody can be asked.
 */
must_use int rules_confirm(const char *command, FILE *out, FILE *err);

/* Takes them away, of all backends, and the exit fence, and says so on out. Errors: guards_remove's,
 * fence_remove's; either is tried. */
must_use int rules_remove(FILE *out, struct error *err);

/* Says on out how many guards stand, and what that means once nobody is called for them any more; or
 * why that cannot be told. */
void rules_tell_kept(FILE *out);

#endif
