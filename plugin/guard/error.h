/*
 * The one error object of the project.
 *
 * A function that can fail takes a `struct error *` as its last parameter, returns 0 or -1, and
 * touches the error and its outputs only as far as this says: on success the error is untouched,
 * on failure the error is set and the outputs are untouched. Callers add context on the way up;
 * main prints it once. Library code never logs and never exits. What is too long is cut; what is
 * not UTF-8 (a name from outside, a cut character) becomes '?', so that an error can be printed as
 * JSON.
 */
#ifndef IMDS_GUARD_ERROR_H
#define IMDS_GUARD_ERROR_H

/* CNI specification 1.1.0, "Error": 1 to 99 are reserved, 100 and up are the plugin's own. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_INCOMPATIBLE_VERSION = 1,
    ERROR_UNSUPPORTED_FIELD = 2,
    ERROR_UNKNOWN_CONTAINER = 3,
    ERROR_INVALID_ENVIRONMENT = 4,
    ERROR_IO = 5,
    ERROR_DECODING = 6,
    ERROR_INVALID_CONFIG = 7,
    ERROR_INVALID_NETNS = 8,
    ERROR_TRY_AGAIN = 11,
    ERROR_NOT_AVAILABLE = 50,
    ERROR_NOTHING_TO_GUARD = 100, /* no interface that a guard could stand on */
    ERROR_KERNEL = 101,           /* the kernel refuses, or lacks what a guard needs */
    ERROR_GUARD_MISSING = 102,    /* CHECK: a guard is missing or wrong */
};

struct error {
    enum error_code code;
    char msg[512];      /* one sentence: what is wrong, where, what to do */
    char details[2048]; /* what a person wants to see next; may be empty, may have several lines */
};

/* Sets code and msg, empties details. Always returns -1: `return error_set(err, ...);`. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before msg. Always returns -1. */
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends to details, with "; " between what is there and what comes. Always returns -1. */
int error_details(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ERROR_IO "out of memory". Always returns -1. */
int error_no_memory(struct error *err);

#endif
