#include "node/notes.h"

#include "node/text.h"

#include <stdarg.h>

int notes_add(struct notes *notes, struct error *err, enum note_kind kind, const char *format, ...)
{
    struct note *larger = reallocarray(notes->items, notes->count + 1, sizeof(*larger));
    struct note note = {.kind = kind};
    va_list args;
    int length;

    if (!larger)
        return error_no_memory(err);
    notes->items = larger;
    va_start(args, format);
    length = vasprintf(&note.text, format, args);
    va_end(args);
    if (length < 0)
        return error_no_memory(err);
    text_make_printable(note.text);
    notes->items[notes->count++] = note;
    return 0;
}

void notes_join_problems(const struct notes *notes, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < notes->count && used < size; i++)
        if (notes->items[i].kind == NOTE_PROBLEM)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "",
                                     notes->items[i].text);
}

void notes_print(const struct notes *notes, const char *command, FILE *out, FILE *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->items[i].kind == NOTE_PROBLEM)
            fprintf(err, "imds-guard %s: %s\n", command, notes->items[i].text);
        else
            fprintf(out, "%s\n", notes->items[i].text);
    }
}

void notes_cut(struct notes *notes, size_t count)
{
    while (notes->count > count)
        free(notes->items[--notes->count].text);
}

void notes_free(struct notes *notes)
{
    notes_cut(notes, 0);
    free(notes->items);
    *notes = (struct notes){0};
}
