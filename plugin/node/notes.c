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

int notes_add(struct notes *notes, struct error *err, enum note_kind kind, const char *format, ...)
{
    char *text = NULL;
    struct note *note;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return error_no_memory(err);
    note = array_add(&notes->items, &notes->count);
    if (!note) {
        free(text);
        return error_no_memory(err);
    }
    text_make_printable(text);
    *note = (struct note){.kind = kind, .text = text};
    return 0;
}

int notes_about(struct notes *notes, struct error *err, const char *pod, const char *interface)
{
    struct note *last = &notes->items[notes->count - 1];

    last->pod = pod ? text_printable(pod) : NULL;
    last->interface = interface ? text_printable(interface) : NULL;
    return (pod && !last->pod) || (interface && !last->interface) ? error_no_memory(err) : 0;
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
