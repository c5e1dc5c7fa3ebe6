/*
 * Whether anything has changed where the fence stands: nobody announces that.
 */
#include "kernel/fence/fence.h"

#include "kernel/fence/stand.h"
#include "kernel/fence/uplinks.h"

#include <errno.h>

/* FNV-1a, of 64 bits. */
static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(1099511628211);
}

int fence_mark(const struct terms *terms, uint64_t *out, struct error *err)
{
    cleanup(free_memory) struct uplink *links = NULL;
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t count = 0;

    if (stand_need(err) < 0 || uplinks_of_node(NULL, terms, NULL, 0, &links, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tcx tcx;

        if (!links[i].wanted)
            continue;
        mix(&hash, (uint64_t)links[i].index);
        if (tcx_query(links[i].index, &tcx) == 0)
            mix(&hash, tcx.revision);
        else if (errno != ENODEV)
            return bpf_failed("list a link's egress programs", err);
    }
    *out = hash;
    return 0;
}
