#include "node/chain/install.h"

#include "guard/cni_version.h"
#include "guard/config.h"
#include "node/chain/change.h"
#include "node/chain/directory.h"
#include "node/chain/entry.h"
#include "node/chain/replace.h"

#include <stdio.h>
#include <string.h>

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
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

/* What the entry should say: what the operator says, else what it says already, else
 * what is known, else the default. */
static int choose_entry(const struct change *change, const struct conflist *conflist,
                        struct span *out, struct error *err)
{
    struct error why;

    if (change->config) {
        *out = span_of(change->config);
        return 0;
    }
    if (!conflist->entry) {
        *out = span_of(change->spare ? change->spare : ENTRY_DEFAULT);
        return 0;
    }
    if (entry_check(conflist->entry, &why) == 0) {
        *out = conflist->entry_text;
        return 0;
    }
    error_context(&why, "the " CONFIG_PLUGIN_TYPE " entry of %s (correct it, or give --config)",
                  conflist->entry_path);
    if (!change->spare) {
        *err = why;
        return -1;
    }
    *out = span_of(change->spare);
    notes_add(&change->report->notes, NOTE_DONE, "%s: what was in force is put back", why.msg);
    return 0;
}

/* In the list itself. What others drop in runs after all of that. */
static int put_inline(const struct change *change, const struct conflist *conflist,
                      struct span entry, char **text, struct error *err)
{
    const struct drop_ins *drop_ins = &conflist->drop_ins;
    struct notes *notes = &change->report->notes;
    const char *follower = conflist->follower;

    if (conflist_insert((struct span){conflist->text, conflist->length}, entry, text, err) < 0)
        return error_context(err, "%s", conflist->path);
    if (drop_ins->last)
        notes_add(notes, NOTE_PROBLEM,
                  "%s/%s/%s comes after the list's own plugins, and so after imds-guard: use "
                  "--drop-in",
                  change->options->conf_dir, conflist->network, drop_ins->last);
    if (strcmp(*text, conflist->text) == 0)
        notes_add(notes, NOTE_SKIPPED, "%s: entry right already", conflist->path);
    else if (follower && !drop_ins->last)
        notes_add(notes, NOTE_DONE, "%s: entry written (%s had come after it)", conflist->path,
                  follower);
    else
        notes_add(notes, NOTE_DONE, "%s: entry written", conflist->path);
    return 0;
}

/* The first pass: the entry is where it belongs, and nowhere else. */
static int put(const struct change *change, const struct conflist *conflist, char **text,
               struct error *err)
{
    struct span entry = {0};

    if (conflist->problem)
        return error_set(err, ERROR_INVALID_CONFIG, "%s", conflist->problem);
    if (!conflist->makes_pods)
        return conflist->inline_count == 0
                   ? 0
                   : change_take_out(
                         change, conflist,
                         ": the list does not make this node's pods (or its name is to be "
                         "given with --network)",
                         text, err);
    if (check_version(conflist, err) < 0 || choose_entry(change, conflist, &entry, err) < 0)
        return -1;
    if (conflist->follower)
        snprintf(change->report->follower, sizeof(change->report->follower), "%s",
                 conflist->follower);
    if (!change->options->drop_in)
        return put_inline(change, conflist, entry, text, err);
    if (conflist_ignores_drop_ins(conflist))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "%s says loadOnlyInlinedPlugins, so the runtime would not read a drop-in: "
                         "install without --drop-in",
                         conflist->path);
    return change_write_drop_in(change, conflist, entry, err);
}

/* The second pass: of two ways to be there one goes. */
static int tidy(const struct change *change, const struct conflist *conflist, char **text,
                struct error *err)
{
    if (conflist->problem)
        return error_set(err, ERROR_INVALID_CONFIG, "%s", conflist->problem);
    if (!conflist->makes_pods)
        return 0;
    change->report->lists++;
    if (!change->options->drop_in)
        return conflist->inline_count == 0 ? 0
                                           : change_remove_drop_ins(change, conflist->network,
                                                                    &conflist->drop_ins, NULL, err);
    if (conflist->inline_count == 0 || conflist->drop_ins.count == 0)
        return 0;
    return change_take_out(change, conflist, ": the drop-in takes its place", text, err);
}

static int put_everywhere(struct change *change, struct error *err)
{
    const struct install_options *options = change->options;
    cleanup(directory) struct directory directory = {0};
    cleanup(names) struct names names = {0};
    cleanup(free_text) char *spare = NULL;
    const struct conflist *list;

    if (directory_load(options->conf_dir, options->networks, &directory, err) < 0 ||
        directory_names(options->conf_dir, false, &names, err) < 0)
        return -1;
    /* For lists that have no entry: that of the others, else what the caller knows. */
    list = directory_entry(&directory, options->known_origin);
    if (list)
        spare = strndup(list->entry_text.start, list->entry_text.length);
    else if (options->known)
        spare = strdup(options->known);
    if ((list || options->known) && !spare)
        return error_no_memory(err);
    change->spare = spare;
    change_files(change, &names, put);
    change_files(change, &names, tidy);
    return 0;
}

/* The operator's entry is read and judged before anything is touched. */
int install_all(const struct install_options *options, struct install_report *report,
                struct error *err)
{
    cleanup(free_text) char *config = NULL;
    struct change change = {.options = options, .report = report, .config = options->config};

    if (options->config_file && !change.config) {
        if (entry_read(options->config_file, &config, err) < 0)
            return -1;
        change.config = config;
    }
    if (install_binary(options, report, err) < 0 || change_run(&change, put_everywhere, err) < 0)
        return -1;
    return notes_complete(&report->notes, err);
}

void install_report_free(struct install_report *report)
{
    notes_free(&report->notes);
    *report = (struct install_report){0};
}
