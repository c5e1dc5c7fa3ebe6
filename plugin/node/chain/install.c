#include "node/chain/install.h"

#include "guard/cni_version.h"
#include "node/chain/conflist.h"
#include "node/chain/entry.h"
#include "node/chain/layout.h"
#include "node/chain/replace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* How often another program may come between reading and writing before we give up. */
#define TRIES 16

/* One change of the directory under its lock. */
struct change {
    const struct install_options *options;
    const char *config; /* the operator's entry, or NULL */
    int directory;      /* locked */
    const struct conflist *conflist;
    bool written; /* out: something had to change */
    bool done;    /* out: false: another program has written meanwhile, start over */
};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static const char *file_name(const struct conflist *conflist)
{
    return strrchr(conflist->path, '/') + 1;
}

/* Puts the new text into the place of the conflist that was read. */
static int write_conflist(struct change *change, const char *text, struct error *err)
{
    const struct conflist *conflist = change->conflist;
    cleanup(replacement) struct replacement file = {.fd = -1};

    if (strlen(text) == conflist->length && memcmp(text, conflist->text, conflist->length) == 0) {
        change->done = true;
        return 0;
    }
    if (S_ISLNK(conflist->stat.st_mode))
        return error_set(
            err, ERROR_INVALID_CONFIG,
            "%s is a symbolic link, and the runtime does not see when what it points to "
            "changes: put the file itself there, or use --drop-in",
            conflist->path);
    if (replacement_begin(change->directory, &conflist->stat, &file, err) < 0 ||
        replacement_write(&file, span_of(text), err) < 0 ||
        replacement_commit_over(&file, file_name(conflist), &conflist->stat, &change->done, err) <
            0)
        return error_context(err, "%s", conflist->path);
    change->written = change->done;
    return 0;
}

/* What the entry should say: what the operator says, else what it says already, else
 * the default. */
static int choose_entry(const struct change *change, const cJSON *present, struct span present_text,
                        struct span *out, struct error *err)
{
    if (change->config)
        *out = span_of(change->config);
    else if (!present)
        *out = span_of(ENTRY_DEFAULT);
    else if (entry_check(present, err) < 0)
        return error_context(
            err, "the " CONFIG_PLUGIN_TYPE " entry of %s (correct it, or give --config)",
            change->conflist->path);
    else
        *out = present_text;
    return 0;
}

static int put_inline(struct change *change, struct error *err)
{
    const struct conflist *conflist = change->conflist;
    cleanup(free_text) char *text = NULL;
    struct span entry = {0};

    if (choose_entry(change, conflist->entry, conflist->entry_text, &entry, err) < 0)
        return -1;
    if (conflist_insert((struct span){conflist->text, conflist->length}, entry, &text, err) < 0)
        return error_context(err, "%s", conflist->path);
    return write_conflist(change, text, err);
}

static int lay_out(struct span entry, char **out, struct error *err)
{
    size_t length;
    FILE *stream = open_memstream(out, &length);

    if (!stream)
        return error_no_memory(err);
    layout_write(stream, entry, &layout_pretty);
    fputc('\n', stream);
    if (fclose(stream) != 0)
        return error_no_memory(err);
    return 0;
}

/* The network's own directory, made if `create`. *out is -1 if there is none. */
static int open_network(const struct change *change, bool create, int *out, struct error *err)
{
    const char *network = change->conflist->network;
    int fd;

    if (create && mkdirat(change->directory, network, 0755) < 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot make the directory %s/%s: %s",
                         change->options->conf_dir, network, strerror(errno));
    fd = openat(change->directory, network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (create || errno != ENOENT))
        return error_set(err, ERROR_IO, "cannot open the directory %s/%s: %s",
                         change->options->conf_dir, network, strerror(errno));
    *out = fd;
    return 0;
}

/*
 * containerd watches the top directory alone, and reloads on a write, rename or removal there, not
 * on a creation. So the drop-in is written there under its temporary name and renamed into the
 * network's directory, and goes away by the same door: each ends with an event that makes the
 * runtime reload.
 */
static int write_drop_in(struct change *change, struct span entry, struct error *err)
{
    struct stat like = {.st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid()};
    cleanup(replacement) struct replacement file = {.fd = -1};
    cleanup(free_text) char *text = NULL;
    cleanup(close_fd) int network = -1;

    if (lay_out(entry, &text, err) < 0 || open_network(change, true, &network, err) < 0)
        return -1;
    /* Fails, and leaves the defaults, if there is none yet. */
    (void)!fstatat(network, CONFLIST_DROP_IN, &like, AT_SYMLINK_NOFOLLOW);
    if (replacement_begin(change->directory, &like, &file, err) < 0 ||
        replacement_write(&file, span_of(text), err) < 0 ||
        replacement_commit(&file, network, CONFLIST_DROP_IN, err) < 0)
        return error_context(err, "%s/%s", change->options->conf_dir, change->conflist->network);
    change->written = true;
    return 0;
}

