#include "node/watch/log.h"

#include "node/text.h"
#include "node/watch/timestamp.h"

#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

/*
 * Whether a line can be written without waiting. To a pipe it can if PIPE_BUF bytes can (pipe(7)),
 * which is more than a line has.
 */
static bool is_read(FILE *out)
{
    struct pollfd pipe = {.fd = fileno(out), .events = POLLOUT};

    return pipe.fd < 0 || poll(&pipe, 1, 0) != 0;
}

/* False if whoever should read the log has stopped: a line is lost rather than a guard late. */
static bool print(const struct watch_log *log, const char *reason, const char *text)
{
    char when[TIMESTAMP_SIZE];

    if (!is_read(log->out))
        return false;
    timestamp_write(time(NULL), when);
    fprintf(log->out, "%s imds-guard watch: %s [%s]\n", when, text, reason);
    fflush(log->out);
    return true;
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
        if (!print(log, reason, line))
            return; /* to be said the next time */
    }
    if (new || !any) {
        free(complaint->said);
        complaint->said = new ? strdup(text) : NULL;
    }
}
