/*
 * What is taken from the fence.
 */
#include "kernel/fence/fence.h"

#include "kernel/fence/maps.h"
#include "kernel/fence/stand.h"
#include "kernel/fence/uplinks.h"

#include <errno.h>

/* All links share one set of maps, and where they do not, sync sees to it. */
int fence_prune(const struct terms *terms, size_t *pruned, struct error *err)
{
    cleanup(free_memory) struct uplink *uplinks = NULL;
    bool done = false;
    size_t forgotten = 0;
    size_t count = 0;

    *pruned = 0;
    if (!stand_is_possible())
        return 0;
    if (uplinks_of_routes(terms, NULL, 0, &uplinks, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count && !done; i++) {
        cleanup(stand) struct stand stand = STAND_NONE;

        if (stand_look(uplinks[i].index, &stand, err) < 0)
            return error_context(err, "exit fence on %s", uplinks[i].name);
        done = stand.has_maps;
        if (done && maps_prune(&stand.maps, &forgotten, err) < 0)
            return -1;
    }
    *pruned = forgotten;
    return 0;
}

int fence_remove(size_t *removed, struct error *err)
{
    const struct terms nowhere = {0};
    cleanup(free_memory) struct uplink *links = NULL;
    size_t total = 0;
    size_t count = 0;

    *removed = 0;
    if (!stand_is_possible())
        return 0;
    if (uplinks_of_node(&nowhere, NULL, 0, &links, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        cleanup(stand) struct stand stand = STAND_NONE;
        struct error failure = {0};
        size_t programs = 0;

        if (stand_look(links[i].index, &stand, &failure) == 0) {
            if (stand_remove(&stand, &programs, err) < 0)
                return error_context(err, "exit fence on %s", links[i].name);
        } else if (errno != ENODEV) { /* gone meanwhile */
            *err = failure;
            return error_context(err, "exit fence on %s", links[i].name);
        }
        total += programs > 0;
    }
    *removed = total;
    return 0;
}
