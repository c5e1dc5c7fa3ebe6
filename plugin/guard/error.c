#include "guard/error.h"

#include "guard/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    err->code = code;
    err->details[0] = '\0';
    va_start(args, format);
    vsnprintf(err->msg, sizeof(err->msg), format, args);
    va_end(args);
    utf8_scrub(err->msg);
    return -1;
}

int error_context(struct error *err, const char *format, ...)
{
    char whole[2 * sizeof(err->msg) + 2];
    size_t used = 0;
    va_list args;

    va_start(args, format);
    vsnprintf(whole, sizeof(err->msg), format, args);
    va_end(args);
    used = strlen(whole);
    snprintf(whole + used, sizeof(whole) - used, ": %s", err->msg);
    whole[sizeof(err->msg) - 1] = '\0';
    strcpy(err->msg, whole);
    utf8_scrub(err->msg);
    return -1;
}

int error_details(struct error *err, const char *format, ...)
{
    size_t used = strlen(err->details);
    va_list args;

    if (used > 0 && used + 2 < sizeof(err->details)) {
        memcpy(err->details + used, "; ", 3);
        used += 2;
    }
    va_start(args, format);
    vsnprintf(err->details + used, sizeof(err->details) - used, format, args);
    va_end(args);
    utf8_scrub(err->details + used);
    return -1;
}

int error_no_memory(struct error *err)
{
    return error_set(err, ERROR_IO, "out of memory");
}
