/*
 * Every allocation of what is tried fails once, and then all from there on. What was to be done then
 * fails and says so, or the memory was not needed. Nothing leaks (the sanitizer looks).
 *
 * The linker hands our objects the __wrap_ functions (CMakeLists.txt).
 */
#ifndef IMDS_GUARD_TESTS_STARVING_H
#define IMDS_GUARD_TESTS_STARVING_H

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

static inline bool fails(void)
{
    allocations++;
    return allocations >= fail_from && allocations <= fail_to;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}

int __real_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return fails() ? -1 : __real_vasprintf(out, format, args);
}

/* What is tried: 0, or -1 with *err set. */
typedef int attempt(struct error *err);

/* Runs it until nothing that it needs is missing; `prepare` comes before each run. */
static inline void starve(attempt *once, void (*prepare)(void))
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

            prepare();
            allocations = 0;
            fail_from = from;
            fail_to = all ? (unsigned long)-1 : from;
            result = once(&err);
            fail_to = 0;
            failed |= allocations >= from;
            assert_int_equal(result, allocations >= from ? -1 : 0);
            if (result < 0)
                assert_string_equal(err.msg, "out of memory");
        }
    }
    assert_true(from > 1);
}

#endif
