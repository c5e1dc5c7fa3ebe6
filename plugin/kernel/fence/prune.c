/*
 * Forgetting. An index that is free may be given to another link, and whoever guards that one sets
 * its verdict anew, so that this is no more than tidy.
 */
#include "kernel/fence/maps.h"
#include "kernel/links/links.h"

#include <errno.h>
#include <string.h>

struct existing {
    struct link_reply *links;
    size_t count;
};

static void cleanup_existing(struct existing *existing)
{
    free(existing->links);
}

static bool exists(const struct existing *existing, uint32_t index)
{
    for (size_t i = 0; i < existing->count; i++)
        if ((uint32_t)existing->links[i].link.index == index)
            return true;
    return false;
}

static int forget(int map, const void *key, size_t *pruned, struct error *err)
{
    if (bpf_delete(map, key) == 0) {
        ++*pruned;
        return 0;
    }
    if (errno == ENOENT)
        return 0;
    return bpf_failed("forget a link in the exit fence", err);
}

/* The keys are read before the links: a link that comes, and has a verdict, meanwhile is neither
 * among the former nor forgotten. */
int maps_prune(const struct maps *maps, size_t *pruned, struct error *err)
{
    cleanup(existing) struct existing existing = {0};
    size_t verdict_count = 0;
    size_t pair_count = 0;
    cleanup(free_memory) uint32_t *verdicts =
        maps_keys(maps->fds[MAP_VERDICTS], sizeof(*verdicts), &verdict_count, err);
    cleanup(free_memory) struct count_key *pairs =
        verdicts == NULL ? NULL
                         : maps_keys(maps->fds[MAP_COUNTS], sizeof(*pairs), &pair_count, err);
    size_t ignored = 0;

    if (verdicts == NULL || pairs == NULL)
        return -1;
    if (verdict_count + pair_count == 0)
        return 0;
    if (links_all(&existing.links, &existing.count, err) < 0)
        return -1;
    for (size_t i = 0; i < verdict_count; i++)
        if (!exists(&existing, verdicts[i]) &&
            forget(maps->fds[MAP_VERDICTS], &verdicts[i], pruned, err) < 0)
            return -1;
    for (size_t i = 0; i < pair_count; i++)
        if ((!exists(&existing, pairs[i].outgoing) ||
             (pairs[i].incoming != 0 && !exists(&existing, pairs[i].incoming))) &&
            forget(maps->fds[MAP_COUNTS], &pairs[i], &ignored, err) < 0)
            return -1;
    return 0;
}
