#include "node/watch_log.h"

#include "node/text.h"
#include "node/timestamp.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static void print(const struct watch_log *log, const char *reason, const char *text)
{
    char when[TIMESTAMP_SIZE];

    timestamp_write(time(NULL), when);
    fprintf(log->out, "%s imds-guard watch: %s [%s]\n", when, text, reason);
    fflush(log->out);
}

void watch_log_done(const struct watch_log *log, const char *reason, const char *format, ...)
{
    char text[2048];
    va_list args;

    if (log->quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_make_printable(text);
    print(log, reason, text);
}

void watch_log_complain(const struct watch_log *log, struct complaint *complaint,
                        const char *reason, const char *text)
{
    bool any = text && text[0] != '\0';
    bool new = any && (!complaint->said || strcmp(complaint->said, text) != 0);
    char line[2048];

    if (new) {
        snprintf(line, sizeof(line), "%s", text);
        text_make_printable(line);
        print(log, reason, line);
    }
    if (new || !any) {
        free(complaint->said);
        complaint->said = new ? strdup(text) : NULL;
    }
}
