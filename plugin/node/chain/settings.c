#include "node/chain/settings.h"

#include "node/chain/conflist.h"
#include "node/file.h"

#include <fcntl.h>
#include <string.h>

static int read_entry(const char *path, cJSON **out, struct error *err)
{
    cleanup(free_text) char *text = NULL;
    cleanup(json) cJSON *entry = NULL;
    struct span span = {0};

    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &text, &span.length, err) < 0)
        return -1;
    span.start = text;
    if (json_parse(span, &entry, err) < 0 ||
        (cJSON_IsObject(entry) && config_check_keys(entry, err) < 0))
        return error_context(err, "%s", path);
    *out = steal(&entry);
    return 0;
}

static int load_conflist(const char *conf_dir, struct conflist *out, struct error *err)
{
    bool found = false;

    if (conflist_load(conf_dir, out, &found, err) < 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_NOT_AVAILABLE,
                         "no conflist in %s yet: the network's own plugin has to put it there",
                         conf_dir);
    return 0;
}

static int fill(const struct conflist *conflist, const cJSON *entry, const char *path,
                struct settings *out, struct error *err)
{
    cleanup(settings) struct settings settings = {0};

    if (config_parse(entry, &settings.config, err) < 0)
        return error_context(err, "%s", path);
    settings.network = strdup(conflist->network);
    settings.path = strdup(path);
    if (!settings.network || !settings.path)
        return error_no_memory(err);
    *out = settings;
    settings = (struct settings){0};
    return 0;
}

int settings_load(const char *conf_dir, const char *config_file, struct settings *out,
                  struct error *err)
{
    cleanup(conflist) struct conflist conflist = {0};
    cleanup(json) cJSON *named = NULL;

    if (load_conflist(conf_dir, &conflist, err) < 0)
        return -1;
    if (config_file) {
        if (read_entry(config_file, &named, err) < 0)
            return -1;
        return fill(&conflist, named, config_file, out, err);
    }
    if (!conflist.entry)
        return error_set(err, ERROR_NOT_AVAILABLE,
                         "%s has no entry of type " CONFIG_PLUGIN_TYPE
                         ": run imds-guard install first",
                         conflist.path);
    return fill(&conflist, conflist.entry, conflist.path, out, err);
}

void settings_free(struct settings *settings)
{
    config_free(&settings->config);
    free(settings->network);
    free(settings->path);
    *settings = (struct settings){0};
}

struct terms settings_terms(const struct settings *settings)
{
    struct terms terms = terms_of(&settings->config);

    terms.exactly = true;
    return terms;
}
