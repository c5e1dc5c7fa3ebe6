/*
 * Forgetting. An index that is free may be given to another link, and whoever guards that one sets
 * its verdict anew, so that this is no more than tidy.
 */
#include "kernel/fence/maps.h"
#include "kernel/fence/stand.h"
#include "kernel/links/known.h"

#include <errno.h>

/* 0 is no link that could go. */
static bool exists(const struct known_links *links, uint32_t index)
{
    return index == 0 ||
           known_links_find(links, &(struct link_question){.index = (int)index}) != NULL;
}

static int forget(int map, const void *key, struct error *err)
{
    return bpf_delete(map, key) == 0 || errno == ENOENT
               ? 0
               : bpf_failed("forget a link in the exit fence", err);
}

/* The maps are read before the links: a link that comes, and has a verdict, meanwhile is neither
 * among the former nor forgotten. */
int maps_prune(const struct maps *maps, struct error *err)
{
    cleanup(known_links) struct known_links existing = {0};
    cleanup(maps_contents) struct maps_contents known = {0};

    if (maps_read(maps, &known, err) < 0)
        return -1;
    if (known.link_count + known.pair_count == 0)
        return 0;
    known_links_read(&existing);
    if (existing.count == 0)
        return error_set(err, ERROR_KERNEL, "the node's links cannot be read");
    for (size_t i = 0; i < known.link_count; i++)
        if (!exists(&existing, known.links[i]) &&
            forget(maps->fds[MAP_VERDICTS], &known.links[i], err) < 0)
            return -1;
    for (size_t i = 0; i < known.pair_count; i++)
        if ((!exists(&existing, known.pairs[i].outgoing) ||
             !exists(&existing, known.pairs[i].incoming)) &&
            forget(maps->fds[MAP_COUNTS], &known.pairs[i], err) < 0)
            return -1;
    return 0;
}

/* All links share one set of maps, and where they do not, sync sees to it. */
int fence_prune(const struct terms *terms, struct error *err)
{
    cleanup(free_memory) struct uplink *uplinks = NULL;
    size_t count = 0;

    if (!stand_is_possible())
        return 0;
    if (uplinks_of_routes(terms, NULL, 0, &uplinks, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        cleanup(stand) struct stand stand = {0};

        if (stand_look(&uplinks[i], &stand, err) < 0)
            return -1;
        if (maps_exist(&stand.maps))
            return maps_prune(&stand.maps, err);
    }
    return 0;
}
