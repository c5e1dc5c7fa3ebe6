#include "node/watch/timestamp.h"

#include <stdbool.h>
#include <stdio.h>

#define SECONDS_A_DAY 86400
#define LAST          253402300799 /* 9999-12-31T23:59:59Z */

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_year(unsigned year)
{
    return is_leap(year) ? 366 : 365;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

void timestamp_write(time_t when, char out[TIMESTAMP_SIZE])
{
    time_t seconds = when < 0 ? 0 : when > LAST ? LAST : when;
    unsigned of_day = (unsigned)(seconds % SECONDS_A_DAY);
    unsigned days = (unsigned)(seconds / SECONDS_A_DAY);
    unsigned year = 1970, month = 1;

    for (; days >= days_of_year(year); year++)
        days -= days_of_year(year);
    for (; days >= days_of_month(year, month); month++)
        days -= days_of_month(year, month);
    /* Remainders where nothing is over: so the compiler sees that it fits. */
    snprintf(out, TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
             (days + 1) % 100, of_day / 3600 % 100, of_day / 60 % 60, of_day % 60);
}
