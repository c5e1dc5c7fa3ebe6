#include "node/pods/in_force.h"

#include "node/chain/entry.h"
#include "node/pods/cache.h"

#include <string.h>

/* The entry that is in force longest into the present. */
struct last_entry {
    int64_t written;
    char *text;
};

/* Keeps none: one text is all that is wanted. */
static bool note_entry(const struct cached_attachment *attachment, void *opaque)
{
    const char *text = attachment->chain.entry;
    struct last_entry *last = opaque;
    char *copy = NULL;
    struct error ignored;
    cleanup(json) cJSON *tree = NULL;

    if (!text || (last->text && attachment->written <= last->written) ||
        json_parse((struct span){text, strlen(text)}, &tree, &ignored) < 0 ||
        entry_check(tree, &ignored) < 0 || !(copy = strdup(text)))
        return false;
    free(last->text);
    *last = (struct last_entry){attachment->written, copy};
    return false;
}

int in_force_load(const struct settings_sources *sources, const char *results_dir,
                  struct settings *out, struct error *err)
{
    const struct config nothing_asked = {0};
    struct settings_sources with_cache = *sources;
    cleanup(cache) struct cache cache = {0};
    cleanup(free_text) char *entry = NULL;
    struct last_entry last = {0};
    struct error why, ignored;
    bool read;

    if (settings_load(sources, out, &why) == 0)
        return 0;
    read = why.code == ERROR_NOT_AVAILABLE &&
           cache_read(results_dir, NULL, &nothing_asked, note_entry, &last, &cache, &ignored) == 0;
    entry = last.text;
    if (!read || !entry) {
        *err = why;
        return -1;
    }
    with_cache.known = entry;
    with_cache.known_origin = "the chain of the pod that started last";
    return settings_load(&with_cache, out, err);
}
