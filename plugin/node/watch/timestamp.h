/*
 * Times for people and logs, in UTC. gmtime_r(3) and strftime(3) would say the same, and bring time
 * zones and locales along: 32 KiB of a static binary. Pure.
 */
#ifndef IMDS_GUARD_WATCH_TIMESTAMP_H
#define IMDS_GUARD_WATCH_TIMESTAMP_H

#include <time.h>

#define TIMESTAMP_SIZE sizeof("2026-01-31T12:00:00Z")

/*
 * RFC 3339, "2026-01-31T12:00:00Z", of seconds since the epoch. What lies before 1970 or after 9999
 * (a clock that is off) becomes the first or the last second that can be written.
 */
void timestamp_write(time_t when, char out[TIMESTAMP_SIZE]);

#endif
