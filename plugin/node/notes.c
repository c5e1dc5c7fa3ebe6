#include "node/notes.h"

#include "guard/array.h"
#include "node/text.h"

#include <stdarg.h>
#include <string.h>

static void free_note(struct note *note)
{
    free(note->text);
    free(note->pod);
    free(note->interface);
}

void notes_about(struct notes *notes, enum note_kind kind, const char *pod, const char *interface,
                 const char *format, ...)
{
    struct note note = {.kind = kind};
    struct note *added = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&note.text, format, args) < 0)
        note.text = NULL;
    va_end(args);
    note.pod = pod ? text_printable(pod) : NULL;
    note.interface = interface ? text_printable(interface) : NULL;
    if (note.text && (note.pod || !pod) && (note.interface || !interface))
        added = array_add(&notes->items, &notes->count);
    if (!added) {
        notes->incomplete = true;
        free_note(&note);
        return;
    }
    text_make_printable(note.text);
    *added = note;
}

int notes_complete(const struct notes *notes, struct error *err)
{
    return notes->incomplete ? error_no_memory(err) : 0;
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

void notes_remove(struct notes *notes, size_t index)
{
    free_note(&notes->items[index]);
    notes->count--;
    memmove(&notes->items[index], &notes->items[index + 1],
            (notes->count - index) * sizeof(*notes->items));
}

void notes_cut(struct notes *notes, size_t count)
{
    while (notes->count > count)
        free_note(&notes->items[--notes->count]);
}

void notes_free(struct notes *notes)
{
    notes_cut(notes, 0);
    free(notes->items);
    *notes = (struct notes){0};
}
