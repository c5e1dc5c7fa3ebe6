/*
 * Every allocation of what is tried fails once, and then all from there on. What was to be done then
 * fails and says so, or the memory was not needed. Nothing leaks (the sanitizer looks).
 */
#ifndef IMDS_GUARD_TESTS_STARVING_H
#define IMDS_GUARD_TESTS_STARVING_H

#include "failing_memory.h"

#include "guard/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned long allocations; /* so far, in the call under test */
static unsigned long fail_from;   /* this one fails; counted from 1 */
static unsigned long fail_to;

static bool memory_fails(void)
{
    allocations++;
    return allocations >= fail_from && allocations <= fail_to;
}

/* From here on the `from`th allocation is refused, or all from there on. */
static inline void memory_ends(unsigned long from, bool all)
{
    allocations = 0;
    fail_from = from;
    fail_to = all ? (unsigned long)-1 : from;
}

/* Until here. Whether one was. */
static inline bool memory_is_back(void)
{
    fail_to = 0;
    return allocations >= fail_from;
}

/* What is tried: 0, or -1 with *err set. */
typedef int attempt(struct error *err);

/*
 * Runs it until nothing that it needs is missing; `prepare` (may be NULL) comes before each run. How many
 * allocations it needs.
 */
static inline unsigned long starve(attempt *once, void (*prepare)(void))
{
    unsigned long from = 0;
    bool failed = true;

    while (failed) {
        from++;
        assert_true(from < 10000);
        failed = false;
        for (int all = 0; all < 2; all++) {
            struct error err = {.code = ERROR_NONE};
            int result;
            bool refused;

            if (prepare)
                prepare();
            memory_ends(from, all);
            result = once(&err);
            refused = memory_is_back();
            failed |= refused;
            assert_int_equal(result, refused ? -1 : 0);
            if (result < 0) {
                assert_int_equal(err.code, ERROR_IO);
                assert_string_equal(err.msg, "out of memory");
            }
        }
    }
    assert_true(from > 1);
    return from - 1;
}

#endif
