#include "node/chain/settings.h"

#include "node/chain/directory.h"
#include "node/chain/entry.h"

#include <string.h>

/* *done: the source, whose text is taken, can be used; else what is wrong with it is noted. */
static int try(char *text, const char *path, struct settings *settings, bool *done,
               struct error *err)
{
    cleanup(free_text) char *entry = text;
    cleanup(json) cJSON *tree = NULL;
    struct error why;

    if (!entry)
        return error_no_memory(err);
    if (json_parse((struct span){entry, strlen(entry)}, &tree, &why) < 0 ||
        config_parse(tree, &settings->config, &why) < 0) {
        error_context(&why, "%s (correct it, or give --config)", path);
        notes_add(&settings->problems, NOTE_PROBLEM, "%s", why.msg);
        return 0;
    }
    *done = true;
    settings->entry = steal(&entry);
    settings->path = strdup(path);
    return settings->path ? 0 : error_no_memory(err);
}

/* Every endpoint that one of the lists' entries has, and others are denied if one denies them. */
static int unite(const struct directory *directory, struct settings *settings, struct error *err)
{
    for (size_t i = 0; i < directory->count; i++) {
        const struct conflist *list = &directory->files[i];
        cleanup(config) struct config config = {0};
        struct endpoint *all;
        struct error unused;
        size_t count;

        if (!list->makes_pods || !list->entry || config_parse(list->entry, &config, &unused) < 0)
            continue; /* no pod starts by one that cannot be used */
        count = settings->config.endpoint_count + config.endpoint_count;
        all = reallocarray(settings->config.endpoints, count, sizeof(*all));
        if (!all)
            return error_no_memory(err);
        memcpy(&all[settings->config.endpoint_count], config.endpoints,
               config.endpoint_count * sizeof(*all));
        settings->config.endpoints = all;
        settings->config.endpoint_count = endpoints_normalise(all, count);
        settings->others_denied = settings->others_denied || verdict_denies(config_others(&config));
    }
    return 0;
}

static int add_network(struct settings *settings, const char *name, struct error *err)
{
    return names_have(&settings->networks, name) ? 0 : names_add(&settings->networks, name, err);
}

static int add_networks(const struct directory *directory, const struct names *named,
                        struct settings *settings, struct error *err)
{
    for (size_t i = 0; i < directory->count; i++) {
        const struct conflist *list = &directory->files[i];

        if (list->makes_pods && list->network && add_network(settings, list->network, err) < 0)
            return -1;
    }
    for (size_t i = 0; named && i < named->count; i++)
        if (add_network(settings, named->items[i], err) < 0)
            return -1;
    return 0;
}

/* What is to be said of one list. */
static void note_list(const struct conflist *list, struct settings *settings)
{
    struct notes *problems = &settings->problems;
    bool dropped = list->drop_ins.count > 0;

    if (list->problem || !list->makes_pods) {
        if (list->problem)
            notes_add(problems, NOTE_PROBLEM, "%s", list->problem);
        else if (list->inline_count > 0)
            notes_add(problems, NOTE_PROBLEM,
                      "%s has an entry of imds-guard and does not make this node's pods: "
                      "imds-guard install takes it out",
                      list->path);
        return;
    }
    if (!list->entry) {
        settings->unchained = true;
        notes_add(problems, NOTE_PROBLEM,
                  "%s has no entry of imds-guard: pods that start by it get no guard of "
                  "their own (run imds-guard install)",
                  list->path);
        return;
    }
    if (list->inline_count + list->drop_ins.count > 1)
        notes_add(problems, NOTE_PROBLEM,
                  "%s: %zu entries of imds-guard, %s; that of %s runs last and decides "
                  "(imds-guard install makes one of them)",
                  list->path, list->inline_count + list->drop_ins.count,
                  list->inline_count == 0 ? "all drop-ins"
                  : dropped               ? "in the list and dropped in"
                                          : "all in the list",
                  list->entry_path);
    if (list->follower)
        notes_add(problems, NOTE_PROBLEM,
                  "%s: %s comes after imds-guard, and what it changes is not guarded by name: "
                  "install with --drop-in, or have it not rewrite the file (Cilium: "
                  "cni.exclusive=false)",
                  list->path, list->follower);
}

