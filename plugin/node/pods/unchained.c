#include "node/pods/unchained.h"

bool started_unchained(const struct settings *settings, const struct cached_attachment *cached)
{
    return cached->chain.of_node && !cached->chain.entry &&
           (!settings->drop_in || cached->reads_no_drop_ins);
}

const struct cached_attachment *drop_in_unread(const struct settings *settings,
                                               const struct cache *cache)
{
    const struct cached_attachment *last = NULL;

    for (size_t i = 0; i < cache->count; i++)
        if (cache->attachments[i].chain.of_node &&
            (!last || cache->attachments[i].written > last->written))
            last = &cache->attachments[i];
    return last && settings->drop_in && started_unchained(settings, last) &&
                   last->written > settings->drop_in_written
               ? last
               : NULL;
}

void note_drop_in_unread(const struct settings *settings, const struct cache *cache,
                         struct notes *notes)
{
    if (drop_in_unread(settings, cache))
        notes_add(notes, NOTE_PROBLEM, "%s " DROP_IN_UNREAD, settings->drop_in);
}
