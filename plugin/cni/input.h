/*
 * All of a stream, within bounds of size and time.
 */
#ifndef IMDS_GUARD_INPUT_H
#define IMDS_GUARD_INPUT_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stddef.h>

/*
 * Reads `fd` to its end. *out is the caller's to free; there is no NUL after it. Errors:
 * ERROR_DECODING if there are more than `limit` bytes, ERROR_IO if reading fails or the end has not
 * come within `timeout` seconds.
 */
must_use int input_read(int fd, size_t limit, unsigned timeout, char **out, size_t *length,
                        struct error *err);

#endif