static void note_lists(const struct directory *directory, const char *conf_dir,
                       struct settings *settings)
{
    settings->unchained = !directory_first(directory);
    if (settings->unchained)
        notes_add(&settings->problems, NOTE_PROBLEM,
                  "no conflist in %s yet that makes this node's pods (one with a plugin of "
                  "type " CONFLIST_NODE_PLUGIN
                  ", or of a network named with --network): it is for the "
                  "network's own plugin to put it there",
                  conf_dir);
    for (size_t i = 0; i < directory->count; i++)
        note_list(&directory->files[i], settings);
}

/* Each source that cannot be used is among the problems, as is that there is none. */
static int nothing(const struct settings *settings, struct error *err)
{
    const struct notes *problems = &settings->problems;

    if (notes_complete(problems, err) < 0)
        return -1;
    error_set(err, ERROR_NOT_AVAILABLE, "no configuration can be used: %s",
              problems->count > 0 ? problems->items[0].text : "there is none");
    for (size_t i = 1; i < problems->count; i++)
        error_details(err, "%s", problems->items[i].text);
    return -1;
}

static int try_list(const struct conflist *list, struct settings *settings, bool *done,
                    struct error *err)
{
    return try(strndup(list->entry_text.start, list->entry_text.length), list->entry_path, settings,
               done, err);
}

/* The sources in their order. */
static int choose(const struct settings_sources *sources, const struct directory *directory,
                  struct settings *settings, struct error *err)
{
    const struct conflist *first = directory_first(directory);
    const struct conflist *list = directory_entry(directory, sources->known_origin);
    const char *file = sources->config_file;
    char *text = NULL;
    struct error why;
    bool done = false;

    if (file && entry_read(file, &text, &why) < 0)
        notes_add(&settings->problems, NOTE_PROBLEM, "%s", why.msg);
    else if (file && try(text, file, settings, &done, err) < 0)
        return -1;
    if (done)
        return 0;
    if (first && first->entry && try_list(first, settings, &done, err) < 0)
        return -1;
    if (!done && list && list != first && try_list(list, settings, &done, err) < 0)
        return -1;
    settings->remembered = !done;
    if (!done && sources->known &&
        try(strdup(sources->known), sources->known_origin, settings, &done, err) < 0)
        return -1;
    return done ? unite(directory, settings, err) : nothing(settings, err);
}

int settings_load(const struct settings_sources *sources, struct settings *out, struct error *err)
{
    cleanup(settings) struct settings settings = {0};
    cleanup(directory) struct directory directory = {0};
    const struct conflist *first;
    struct error why;

    if (directory_load(sources->conf_dir, sources->networks, &directory, &why) < 0)
        notes_add(&settings.problems, NOTE_PROBLEM, "%s", why.msg);
    first = directory_first(&directory);
    note_lists(&directory, sources->conf_dir, &settings);
    if (choose(sources, &directory, &settings, err) < 0 ||
        add_networks(&directory, sources->networks, &settings, err) < 0 ||
        notes_complete(&settings.problems, err) < 0)
        return -1;
    if (first && first->inline_count == 0 && first->drop_ins.count > 0) {
        settings.drop_in_written = first->drop_ins.ours[first->drop_ins.count - 1].written;
        settings.drop_in = strdup(first->entry_path);
        if (!settings.drop_in)
            return error_no_memory(err);
    }
    settings.network = strdup(first                         ? first->network
                              : settings.networks.count > 0 ? settings.networks.items[0]
                                                            : "");
    if (!settings.network)
        return error_no_memory(err);
    *out = steal(&settings);
    return 0;
}

void settings_free(struct settings *settings)
{
    config_free(&settings->config);
    names_free(&settings->networks);
    free(settings->entry);
    free(settings->path);
    free(settings->network);
    free(settings->drop_in);
    notes_free(&settings->problems);
    *settings = (struct settings){0};
}

struct terms settings_terms(const struct settings *settings)
{
    struct terms terms = terms_of(&settings->config);

    if (settings->others_denied)
        terms.others = settings->config.deny;
    terms.exactly = true;
    return terms;
}