static int put_drop_in(struct change *change, struct error *err)
{
    const struct conflist *conflist = change->conflist;
    cleanup(json) cJSON *tree = NULL;
    struct span entry = {0};

    if (conflist_ignores_drop_ins(conflist))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "%s says loadOnlyInlinedPlugins, so the runtime would not read a drop-in: "
                         "install without --drop-in",
                         conflist->path);
    if (choose_entry(change, conflist->entry, conflist->entry_text, &entry, err) < 0 ||
        json_parse(entry, &tree, err) < 0)
        return -1;
    change->done = true;
    if (conflist->drop_in && cJSON_Compare(conflist->drop_in, tree, true))
        return 0;
    return write_drop_in(change, entry, err);
}

/* With a version that the plugin refuses, every ADD of the node would fail. */
static int check_version(const struct conflist *conflist, struct error *err)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(conflist->tree, "cniVersion");
    const cJSON *choice = cJSON_GetObjectItemCaseSensitive(conflist->tree, "cniVersions");

    /* CNI specification 1.1.0: with `cniVersions`, the runtime chooses one that it speaks. */
    if (choice || (cJSON_IsString(version) && cni_version_find(version->valuestring) >= 0))
        return 0;
    return error_set(err, ERROR_INVALID_CONFIG,
                     "%s: cniVersion is %s, and imds-guard speaks " IMDS_GUARD_CNI_VERSIONS
                     ": pods would not start",
                     conflist->path, cJSON_IsString(version) ? version->valuestring : "missing");
}

static int put(struct change *change, struct error *err)
{
    if (check_version(change->conflist, err) < 0)
        return -1;
    return change->options->drop_in ? put_drop_in(change, err) : put_inline(change, err);
}

/* See write_drop_in for the way it goes. */
static int remove_drop_in(struct change *change, struct error *err)
{
    cleanup(close_fd) int network = -1;

    if (open_network(change, false, &network, err) < 0)
        return -1;
    if (network < 0)
        return 0;
    if (renameat(network, CONFLIST_DROP_IN, change->directory, REPLACE_TEMPORARY) == 0 &&
        unlinkat(change->directory, REPLACE_TEMPORARY, 0) == 0)
        change->written = true;
    else if (errno != ENOENT)
        return error_set(err, ERROR_IO, "cannot remove %s/%s/%s: %s", change->options->conf_dir,
                         change->conflist->network, CONFLIST_DROP_IN, strerror(errno));
    /* Stays if others have something in it. */
    unlinkat(change->directory, change->conflist->network, AT_REMOVEDIR);
    return 0;
}

static int take_out(struct change *change, struct error *err)
{
    const struct conflist *conflist = change->conflist;
    cleanup(free_text) char *text = NULL;

    if (conflist_remove((struct span){conflist->text, conflist->length}, &text, err) < 0)
        return error_context(err, "%s", conflist->path);
    if (write_conflist(change, text, err) < 0)
        return -1;
    return change->done ? remove_drop_in(change, err) : 0;
}

static void report_path(const struct change *change, struct install_report *report)
{
    if (change->options->drop_in)
        snprintf(report->path, sizeof(report->path), "%s/%s/%s", change->options->conf_dir,
                 change->conflist->network, CONFLIST_DROP_IN);
    else
        snprintf(report->path, sizeof(report->path), "%s", change->conflist->path);
}

static int report_no_conflist(struct install_report *report)
{
    report->no_conflist = true;
    report->conflist_written = false;
    report->path[0] = '\0';
    return 0;
}

/* Reads the conflist and has it changed, until no other program comes between the two. */
static int change_entry(const struct install_options *options, const char *config,
                        int (*edit)(struct change *, struct error *), struct install_report *report,
                        struct error *err)
{
    cleanup(close_fd) int directory = -1;
    struct error failure;

    if (replace_lock(options->conf_dir, &directory, &failure) < 0) {
        if (errno == ENOENT)
            return report_no_conflist(report);
        *err = failure;
        return -1;
    }
    for (int tries = 0; tries < TRIES; tries++) {
        cleanup(conflist) struct conflist conflist = {0};
        struct change change = {options, config, directory, &conflist, false, false};
        bool found = false;

        if (conflist_load(options->conf_dir, &conflist, &found, &failure) < 0) {
            if (failure.code == ERROR_TRY_AGAIN)
                continue;
            *err = failure;
            return -1;
        }
        if (!found)
            return report_no_conflist(report);
        if (edit(&change, err) < 0)
            return -1;
        if (change.done) {
            report->no_conflist = false;
            report->conflist_written = change.written;
            report_path(&change, report);
            return 0;
        }
    }
    return error_set(err, ERROR_TRY_AGAIN, "another program keeps rewriting the conflist in %s",
                     options->conf_dir);
}

int install_entry(const struct install_options *options, struct install_report *report,
                  struct error *err)
{
    cleanup(free_text) char *config = NULL;

    if (options->config_file && entry_read(options->config_file, &config, err) < 0)
        return -1;
    return change_entry(options, config, put, report, err);
}

int uninstall_entry(const struct install_options *options, struct install_report *report,
                    struct error *err)
{
    return change_entry(options, NULL, take_out, report, err);
}

int install_all(const struct install_options *options, struct install_report *report,
                struct error *err)
{
    struct install_report made = {0};
    cleanup(free_text) char *config = NULL;

    if (options->config_file && entry_read(options->config_file, &config, err) < 0)
        return -1;
    if (install_binary(options, &made, err) < 0 ||
        change_entry(options, config, put, &made, err) < 0)
        return -1;
    *report = made;
    return 0;
}
