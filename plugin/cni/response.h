/*
 * What goes to standard output: one JSON object, whole, or nothing. CNI specification 1.1.0,
 * "Success", "Error", "VERSION". Each returns only when the bytes have left the process.
 */
#ifndef IMDS_GUARD_RESPONSE_H
#define IMDS_GUARD_RESPONSE_H

#include "guard/error.h"
#include "guard/json.h"

#include <stdio.h>

/*
 * The result of ADD: prevResult's own bytes. Error: ERROR_IO if out does not take them; nothing of
 * them that has not gone out yet will.
 */
must_use int response_result(FILE *out, struct span result, struct error *err);

/* {cniVersion, supportedVersions}. Errors: ERROR_IO. */
must_use int response_version(FILE *out, struct error *err);

/*
 * {cniVersion, code, msg, details}. The message may hold any bytes: names come from outside. What
 * is no UTF-8 comes out as U+FFFD. `cni_version` is a position (cni_version.h). Errors: ERROR_IO.
 */
must_use int response_error(FILE *out, int cni_version, const struct error *failure,
                            struct error *err);

#endif
