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

void notes_free(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->items[i].text);
    free(notes->items);
    *notes = (struct notes){0};
}
