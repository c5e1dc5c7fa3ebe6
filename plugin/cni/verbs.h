/*
 * The verbs, one a file. Each gets a request that request.h has checked for what the verb needs
 * (cni.c, the table), brings it about, and writes its answer, if it has one, to out.
 */
#ifndef IMDS_GUARD_VERBS_H
#define IMDS_GUARD_VERBS_H

#include "cni/request.h"
#include "guard/error.h"
#include "kernel/backend.h"

#include <stdint.h>
#include <stdio.h>

/* Guards the pod, then prints prevResult. After an error what stood before stands still, or the guard
 * that was to come does, until the DEL that the runtime owes a failed ADD. */
must_use int verb_add(const struct request *request, FILE *out, FILE *log, struct error *err);

/* Takes this owner's guards away, wherever they are. Nothing there is success. */
must_use int verb_del(const struct request *request, FILE *out, FILE *log, struct error *err);

/* ERROR_GUARD_MISSING unless the kernel holds what ADD would make it hold. */
must_use int verb_check(const struct request *request, FILE *out, FILE *log, struct error *err);

/* Takes away what this network's dead attachments left on interfaces that are gone. */
must_use int verb_gc(const struct request *request, FILE *out, FILE *log, struct error *err);

/* ERROR_NOT_AVAILABLE with the reason if ADD could not work; that a fence could not be built, which is not
 * required, is a line in the log. Changes nothing. */
must_use int verb_status(const struct request *request, FILE *out, FILE *log, struct error *err);

/* Prints the versions we speak. The request is empty. */
must_use int verb_version(const struct request *request, FILE *out, FILE *log, struct error *err);

/* What ADD makes and CHECK looks for: asks the kernel, gives up what only that
 * needed, then plans. *plan is for plan_free. */
must_use int verb_plan(const struct request *request, struct plan *plan, struct error *err);

/*
 * The exit fence. Only that needs CAP_SYS_ADMIN, so that it comes before the guards: what both need
 * (privileges.h), and giving up what the guards do not.
 */
uint64_t verb_privileges(const struct request *request);
must_use int verb_leave_fence(const struct request *request, struct error *err);

/* Has it forget links that are gone, and leaves it. It is no error if that cannot be: who is left there goes
 * with the next one that is gone, and ADD judges anew whoever has a link's index. */
must_use int verb_prune_fence(const struct request *request, struct error *err);

#endif
