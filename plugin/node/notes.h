/*
 * What was done and what went wrong, as lines for whoever has to tell a person: commands print
 * them, watch adds time and reason. Library code itself never prints.
 */
#ifndef IMDS_GUARD_NOTES_H
#define IMDS_GUARD_NOTES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stddef.h>
#include <stdio.h>

enum note_kind {
    NOTE_DONE,    /* or, in a dry run, what would be done */
    NOTE_SKIPPED, /* left alone, and that is fine */
    NOTE_PROBLEM, /* somebody has to look */
};

struct note {
    enum note_kind kind;
    char *text; /* printable ASCII, no newline */
};

struct notes {
    struct note *items;
    size_t count;
};

must_use int notes_add(struct notes *notes, struct error *err, enum note_kind kind,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* All problems as one text, cut to size: it is another one if any of them is new. */
void notes_join_problems(const struct notes *notes, char *out, size_t size);

/* What a command says: problems go to err, after its name, all else to out. */
void notes_print(const struct notes *notes, const char *command, FILE *out, FILE *err);

/* Forgets all but the first `count`. */
void notes_cut(struct notes *notes, size_t count);
void notes_free(struct notes *notes);

static inline void cleanup_notes(struct notes *notes)
{
    notes_free(notes);
}

#endif
