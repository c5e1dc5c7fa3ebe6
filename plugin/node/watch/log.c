#include "node/watch/log.h"

#include "node/text.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

/* Whether PIPE_BUF bytes can be written without waiting (pipe(7)). */
static bool is_read(int fd)
{
    struct pollfd pipe = {.fd = fd, .events = POLLOUT};

    return fd < 0 || poll(&pipe, 1, 0) != 0;
}

/* False if whoever should read the log has stopped: a line is lost rather than a guard late. */
static bool write_line(FILE *out, const char *line, size_t length)
{
    while (length > 0) {
        size_t part = length < PIPE_BUF ? length : PIPE_BUF;

        if (!is_read(fileno(out)))
            return false;
        if (fwrite(line, 1, part, out) != part || fflush(out) != 0)
            return true; /* a log that is broken will not get better by repeating */
        line += part;
        length -= part;
    }
    return true;
}

static void print_time(FILE *out)
{
    const time_t now = time(NULL);
    char text[32] = "";
    struct tm utc;

    if (gmtime_r(&now, &utc))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    fputs(text, out);
}

static void print_json(const struct note *note, const char *cause, const char *over, FILE *out)
{
    const bool problem = note->kind == NOTE_PROBLEM && over[0] == '\0';
    cleanup(free_text) char *what = NULL;

    fputs("{\"time\":\"", out);
    print_time(out);
    fprintf(out, "\",\"level\":\"%s\"", problem ? "warning" : "info");
    if (asprintf(&what, "%s%s", over, note->text) >= 0)
        text_member("what", what, out);
    if (note->pod)
        text_member("pod", note->pod, out);
    if (note->interface)
        text_member("interface", note->interface, out);
    text_member("cause", cause, out);
    fputs("}\n", out);
}

static bool print(const struct watch_log *log, const struct note *note, const char *cause,
                  const char *over)
{
    cleanup(free_text) char *line = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&line, &length);

    if (!out)
        return false;
    if (log->json) {
        print_json(note, cause, over, out);
    } else {
        print_time(out);
        fprintf(out, " imds-guard watch: %s%s [%s]\n", over, note->text, cause);
    }
    return fclose(out) == 0 && write_line(log->out, line, length);
}

void log_done(const struct watch_log *log, const char *cause, const char *pod,
              const char *interface, const char *format, ...)
{
    cleanup(notes) struct notes notes = {0};
    cleanup(free_text) char *text = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = log->quiet ? -1 : vasprintf(&text, format, args);
    va_end(args);
    if (length >= 0)
        notes_about(&notes, NOTE_DONE, pod, interface, "%s", text);
    if (notes.count > 0)
        print(log, notes.items, cause, "");
}

void log_all_done(const struct watch_log *log, const char *cause, const struct notes *notes)
{
    for (size_t i = 0; i < notes->count && !log->quiet; i++)
        if (notes->items[i].kind == NOTE_DONE)
            print(log, &notes->items[i], cause, "");
}

static bool have(const struct notes *notes, const struct note *note)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i].kind == NOTE_PROBLEM && strcmp(notes->items[i].text, note->text) == 0)
            return true;
    return false;
}

void log_problems(const struct watch_log *log, struct notes *told, const char *cause,
                  const struct notes *notes)
{
    for (size_t i = 0; i < told->count;) {
        if (have(notes, &told->items[i]) || !print(log, &told->items[i], cause, "no longer: "))
            i++;
        else
            notes_remove(told, i);
    }
    /* One that cannot be remembered is told again. */
    for (size_t i = 0; i < notes->count; i++) {
        const struct note *note = &notes->items[i];

        if (note->kind == NOTE_PROBLEM && !have(told, note) && print(log, note, cause, ""))
            notes_about(told, NOTE_PROBLEM, note->pod, note->interface, "%s", note->text);
    }
}

void log_problem(const struct watch_log *log, struct notes *told, const char *cause,
                 const char *text)
{
    cleanup(free_text) char *copy = text_printable(text);
    struct note note = {.kind = NOTE_PROBLEM, .text = copy};
    const struct notes notes = {.items = &note, .count = copy && copy[0] != '\0'};

    if (copy)
        log_problems(log, told, cause, &notes);
}
