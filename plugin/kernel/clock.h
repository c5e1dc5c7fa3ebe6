/*
 * Time for waiting: milliseconds of the monotonic clock, whose zero is any moment. A deadline is
 * such a time, worked out once, before the first wait.
 */
#ifndef IMDS_GUARD_CLOCK_H
#define IMDS_GUARD_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

static inline int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: time(7) */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int64_t clock_deadline(int64_t milliseconds)
{
    return clock_now() + milliseconds;
}

/* What is left of the time until then, as poll(2) takes it; 0 if it is over. */
static inline int clock_left(int64_t deadline)
{
    int64_t left = deadline - clock_now();

    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

#endif
