#include "node/pods/in_force.h"

#include "node/pods/cache.h"

int in_force_load(const struct settings_sources *sources, const char *results_dir,
                  struct settings *out, struct error *err)
{
    struct settings_sources with_cache = *sources;
    cleanup(free_text) char *entry = NULL;
    struct error why, ignored;

    if (settings_load(sources, out, &why) == 0)
        return 0;
    if (why.code != ERROR_NOT_AVAILABLE || cache_last_entry(results_dir, &entry, &ignored) < 0 ||
        !entry) {
        *err = why;
        return -1;
    }
    with_cache.known = entry;
    with_cache.known_origin = "the chain of the pod that started last";
    return settings_load(&with_cache, out, err);
}
