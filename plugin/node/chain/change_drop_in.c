/*
 * containerd watches the top directory alone, and reloads on a write, rename or removal there, not
 * on a creation. So a drop-in is written there under its temporary name and renamed into the
 * network's directory, and goes away by the same door: each ends with an event that makes the
 * runtime reload.
 */
#include "node/chain/change.h"

#include "node/chain/replace.h"

#include <fcntl.h>
#include <string.h>

/* The network's own directory, made if `create`. */
static int open_network(const struct change *change, const char *network, bool create, int *out,
                        struct error *err)
{
    int fd;

    if (create && mkdirat(change->directory, network, 0755) < 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot make the directory %s/%s: %m",
                         change->options->conf_dir, network);
    fd = openat(change->directory, network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open the directory %s/%s: %m",
                         change->options->conf_dir, network);
    *out = fd;
    return 0;
}

static int write_file(const struct change *change, int network, const char *name, struct span entry,
                      struct error *err)
{
    struct stat like = {.st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid()};
    cleanup(replacement) struct replacement file = {.fd = -1};

    /* Fails, and leaves the defaults, if there is none yet. */
    (void)!fstatat(network, name, &like, AT_SYMLINK_NOFOLLOW);
    if (replacement_begin(change->directory, &like, &file, err) < 0 ||
        replacement_write(&file, entry, err) < 0 ||
        replacement_write(&file, (struct span){"\n", 1}, err) < 0 ||
        replacement_commit(&file, network, name, err) < 0)
        return -1;
    change->report->entry_written = true;
    return 0;
}

int change_write_drop_in(const struct change *change, const struct conflist *conflist,
                         struct span entry, struct error *err)
{
    const struct drop_ins *drop_ins = &conflist->drop_ins;
    cleanup(json) cJSON *tree = NULL;
    cleanup(free_text) char *name = NULL;
    cleanup(close_fd) int network = -1;
    bool settled = false;

    /* Whether our last drop-in is the last of all and says what `entry` says. */
    if (drop_ins->count > 0 && !drop_ins_are_followed(drop_ins)) {
        if (json_parse(entry, &tree, err) < 0)
            return -1;
        settled = json_same(tree, drop_ins->ours[drop_ins->count - 1].tree);
    }
    if (settled) {
        name = strdup(drop_ins->ours[drop_ins->count - 1].name);
        if (!name)
            return error_no_memory(err);
    } else {
        if (drop_ins_last_name(drop_ins, &name, err) < 0 ||
            open_network(change, conflist->network, true, &network, err) < 0)
            return -1;
        if (write_file(change, network, name, entry, err) < 0)
            return error_context(err, "%s/%s/%s", change->options->conf_dir, conflist->network,
                                 name);
    }
    if (change_remove_drop_ins(change, conflist->network, drop_ins, name, err) < 0)
        return -1;
    notes_add(&change->report->notes, settled ? NOTE_SKIPPED : NOTE_DONE, "%s/%s/%s: entry %s",
              change->options->conf_dir, conflist->network, name,
              settled ? "right already" : "written");
    return 0;
}

int change_remove_drop_ins(const struct change *change, const char *network,
                           const struct drop_ins *drop_ins, const char *but, struct error *err)
{
    cleanup(close_fd) int directory = -1;

    if (drop_ins->count == 0 ||
        (drop_ins->count == 1 && but && strcmp(drop_ins->ours[0].name, but) == 0))
        return 0;
    if (open_network(change, network, false, &directory, err) < 0)
        return -1;
    for (size_t i = 0; i < drop_ins->count; i++) {
        const char *name = drop_ins->ours[i].name;

        if (but && strcmp(name, but) == 0)
            continue;
        if (renameat(directory, name, change->directory, REPLACE_TEMPORARY) == 0 &&
            unlinkat(change->directory, REPLACE_TEMPORARY, 0) == 0)
            change->report->entry_written = true;
        else if (errno != ENOENT)
            return error_set(err, ERROR_IO, "cannot remove %s/%s/%s: %m", change->options->conf_dir,
                             network, name);
        notes_add(&change->report->notes, NOTE_DONE, "%s/%s/%s: removed", change->options->conf_dir,
                  network, name);
    }
    /* Stays if others have something in it. */
    if (!but)
        unlinkat(change->directory, network, AT_REMOVEDIR);
    return 0;
}
