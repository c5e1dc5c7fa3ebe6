#include "node/chain/change.h"

#include "node/chain/names.h"
#include "node/chain/replace.h"

#include <string.h>

/* How often another program may come between reading and writing before we give up. */
#define TRIES 16

int change_run(struct change *change, int (*work)(struct change *change, struct error *err),
               struct error *err)
{
    const struct install_options *options = change->options;
    cleanup(close_fd) int directory = -1;

    if (access(options->conf_dir, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (replace_lock(options->conf_dir, options->impatient ? 0 : REPLACE_PATIENCE_MS, &directory,
                     err) < 0)
        return -1;
    change->directory = directory;
    return work(change, err);
}

void change_fail(const struct change *change, const char *why)
{
    const struct notes *notes = &change->report->notes;

    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->items[i].text, why) == 0)
            return;
    change->report->failed++;
    notes_add(&change->report->notes, NOTE_PROBLEM, "%s", why);
}

/* Puts the new text into the place of the file that was read. */
static int write_text(const struct change *change, const struct conflist *conflist,
                      const char *text, bool *done, struct error *err)
{
    cleanup(replacement) struct replacement file = {.fd = -1};
    struct span span = {text, strlen(text)};

    if (span.length == conflist->length && memcmp(text, conflist->text, span.length) == 0) {
        *done = true;
        return 0;
    }
    if (S_ISLNK(conflist->stat.st_mode))
        return error_set(
            err, ERROR_INVALID_CONFIG,
            "%s is a symbolic link, and the runtime does not see when what it points to "
            "changes: put the file itself there, or use --drop-in",
            conflist->path);
    if (replacement_begin(change->directory, &conflist->stat, &file, err) < 0 ||
        replacement_write(&file, span, err) < 0 ||
        replacement_commit_over(&file, strrchr(conflist->path, '/') + 1, &conflist->stat, done,
                                err) < 0)
        return error_context(err, "%s", conflist->path);
    change->report->entry_written = change->report->entry_written || *done;
    return 0;
}

static int change_once(const struct change *change, const char *name, change_edit *edit, bool *done,
                       struct error *err)
{
    cleanup(conflist) struct conflist conflist = {0};
    cleanup(free_text) char *text = NULL;
    const size_t noted = change->report->notes.count;
    bool found = false;

    if (conflist_load(change->options->conf_dir, name, change->options->networks, &conflist, &found,
                      err) < 0)
        return -1;
    *done = true;
    if (!found)
        return 0; /* deleted since the directory was read, and stays so */
    if (edit(change, &conflist, &text, err) < 0)
        return -1;
    if (text && write_text(change, &conflist, text, done, err) < 0)
        return -1;
    if (!*done)
        notes_cut(&change->report->notes, noted);
    return 0;
}

static int change_file(const struct change *change, const char *name, change_edit *edit,
                       struct error *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        bool done = false;

        if (change_once(change, name, edit, &done, err) < 0)
            return -1;
        if (done)
            return 0;
    }
    return error_set(err, ERROR_TRY_AGAIN, "another program keeps rewriting %s/%s",
                     change->options->conf_dir, name);
}

void change_files(const struct change *change, const struct names *names, change_edit *edit)
{
    for (size_t i = 0; i < names->count; i++) {
        const size_t noted = change->report->notes.count;
        struct error why = {0};

        if (change_file(change, names->items[i], edit, &why) == 0)
            continue;
        notes_cut(&change->report->notes, noted);
        change_fail(change, why.msg);
    }
}

int change_take_out(const struct change *change, const struct conflist *conflist, const char *why,
                    char **text, struct error *err)
{
    if (conflist_remove((struct span){conflist->text, conflist->length}, text, err) < 0)
        return error_context(err, "%s", conflist->path);
    notes_add(&change->report->notes, NOTE_DONE, "%s: entry taken out%s", conflist->path, why);
    return 0;
}
