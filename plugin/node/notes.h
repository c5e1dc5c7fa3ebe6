/*
 * What was done and what went wrong, as lines for whoever has to tell a person: commands print
 * them, watch adds time and reason. Library code itself never prints.
 */
#ifndef IMDS_GUARD_NOTES_H
#define IMDS_GUARD_NOTES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum note_kind {
    NOTE_DONE,    /* or, in a dry run, what would be done */
    NOTE_SKIPPED, /* left alone, and that is fine */
    NOTE_PROBLEM, /* somebody has to look */
};

struct note {
    enum note_kind kind;
    char *text;      /* printable ASCII, no newline */
    char *pod;       /* whom it is about, as the text has it; NULL if it is about no pod */
    char *interface; /* the guards' interfaces, with commas between; NULL: about none */
};

struct notes {
    struct note *items;
    size_t count;
    bool incomplete; /* one is lost, for lack of memory */
};

/* Adds one; each of whom it is about may be NULL. What is done does not end for a note that is lost. */
void notes_about(struct notes *notes, enum note_kind kind, const char *pod, const char *interface,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

#define notes_add(notes, kind, ...) notes_about(notes, kind, NULL, NULL, __VA_ARGS__)

/* For the end of what is noted. Errors: out of memory, if it is incomplete. */
must_use int notes_complete(const struct notes *notes, struct error *err);

/* What a command says: problems go to err, after its name, all else to out. */
void notes_print(const struct notes *notes, const char *command, FILE *out, FILE *err);

/* Forgets one; those behind it move up. */
void notes_remove(struct notes *notes, size_t index);

/* Forgets all but the first `count`. */
void notes_cut(struct notes *notes, size_t count);
void notes_free(struct notes *notes);

CLEANUP_FREE(notes);

#endif
